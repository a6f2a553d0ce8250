"""verify_spend: whatever was done to the totals is found to the millionth, told, and mended on request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection
from django.test import TestCase

from campaigns.models import BrandPeriod, Campaign, CampaignDay, PendingSpend, SpendRecord
from campaigns.services.ledger.fold import fold
from campaigns.services.ledger.verify import Difference, TotalsRange, repair, verify
from campaigns.tests.support.checking import check_at
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.ledger import change_brand, totals_counted, totals_folded, totals_of_records
from campaigns.tests.support.outside import POSTGRESQL, SQLITE, OutsideTestCase

NOON = "2026-11-20 12:00"


def run(sql: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def lacking(campaign: Campaign, amount: str | int, day: str = "2026-11-20") -> list[Difference]:
    """Return the differences where a campaign's spend of a day is missing from all three totals."""
    on, lacks = date.fromisoformat(day), Decimal(amount)
    brand = campaign.brand
    return [
        Difference("campaign day", f"{campaign.name} (campaign {campaign.pk})", on, lacks, brand.currency),
        Difference("brand day", f"{brand.name} (brand {brand.pk})", on, lacks, brand.currency),
        Difference("brand month", f"{brand.name} (brand {brand.pk})", on.replace(day=1), lacks, brand.currency),
    ]


@contextmanager
def switched_off_triggers() -> Iterator[None]:
    """Write as a restore with --disable-triggers does; on SQLite as one from a copy without the triggers."""
    if POSTGRESQL:
        run("ALTER TABLE campaigns_spendrecord DISABLE TRIGGER USER")
        yield
        run("ALTER TABLE campaigns_spendrecord ENABLE TRIGGER USER")
        return
    kept = PendingSpend.objects.order_by("id").last()
    yield
    PendingSpend.objects.filter(pk__gt=kept.pk if kept else 0).delete()


class VerifyTestCase(TestCase):
    def setUp(self) -> None:
        self.brand = make_brand(name="Acme", timezone="America/New_York", created_at=utc("2026-11-18"))
        self.campaign = make_campaign(self.brand, name="Winter")
        spend(self.campaign, "12.5", NOON)
        fold()

    def assert_found_and_mended(self, expected: list[Difference]) -> None:
        """The differences are found, repaired, and then gone; the same is true again after a fold."""
        self.assertEqual(verify(), expected)
        self.assertEqual(verify(), expected)
        self.assertEqual(repair(TotalsRange()), len(expected))
        self.assertEqual(verify(), [])
        self.assertEqual(totals_counted(), totals_of_records())
        fold()
        self.assertEqual(verify(), [])
        self.assertEqual(totals_folded(), totals_of_records())
        self.assertEqual(repair(TotalsRange()), 0)


class NothingIsWrong(VerifyTestCase):
    def test_it_finds_no_difference_where_there_is_none(self) -> None:
        self.assert_found_and_mended([])

    def test_it_finds_none_beside_pending_rows(self) -> None:
        record = spend(self.campaign, 3, NOON)
        self.assertEqual(verify(), [])
        record.amount = Decimal(-7)
        record.save()
        spend(self.campaign, 3, "2026-12-20 12:00")
        self.assertEqual(PendingSpend.objects.filter(amount__gt=0).count(), 2)
        self.assert_found_and_mended([])

    def test_it_finds_none_in_an_empty_ledger(self) -> None:
        SpendRecord.objects.all().delete()
        self.assert_found_and_mended([])

    def test_it_finds_none_after_a_brand_changed_its_zone_again_and_again(self) -> None:
        for hour, zone in enumerate(("Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu")):
            change_brand(self.brand, f"2026-11-20 {12 + hour}:00", timezone=zone)
        self.assert_found_and_mended([])

    def test_it_says_nothing_of_a_brand_in_an_unknown_zone(self) -> None:
        spend(make_campaign(make_brand(timezone="Mars/Olympus")), 5, NOON)
        self.assert_found_and_mended([])


