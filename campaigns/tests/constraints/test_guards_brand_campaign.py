"""What the tables of brands and campaigns refuse by name when SQL writes them."""

from __future__ import annotations

from campaigns.models import Brand, Campaign
from campaigns.tests.support.factories import make_brand, make_campaign
from campaigns.tests.support.outside import POSTGRESQL, SQLITE, OutsideTestCase, by_vendor, utc_text

LIMITS = {
    "campaigns_brand.daily_budget": "brand_daily_budget_in_range",
    "campaigns_brand.monthly_budget": "brand_monthly_budget_in_range",
    "campaigns_campaign.daily_spend_limit": "campaign_daily_spend_limit_in_range",
}


class LimitTests(OutsideTestCase):
    def set_limit(self, column: str) -> str:
        table, _, name = column.partition(".")
        return f"UPDATE {table} SET {name} = %s"

    def test_it_takes_no_limit_nothing_and_anything_below_a_thousand_million(self) -> None:
        make_campaign()
        for column in LIMITS:
            for limit in (None, "0", "0.000001", "999999999.999999"):
                with self.subTest(column, limit=limit):
                    self.run_sql(self.set_limit(column), limit)

    def test_it_refuses_a_limit_below_0(self) -> None:
        make_campaign()
        for column, rule in LIMITS.items():
            for limit in ("-0.000001", "-1"):
                with self.subTest(column, limit=limit):
                    self.assert_refused(rule, self.set_limit(column), limit)

    def test_it_refuses_a_thousand_million(self) -> None:
        make_campaign()
        for column, rule in LIMITS.items():
            with self.subTest(column):
                self.assert_refused(rule, self.set_limit(column), "1000000000")

    def test_it_refuses_a_limit_that_rounds_to_a_thousand_million(self) -> None:
        make_campaign()
        for column, rule in LIMITS.items():
            with self.subTest(column):
                self.assert_refused(rule, self.set_limit(column), "999999999.9999999")

    def test_it_refuses_what_is_not_a_number(self) -> None:
        make_campaign()
        for column, rule in LIMITS.items():
            refusals = {
                "NaN": rule,
                "Infinity": by_vendor(postgresql="numeric field overflow", sqlite=rule),
                "plenty": by_vendor(postgresql="invalid input syntax for type numeric", sqlite=rule),
            }
            for limit, name in refusals.items():
                with self.subTest(column, limit=limit):
                    self.assert_refused(name, self.set_limit(column), limit)


class SwitchTests(OutsideTestCase):
    """R1: a switch is on or off; SQLite would keep anything, and read 7 as on and 'yes' as off."""

    def test_it_refuses_a_switch_that_is_neither_on_nor_off(self) -> None:
        make_campaign()
        for table in ("brand", "campaign"):
            update = f"UPDATE campaigns_{table} SET enabled = "
            rule = f"{table}_enabled_is_on_or_off"
            with self.subTest(table):
                self.assert_refused(by_vendor(postgresql="is of type boolean", sqlite=rule), f"{update}7")
                self.assert_refused(by_vendor(postgresql="is of type boolean", sqlite=rule), f"{update}0.5")
                self.assert_refused(by_vendor(postgresql="invalid input syntax", sqlite=rule), f"{update}'perhaps'")
                self.assert_refused(by_vendor(postgresql="not-null", sqlite="NOT NULL"), f"{update}NULL")

    def test_it_refuses_to_turn_on_what_is_archived(self) -> None:
        make_campaign()
        for table, rule in (("brand", "brand_archived_is_paused"), ("campaign", "campaign_archived_is_off")):
            with self.subTest(table):
                archive = f"UPDATE campaigns_{table} SET archived_at = %s"
                self.assert_refused(rule, archive, utc_text("2026-11-20 12:00:00"))
                self.run_sql(f"{archive}, enabled = false", utc_text("2026-11-20 12:00:00"))
                self.assert_refused(rule, f"UPDATE campaigns_{table} SET enabled = true")
                rest = by_vendor(postgresql="infinity", sqlite="yesterday")
                self.assert_refused(rule, archive, rest)
                self.run_sql(f"{archive}, enabled = true", None)

    def test_it_takes_a_switch_as_clients_write_it(self) -> None:
        make_campaign()
        for value in ("true", "false", "'1'", "'0'"):
            self.run_sql(f"UPDATE campaigns_campaign SET enabled = {value}")
            self.assertEqual(Campaign.objects.get().enabled, value in ("true", "'1'"))


