"""What the tables of the books refuse by name, and what emptying the ledger leaves of them."""

from __future__ import annotations

from campaigns.models import BrandPeriod, CampaignDay
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.outside import POSTGRESQL, OutsideTestCase, by_vendor

INSERT = "INSERT INTO campaigns_brandperiod (brand_id, kind, starts_on, spend) VALUES (%s, %s, %s, 0)"


class BrandPeriodTests(OutsideTestCase):
    def test_it_takes_days_and_months_and_no_other_kind(self) -> None:
        brand = make_brand()
        for kind in ("day", "month"):
            self.run_sql(INSERT, brand.pk, kind, "2026-11-01")
        for kind in ("week", "", "DAY"):
            with self.subTest(kind):
                self.assert_refused("brand_period_kind_known", INSERT, brand.pk, kind, "2026-11-01")

    def test_it_takes_each_period_of_a_brand_once(self) -> None:
        brand = make_brand()
        self.run_sql(INSERT, brand.pk, "day", "2026-11-01")
        self.run_sql(INSERT, make_brand().pk, "day", "2026-11-01")
        self.run_sql(INSERT, brand.pk, "day", "2026-11-02")
        rule = by_vendor(
            postgresql="brand_period_unique",
            sqlite="UNIQUE constraint failed: campaigns_brandperiod.",
        )
        self.assert_refused(rule, INSERT, brand.pk, "day", "2026-11-01")

    def test_it_closes_a_period_only_with_its_spend(self) -> None:
        self.run_sql(INSERT, make_brand().pk, "day", "2026-11-01")
        self.assert_refused(
            "brand_period_closed_with_spend",
            "UPDATE campaigns_brandperiod SET closed_at = '2026-11-02 00:00:00'",
        )
        self.run_sql("UPDATE campaigns_brandperiod SET closed_at = '2026-11-02 00:00:00', spend_at_close = 0")


class BookingZoneTests(OutsideTestCase):
    INSERT = "INSERT INTO campaigns_accountingtimezone (brand_id, kind, timezone, first) VALUES (%s, %s, 'UTC', %s)"

    def test_it_books_each_period_of_a_brand_in_one_zone(self) -> None:
        brand = make_brand()
        self.run_sql(self.INSERT, brand.pk, "day", "2026-11-01")
        self.run_sql(self.INSERT, brand.pk, "month", "2026-11-01")
        rule = by_vendor(
            postgresql="accounting_time_zone_unique", sqlite="UNIQUE constraint failed: campaigns_accountingtimezone."
        )
        self.assert_refused(rule, self.INSERT, brand.pk, "day", "2026-11-01")

    def test_it_books_days_and_months_and_nothing_else(self) -> None:
        self.assert_refused("accounting_time_zone_kind_known", self.INSERT, make_brand().pk, "week", "2026-11-01")


if POSTGRESQL:

    class TruncateTests(OutsideTestCase):
        def test_it_empties_pending_and_totals_and_keeps_what_was_closed(self) -> None:
            campaign = make_campaign()
            spend(campaign, 5, "2026-11-22 10:00")
            CampaignDay.objects.create(campaign=campaign, day="2026-11-21", spend=7)
            BrandPeriod.objects.create(
                brand=campaign.brand,
                kind="day",
                starts_on="2026-11-21",
                spend=7,
                closed_at=utc("2026-11-22"),
                spend_at_close=6,
                budget_at_close=10,
            )
            self.run_sql("TRUNCATE campaigns_spendrecord")
            self.assertEqual(self.value("SELECT COUNT(*) FROM campaigns_pendingspend"), 0)
            self.assertFalse(CampaignDay.objects.exists())
            period = BrandPeriod.objects.get()
            self.assertEqual((period.spend, period.spend_at_close, period.budget_at_close), (0, 6, 10))

        def test_it_counts_what_comes_after_the_ledger_was_emptied(self) -> None:
            campaign = make_campaign()
            spend(campaign, 5)
            self.run_sql("TRUNCATE campaigns_spendrecord RESTART IDENTITY")
            spend(campaign, 3)
            self.assertEqual(list(self.pending().values()), [3_000_000])