class TotalsWereChanged(VerifyTestCase):
    def test_it_finds_a_changed_campaign_day(self) -> None:
        CampaignDay.objects.update(spend=Decimal("12.500001"))
        self.assert_found_and_mended(lacking(self.campaign, "-0.000001")[:1])

    def test_it_finds_a_changed_brand_day(self) -> None:
        BrandPeriod.objects.filter(kind="day").update(spend=Decimal("2.5"))
        self.assert_found_and_mended(lacking(self.campaign, 10)[1:2])

    def test_it_finds_a_changed_month(self) -> None:
        BrandPeriod.objects.filter(kind="month").update(spend=-1)
        self.assert_found_and_mended(lacking(self.campaign, "13.5")[2:])

    def test_it_finds_missing_totals(self) -> None:
        CampaignDay.objects.all().delete()
        BrandPeriod.objects.all().delete()
        self.assert_found_and_mended(lacking(self.campaign, "12.5"))

    def test_it_finds_totals_of_days_without_any_record(self) -> None:
        CampaignDay.objects.create(campaign=self.campaign, day=date(2020, 2, 29), spend=4)
        BrandPeriod.objects.create(brand=self.brand, kind="month", starts_on=date(2020, 2, 1), spend=4)
        expected = lacking(self.campaign, -4, "2020-02-29")
        self.assert_found_and_mended([expected[0], expected[2]])

    def test_it_finds_damage_that_leaves_the_sum_of_all_totals_right(self) -> None:
        sibling = make_campaign(self.brand)
        CampaignDay.objects.create(campaign=sibling, day=date(2026, 11, 20), spend=Decimal("12.5"))
        CampaignDay.objects.filter(campaign=self.campaign).delete()
        self.assert_found_and_mended([*lacking(self.campaign, "12.5")[:1], *lacking(sibling, "-12.5")[:1]])

    def test_it_keeps_what_was_closed_when_it_repairs(self) -> None:
        check_at("2026-11-21 12:00")
        before = BrandPeriod.objects.get(kind="day")
        BrandPeriod.objects.filter(kind="day").update(spend=0)
        repair(TotalsRange())
        after = BrandPeriod.objects.get(kind="day")
        self.assertEqual((after.spend, after.spend_at_close, after.closed_at), (12.5, 12.5, before.closed_at))
        self.assertEqual(after.pk, before.pk)


class RecordsWereWrittenPastTheTriggers(VerifyTestCase):
    def test_it_finds_records_that_were_added(self) -> None:
        with switched_off_triggers():
            spend(self.campaign, 7, "2026-11-21 04:59")
        self.assert_found_and_mended(lacking(self.campaign, 7))

    def test_it_finds_records_of_days_that_have_no_totals(self) -> None:
        with switched_off_triggers():
            spend(self.campaign, "0.000001", "2025-02-28 12:00")
        self.assert_found_and_mended(lacking(self.campaign, "0.000001", "2025-02-28"))

    def test_it_finds_records_that_were_changed(self) -> None:
        with switched_off_triggers():
            SpendRecord.objects.update(amount=Decimal("-0.5"))
        self.assert_found_and_mended(lacking(self.campaign, -13))

    def test_it_finds_records_that_moved_to_another_day(self) -> None:
        with switched_off_triggers():
            SpendRecord.objects.update(timestamp=utc("2026-11-21 05:00"))
        old, new = lacking(self.campaign, "-12.5"), lacking(self.campaign, "12.5", "2026-11-21")
        self.assert_found_and_mended([old[0], new[0], old[1], new[1]])

    def test_it_finds_records_that_were_deleted(self) -> None:
        with switched_off_triggers():
            SpendRecord.objects.all().delete()
        self.assert_found_and_mended(lacking(self.campaign, "-12.5"))

    def test_it_finds_them_beside_pending_rows(self) -> None:
        spend(self.campaign, 1, NOON)
        with switched_off_triggers():
            spend(self.campaign, 7, NOON)
        spend(self.campaign, 2, NOON)
        self.assert_found_and_mended(lacking(self.campaign, 7))

    def test_it_finds_pending_rows_that_were_deleted(self) -> None:
        spend(self.campaign, 5, "2026-11-21 12:00")
        PendingSpend.objects.all().delete()
        self.assert_found_and_mended(lacking(self.campaign, 5, "2026-11-21")[:2] + lacking(self.campaign, 5)[2:])

    def test_it_finds_pending_rows_that_were_made_up(self) -> None:
        spend(self.campaign, 5, NOON)
        rows = list(PendingSpend.objects.all())
        PendingSpend.objects.bulk_create(
            PendingSpend(brand_id=row.brand_id, campaign_id=row.campaign_id, quarter=row.quarter, amount=row.amount)
            for row in rows
        )
        self.assert_found_and_mended(lacking(self.campaign, -5))