class NameTests(OutsideTestCase):
    def test_it_takes_a_brand_with_nothing_but_a_name(self) -> None:
        self.run_sql("INSERT INTO campaigns_brand (name) VALUES ('B')")
        brand = Brand.objects.get()
        self.assertEqual((brand.enabled, brand.currency, brand.timezone), (True, "USD", "UTC"))
        self.assertIsNone(brand.daily_budget)
        self.assertIsNone(brand.monthly_budget)

    def test_it_refuses_a_brand_created_before_2012_or_from_2100_on(self) -> None:
        insert = "INSERT INTO campaigns_brand (name, created_at) VALUES (%s, %s)"
        self.run_sql(insert, "First", utc_text("2012-01-01 00:00:00"))
        self.run_sql(insert, "Last", utc_text("2099-12-31 23:59:59"))
        for wrong in ("2011-12-31 23:59:59", "2100-01-01 00:00:00"):
            self.assert_refused("brand_created_between_2012_and_2100", insert, wrong, utc_text(wrong))

    def test_it_takes_a_campaign_with_nothing_but_a_brand_and_a_name(self) -> None:
        self.run_sql("INSERT INTO campaigns_campaign (brand_id, name) VALUES (%s, 'C')", make_brand().pk)
        campaign = Campaign.objects.get()
        self.assertEqual((campaign.enabled, campaign.status, campaign.pause_reasons), (True, "active", 0))

    def test_it_refuses_an_empty_name(self) -> None:
        brand = make_brand()
        self.assert_refused("brand_has_a_name", "INSERT INTO campaigns_brand (name) VALUES ('')")
        self.assert_refused(
            "campaign_has_a_name", "INSERT INTO campaigns_campaign (brand_id, name) VALUES (%s, '')", brand.pk
        )

    def test_it_refuses_a_second_brand_of_the_same_name(self) -> None:
        make_brand(name="B")
        rule = by_vendor(postgresql="brand_name_unique", sqlite="campaigns_brand.name")
        self.assert_refused(rule, "INSERT INTO campaigns_brand (name) VALUES ('B')")

    def test_it_takes_a_campaigns_name_once_in_each_brand(self) -> None:
        first, second = make_brand(), make_brand()
        insert = "INSERT INTO campaigns_campaign (brand_id, name) VALUES (%s, 'C')"
        self.run_sql(insert, first.pk)
        self.run_sql(insert, second.pk)
        rule = by_vendor(
            postgresql="campaign_name_unique_in_brand",
            sqlite="campaigns_campaign.brand_id, campaigns_campaign.name",
        )
        self.assert_refused(rule, insert, first.pk)

    def test_it_takes_a_currency_of_three_letters(self) -> None:
        brand = make_brand()
        update = "UPDATE campaigns_brand SET currency = %s"
        self.run_sql(update, "EUR")
        for currency in ("", "EU"):
            with self.subTest(currency):
                self.assert_refused("brand_currency_has_three_letters", update, currency)
        rule = by_vendor(postgresql="value too long", sqlite="brand_currency_has_three_letters")
        self.assert_refused(rule, update, "EURO")
        brand.refresh_from_db()
        self.assertEqual(brand.currency, "EUR")


class DateTests(OutsideTestCase):
    UPDATE = "UPDATE campaigns_campaign SET starts_on = %s, ends_on = %s"

    def test_it_takes_an_end_on_the_start_after_it_or_none(self) -> None:
        make_campaign()
        for dates in (
            ("2026-11-22", "2026-11-22"),
            ("2026-11-22", "2026-11-23"),
            ("2026-11-22", None),
            (None, "2026-11-22"),
            (None, None),
        ):
            with self.subTest(dates):
                self.run_sql(self.UPDATE, *dates)

    def test_it_refuses_an_end_before_the_start(self) -> None:
        make_campaign()
        self.assert_refused("campaign_ends_on_or_after_start", self.UPDATE, "2026-11-22", "2026-11-21")

    def test_it_takes_the_first_and_the_last_day_that_python_knows(self) -> None:
        campaign = make_campaign()
        self.run_sql(self.UPDATE, "0001-01-01", "9999-12-31")
        campaign.refresh_from_db()
        self.assertEqual((str(campaign.starts_on), str(campaign.ends_on)), ("0001-01-01", "9999-12-31"))

    def test_it_refuses_a_day_that_python_cannot_read(self) -> None:
        make_campaign()
        unreadable = by_vendor(postgresql="0044-03-15 BC,10000-01-01", sqlite="0000-01-01,10000-01-01").split(",")
        for text in unreadable:
            with self.subTest(text):
                self.assert_refused("campaign_dates_well_formed", self.UPDATE, text, None)
                self.assert_refused("campaign_dates_well_formed", self.UPDATE, None, text)


