"""What only SQL can break: zones, switches, triggers and rows changed behind the product's back.

Each test breaks one thing as a hand-written statement would, and sees that the others are served, that what is wrong
is found and named, and that one check or one repair puts it right.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

from campaigns.models import AccountingTimeZone, Brand, BrandPeriod, Campaign, SpendRecord
from campaigns.rules.reasons import PauseReason
from campaigns.services.ledger.verify import TotalsRange, repair, verify
from campaigns.tests.intake.test_import_spend import database_url
from campaigns.tests.support.checking import ACTIVE, brand_spent, campaign_spent, check_at, period, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, spend
from campaigns.tests.support.ledger import totals_counted, totals_of_records
from campaigns.tests.support.outside import POSTGRESQL, SQLITE, OutsideTestCase, by_vendor, utc_text
from campaigns.tests.support.processes import manage

NOON = "2026-11-20 12:00"
LIMIT = PauseReason.CAMPAIGN_DAILY_LIMIT


class BrokenBySql(OutsideTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.good = make_campaign(daily_spend_limit=5)
        self.odd = make_campaign(make_brand(name="Odd", timezone="America/New_York"), daily_spend_limit=5)
        for campaign in (self.good, self.odd):
            spend(campaign, 5, NOON)
        check_at(NOON)

    def assert_served(self) -> None:
        """The other brand's campaign resumes with the next day, and pauses with its spend."""
        check_at("2026-11-21 12:00")
        self.assertEqual(reasons_of(self.good), ACTIVE)
        spend(self.good, 5, "2026-11-21 12:00")
        check_at("2026-11-21 12:05")
        self.assertEqual(reasons_of(self.good), LIMIT)
        self.assertEqual(period(self.good.brand, "day", "2026-11-20").spend_at_close, 5)

    def assert_exact(self) -> None:
        self.assertEqual(verify(), [])
        self.assertEqual(totals_counted(), totals_of_records())

    def insert_again(self, external_id: str, amount: str, *, verb: str = "INSERT") -> None:
        """Insert a row of the odd campaign, whatever the verb."""
        self.run_sql(
            f"{verb} INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp, external_id)"
            " VALUES (%s, %s, %s, %s, %s)",
            *(self.odd.brand_id, self.odd.pk, amount, utc_text("2026-11-20 12:00:00"), external_id),
        )


class ZonesBySql(BrokenBySql):
    def test_an_unknown_zone_stops_nothing_for_the_others(self) -> None:
        names = ["", " ", "Mars/Olympus", "utc ", "../UTC", "Z\u00fcrich", "x" * 64, "%s", "'; --"]
        if SQLITE:
            names.append("NUL\0NUL")
        for name in names:
            with self.subTest(name):
                self.run_sql("UPDATE campaigns_brand SET timezone = %s WHERE id = %s", name, self.odd.brand_id)
                self.assertEqual(check_at(NOON).enforcement.unknown_zones, [name])
                self.assertEqual(reasons_of(self.odd), LIMIT)
                self.assertEqual(verify(), [])
        self.assert_served()

    def test_a_zone_that_is_no_text_stops_nothing_for_the_others(self) -> None:
        """Bytes that are no UTF-8 are taken by SQLite alone."""
        update = f"UPDATE campaigns_brand SET timezone = {by_vendor(postgresql='%s', sqlite='CAST(%s AS text)')}"
        if POSTGRESQL:
            converted = "UPDATE campaigns_brand SET timezone = convert_from(%s, 'UTF8')"
            self.assert_refused("invalid byte sequence", converted, b"\xff")
            self.assert_refused("value too long", update, "x" * 65)
        else:
            self.run_sql(f"{update} WHERE id = %s", b"\xff\xfe", self.odd.brand_id)
            self.assertEqual(check_at(NOON).enforcement.unknown_zones, ["\ufffd\ufffd"])
        self.assert_served()

    def test_a_zone_that_is_changed_is_booked_anew_at_the_next_check(self) -> None:
        """R15: it is 20 November in New York until 5:00 UTC on the 21st, and in Kiritimati from 10:00 on the 19th."""
        spend(self.odd, 3, "2026-11-20 09:00")
        for zone, today in (("Pacific/Kiritimati", 5), ("Asia/Kathmandu", 8), ("America/New_York", 8)):
            self.run_sql("UPDATE campaigns_brand SET timezone = %s WHERE id = %s", zone, self.odd.brand_id)
            self.assertEqual(check_at("2026-11-20 14:00").zone_changes, 1)
            self.assertEqual(brand_spent(Brand.objects.get(name="Odd"), "2026-11-20 14:00"), (today, 8))
            self.assert_exact()
        self.assert_served()