class Since(VerifyTestCase):
    """--since looks at the days from one on and at the month that it lies in."""

    def setUp(self) -> None:
        super().setUp()
        for day in ("2026-10-31", "2026-11-02", "2026-11-19"):
            with switched_off_triggers():
                spend(self.campaign, 1, f"{day} 12:00")

    def found(self, since: str) -> list[tuple[str, str, Decimal]]:
        return [(row.total, f"{row.starts_on}", row.lacks) for row in verify(since=date.fromisoformat(since))]

    def test_it_looks_at_nothing_before(self) -> None:
        month = ("brand month", "2026-11-01", Decimal(2))
        self.assertEqual(
            self.found("2026-11-19"),
            [("campaign day", "2026-11-19", 1), ("brand day", "2026-11-19", 1), month],
        )
        self.assertEqual(self.found("2026-11-20"), [month])
        self.assertEqual(self.found("2026-12-01"), [])
        self.assertEqual(len(self.found("2026-11-01")), 5)
        self.assertEqual(len(self.found("2026-10-31")), 8)

    def test_it_repairs_nothing_before(self) -> None:
        self.assertEqual(repair(TotalsRange.since(date(2026, 11, 19))), 3)
        self.assertEqual(self.found("2026-11-19"), [])
        self.assertEqual(
            [row[1] for row in self.found("2026-10-01")], ["2026-10-31", "2026-11-02"] * 2 + ["2026-10-01"]
        )

    def test_it_counts_the_first_hours_of_the_month_in_zones_far_from_utc(self) -> None:
        repair(TotalsRange())
        for zone, at in (("Pacific/Kiritimati", "2026-11-30 10:00"), ("Pacific/Pago_Pago", "2026-12-01 11:00")):
            with self.subTest(zone):
                campaign = make_campaign(make_brand(timezone=zone))
                with switched_off_triggers():
                    spend(campaign, 3, at)
                self.assertEqual(verify(since=date(2026, 12, 1)), lacking(campaign, 3, "2026-12-01"))
                repair(TotalsRange.since(date(2026, 12, 1)))
                self.assertEqual(verify(), [])


class TheSwitchesOfEachDatabase(OutsideTestCase):
    """How rows come past the triggers in earnest."""

    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign()
        spend(self.campaign, 5, NOON, external_id="row-1")
        fold()

    if SQLITE:

        def test_it_finds_insert_or_replace(self) -> None:
            """It deletes the row that is in the way without firing the delete trigger."""
            self.run_sql(
                "INSERT OR REPLACE INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp, external_id)"
                f" VALUES (%s, %s, 7, '{NOON}:00', 'row-1')",
                self.campaign.brand_id,
                self.campaign.pk,
            )
            self.assertEqual(verify(), lacking(self.campaign, -5))
            repair(TotalsRange())
            fold()
            self.assertEqual(verify(), [])
            self.assertEqual(totals_folded(), totals_of_records())

    if POSTGRESQL:

        def test_it_finds_what_a_replication_role_wrote(self) -> None:
            self.run_sql("SET session_replication_role = replica")
            self.insert_spend(self.campaign, "7", timestamp=f"{NOON}+00")
            self.run_sql("SET session_replication_role = DEFAULT")
            self.insert_spend(self.campaign, "1", timestamp=f"{NOON}+00")
            self.assertEqual(verify(), lacking(self.campaign, 7))
            repair(TotalsRange())
            self.assertEqual(verify(), [])

        def test_it_finds_what_came_with_disabled_triggers(self) -> None:
            self.run_sql("ALTER TABLE campaigns_spendrecord DISABLE TRIGGER ALL")
            self.addCleanup(self.run_sql, "ALTER TABLE campaigns_spendrecord ENABLE TRIGGER ALL")
            self.run_sql("DELETE FROM campaigns_spendrecord")
            self.assertEqual(verify(), lacking(self.campaign, -5))
            repair(TotalsRange())
            self.assertEqual(verify(), [])