class StatusTests(OutsideTestCase):
    def test_it_makes_the_status_of_the_reasons(self) -> None:
        campaign = make_campaign()
        for reasons, status in ((0, "active"), (1, "paused"), (128, "paused"), (255, "paused")):
            with self.subTest(reasons):
                self.run_sql("UPDATE campaigns_campaign SET pause_reasons = %s", reasons)
                self.assertEqual(self.value("SELECT status FROM campaigns_campaign"), status)
        campaign.refresh_from_db()
        self.assertEqual(campaign.status, Campaign.Status.PAUSED)

    def test_it_refuses_reasons_that_nobody_knows(self) -> None:
        make_campaign()
        update = "UPDATE campaigns_campaign SET pause_reasons = %s"
        self.assert_refused("campaign_pause_reasons_known", update, 256)
        self.assert_refused("pause_reasons", update, -1)
        self.assert_refused("pause_reasons", update, None)

    def test_it_refuses_a_status_that_somebody_writes(self) -> None:
        brand = make_campaign().brand
        rule = by_vendor(postgresql='column "status"', sqlite='generated column "status"')
        self.assert_refused(rule, "UPDATE campaigns_campaign SET status = 'paused'")
        insert = "INSERT INTO campaigns_campaign (brand_id, name, status) VALUES (%s, 'C', 'active')"
        self.assert_refused(by_vendor(postgresql=rule, sqlite="generated column"), insert, brand.pk)


if POSTGRESQL:

    class PostgreSQLDateTests(OutsideTestCase):
        def test_it_refuses_infinity(self) -> None:
            make_campaign()
            for text in ("infinity", "-infinity"):
                for column in ("starts_on", "ends_on"):
                    with self.subTest(text, column=column):
                        self.assert_refused(
                            "campaign_dates_well_formed", f"UPDATE campaigns_campaign SET {column} = %s", text
                        )


if SQLITE:

    class SQLiteDateTests(OutsideTestCase):
        def test_it_refuses_what_is_not_a_date(self) -> None:
            make_campaign()
            for text in (
                "2026-2-3",
                "20261122",
                "2026-11-22 00:00:00",
                "22.11.2026",
                "",
                2026,
                b"2026-11-22",
            ):
                for column in ("starts_on", "ends_on"):
                    with self.subTest(text, column=column):
                        self.assert_refused(
                            "campaign_dates_well_formed", f"UPDATE campaigns_campaign SET {column} = %s", text
                        )

        def test_it_refuses_days_that_do_not_exist(self) -> None:
            make_campaign()
            for text in ("2026-02-30", "2026-02-29", "2026-11-31", "2026-13-01", "2026-01-00"):
                with self.subTest(text):
                    self.assert_refused("campaign_dates_well_formed", DateTests.UPDATE, text, None)

        def test_it_takes_the_leap_day_of_a_leap_year(self) -> None:
            make_campaign()
            self.run_sql(DateTests.UPDATE, "2028-02-29", "2028-02-29")

        def test_it_refuses_reasons_that_are_no_whole_number(self) -> None:
            make_campaign()
            for reasons in (0.5, "some", b"1"):
                with self.subTest(reasons):
                    self.assert_refused("pause_reasons", "UPDATE campaigns_campaign SET pause_reasons = %s", reasons)

    class BytesTests(OutsideTestCase):
        """SQLite keeps bytes in a text column, where they are equal to no text; PostgreSQL writes them as text."""

        def test_it_refuses_bytes_where_a_text_belongs(self) -> None:
            make_campaign()
            for column in ("name", "currency", "timezone"):
                with self.subTest(column):
                    rule = "brand_name_currency_and_timezone_are_text"
                    self.assert_refused(rule, f"UPDATE campaigns_brand SET {column} = x'616263'")
            self.assert_refused("campaign_name_is_text", "UPDATE campaigns_campaign SET name = x'616263'")