class SwitchesAndDatesBySql(BrokenBySql):
    def test_a_switch_is_on_or_off(self) -> None:
        for value in ("7", "-1", "0.5", "'yes'", "'on'", "'perhaps'", "NULL", "''"):
            for table in ("brand", "campaign"):
                with self.subTest(value, table=table):
                    if POSTGRESQL and value in ("'yes'", "'on'"):
                        continue  # these are words for true there
                    with self.assertRaises(Exception):  # noqa: B017
                        self.run_sql(f"UPDATE campaigns_{table} SET enabled = {value}")
        self.assertEqual({campaign.enabled for campaign in Campaign.objects.all()}, {True})
        self.assert_served()

    def test_dates_from_the_first_to_the_last(self) -> None:
        """A campaign may run from 0001-01-01, and until 9999-12-31."""
        cases = {
            ("0001-01-01", "9999-12-31"): ACTIVE,
            ("0001-01-01", "0001-01-01"): PauseReason.ENDED,
            ("9999-12-31", "9999-12-31"): PauseReason.NOT_STARTED,
            ("9999-12-31", None): PauseReason.NOT_STARTED,
            (None, "0001-01-01"): PauseReason.ENDED,
        }
        for (starts_on, ends_on), reasons in cases.items():
            with self.subTest(starts_on, ends_on=ends_on):
                self.run_sql(
                    "UPDATE campaigns_campaign SET starts_on = %s, ends_on = %s WHERE id = %s",
                    *(starts_on, ends_on, self.odd.pk),
                )
                check_at("2026-11-21 12:00")
                self.assertEqual(reasons_of(self.odd), reasons)
        self.assert_served()

    def test_a_brand_that_was_born_at_either_end_of_time(self) -> None:
        for born in ("2012-01-01 00:00:00", "2099-12-31 23:59:59.999999"):
            with self.subTest(born):
                name = f"Born {born}"
                self.run_sql(
                    "INSERT INTO campaigns_brand (name, timezone, daily_budget, created_at) VALUES (%s, %s, 1, %s)",
                    *(name, "Pacific/Kiritimati", utc_text(born)),
                )
                check_at("2026-11-20 12:10")
                days = BrandPeriod.objects.filter(brand__name=name, kind="day")
                self.assertEqual(days.count(), (date(2026, 11, 21) - date(2012, 1, 1)).days if born < "2026" else 0)
        self.assert_served()

    def test_a_budget_is_a_number(self) -> None:
        for value in ("NaN", "Infinity", "-Infinity", "1e30", "-0.000001", "1000000000", "", "ten"):
            for table, column in (
                ("brand", "daily_budget"),
                ("brand", "monthly_budget"),
                ("campaign", "daily_spend_limit"),
            ):
                with self.subTest(value, column=column), self.assertRaises(Exception):  # noqa: B017
                    self.run_sql(f"UPDATE campaigns_{table} SET {column} = %s", value)
        self.assert_served()


class LostTotalsBySql(BrokenBySql):
    def test_totals_that_are_changed_or_lost_are_found_and_mended(self) -> None:
        statements = (
            "UPDATE campaigns_campaignday SET spend = spend + 1",
            "DELETE FROM campaigns_campaignday",
            "UPDATE campaigns_brandperiod SET spend = -spend",
            "DELETE FROM campaigns_brandperiod",
            "DELETE FROM campaigns_pendingspend",
            "INSERT INTO campaigns_pendingspend (brand_id, campaign_id, quarter, amount)"
            f" VALUES ({self.odd.brand_id}, {self.odd.pk}, 1700000, 7)",
        )
        for statement in statements:
            with self.subTest(statement):
                spend(self.odd, 1, NOON)
                self.run_sql(statement)
                repair(TotalsRange())
                self.assertEqual(verify(), [])
                self.assertEqual(campaign_spent(self.odd, NOON), sum(row.amount for row in self.records()))
        self.assert_served()

    def records(self) -> Iterator[SpendRecord]:
        return SpendRecord.objects.filter(campaign=self.odd).iterator()

    def test_lost_accounting_time_zones(self) -> None:
        """What is folded by the next check is booked in the brand's own zone again."""
        self.run_sql("DELETE FROM campaigns_accountingtimezone WHERE brand_id = %s", self.odd.brand_id)
        spend(self.odd, 1, NOON)
        self.assertEqual(check_at(NOON).zone_changes, 1)
        self.assert_exact()
        self.assertEqual(AccountingTimeZone.objects.filter(brand=self.odd.brand_id).count(), 2)
        self.assert_served()


if SQLITE:

    class RowsBehindTheTriggersOnSqlite(BrokenBySql):
        """The outside client has foreign_keys off, and INSERT OR REPLACE fires no delete trigger."""

        def test_a_replaced_record_is_found_and_mended(self) -> None:
            self.insert_again("a", "2")
            self.insert_again("a", "3", verb="INSERT OR REPLACE")
            self.assertEqual({row.lacks for row in verify()}, {Decimal(-2)})
            self.assertEqual(len(verify()), 3)
            self.assertNotEqual(manage("verify_spend", DATABASE_URL=database_url(), DEBUG="True").returncode, 0)
            check_at(NOON)
            self.assertEqual(repair(TotalsRange()), 3)
            self.assert_exact()
            self.assertEqual(campaign_spent(self.odd, NOON), 8)
            self.assert_served()

        def test_a_replaced_brand_or_campaign_keeps_its_spend(self) -> None:
            replace = "INSERT OR REPLACE INTO campaigns_"
            brand, campaign = self.odd.brand_id, self.odd.pk
            self.run_sql(f"{replace}brand (id, name, timezone) VALUES ({brand}, 'New', 'America/New_York')")
            columns = "(id, brand_id, name, daily_spend_limit)"
            self.run_sql(f"{replace}campaign {columns} VALUES ({campaign}, {brand}, 'New', 5)")
            check_at(NOON)
            self.assert_exact()
            self.assertEqual(reasons_of(self.odd), LIMIT)
            self.assert_served()

        def test_ids_that_lead_nowhere_are_refused_with_foreign_keys_off(self) -> None:
            self.assertEqual(self.value("PRAGMA foreign_keys"), 0)
            for statement in (
                "UPDATE campaigns_spendrecord SET campaign_id = 999",
                "UPDATE campaigns_campaign SET brand_id = 999",
                "UPDATE campaigns_brand SET id = 999",
                "DELETE FROM campaigns_campaign",
                "DELETE FROM campaigns_brand",
                "INSERT INTO campaigns_campaign (brand_id, name) VALUES (999, 'x')",
            ):
                with self.subTest(statement), self.assertRaises(Exception):  # noqa: B017
                    self.run_sql(statement)
            self.assert_exact()
            self.assert_served()

        def test_triggers_that_are_dropped_are_missed(self) -> None:
            """Rows written without them are found and mended."""
            self.run_sql("BEGIN")
            ((sql,),) = self.run_sql("SELECT sql FROM sqlite_master WHERE name = 'campaigns_spend_inserted'")
            self.run_sql("DROP TRIGGER campaigns_spend_inserted")
            self.insert_again("a", "2")
            self.outside.execute(sql)
            self.run_sql("COMMIT")
            self.assertEqual({row.lacks for row in verify()}, {Decimal(2)})
            repair(TotalsRange())
            self.assert_exact()
            self.assert_served()


if POSTGRESQL:

    class RowsBehindTheTriggersOnPostgresql(BrokenBySql):
        def test_an_emptied_ledger_has_no_totals(self) -> None:
            spend(self.odd, 1, NOON)
            for statement in (
                "TRUNCATE campaigns_spendrecord",
                "TRUNCATE campaigns_spendrecord RESTART IDENTITY CASCADE",
            ):
                self.run_sql(statement)
                self.assertEqual(totals_counted(), {})
                self.assert_exact()
                check_at(NOON)
                self.assertEqual((reasons_of(self.odd), reasons_of(self.good)), (ACTIVE, ACTIVE))
                spend(self.good, 5, NOON)

        @contextmanager
        def without_triggers(self, how: str) -> Iterator[None]:
            if how == "replica":
                self.run_sql("SET session_replication_role = replica")
                yield
                self.run_sql("RESET session_replication_role")
                return
            self.run_sql(f"ALTER TABLE campaigns_spendrecord DISABLE TRIGGER {how}")
            yield
            self.run_sql(f"ALTER TABLE campaigns_spendrecord ENABLE TRIGGER {how}")

        def test_rows_written_without_triggers_are_found_and_mended(self) -> None:
            lacks = Decimal(0)
            for number, how in enumerate(("replica", "ALL", "USER")):
                with self.subTest(how):
                    with self.without_triggers(how):
                        self.insert_again(f"a{number}", "2")
                        lacks = Decimal(2)
                    self.assertEqual({row.lacks for row in verify()}, {lacks})
                    self.insert_again(f"b{number}", "1")
                    check_at(NOON)
                    self.assertEqual({row.lacks for row in verify()}, {lacks})
                    self.assertEqual(repair(TotalsRange()), 3)
                    self.assert_exact()
            self.assert_served()

        def test_a_truncation_and_a_deletion_without_triggers(self) -> None:
            for statement in ("DELETE FROM campaigns_spendrecord", "TRUNCATE campaigns_spendrecord"):
                with self.subTest(statement):
                    spend(self.odd, 1, NOON)
                    with self.without_triggers("USER"):
                        self.run_sql(statement)
                    self.assertNotEqual(verify(), [])
                    repair(TotalsRange())
                    self.assert_exact()
                    self.assertEqual(totals_counted(), {})
