"""What the ledger takes from a client of the database's own, and what it refuses by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from campaigns.models import SpendRecord
from campaigns.tests.support.factories import make_campaign
from campaigns.tests.support.outside import POSTGRESQL, SQLITE, OutsideTestCase, by_vendor, quarter_at, utc_text

BRAND = "spend_brand_is_the_campaigns_brand"
AMOUNT = "spend_amount_in_range_and_not_zero"
TIMESTAMP = "spend_timestamp_between_2012_and_2100"
FORM = "spend_timestamp_is_yyyy_mm_dd_hh_mm_ss_in_utc"
RECORDED_AT = "spend_recorded_at_well_formed"
EXTERNAL_ID = by_vendor(
    postgresql="spend_external_id_unique_in_campaign",
    sqlite="UNIQUE constraint failed: campaigns_spendrecord.campaign_id, campaigns_spendrecord.external_id",
)


class PlainInsertTests(OutsideTestCase):
    def test_it_dates_a_plain_insert_now_and_counts_it(self) -> None:
        campaign = make_campaign()
        before = datetime.now(UTC) - timedelta(milliseconds=2)
        self.run_sql(
            "INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount)"
            f" VALUES ({campaign.brand_id}, {campaign.pk}, 12.345678)"
        )
        record = SpendRecord.objects.get()
        self.assertTrue(before <= record.timestamp <= datetime.now(UTC))
        self.assertTrue(before <= record.recorded_at <= datetime.now(UTC))
        self.assertIsNone(record.external_id)
        quarter = quarter_at(record.timestamp.replace(tzinfo=None).isoformat())
        self.assertEqual(self.pending(), {(campaign.pk, quarter): 12_345_678})

    def test_it_keeps_the_brand_with_the_pending_spend(self) -> None:
        campaign = make_campaign()
        self.insert_spend(campaign, "1")
        rows = self.run_sql("SELECT brand_id, campaign_id FROM campaigns_pendingspend")
        self.assertEqual(rows, [(campaign.brand_id, campaign.pk)])

    def test_it_puts_each_instant_into_its_quarter_hour(self) -> None:
        for text in ("2026-11-22 10:00:00", "2026-11-22 10:14:59.999999", "2026-11-22 10:15:00"):
            with self.subTest(text):
                campaign = make_campaign()
                self.insert_spend(campaign, "1", timestamp=utc_text(text))
                mine = {quarter for (number, quarter) in self.pending() if number == campaign.pk}
                self.assertEqual(mine, {quarter_at(text)})

    def test_it_refuses_a_brand_that_is_not_the_campaigns(self) -> None:
        campaign, other = make_campaign(), make_campaign()
        self.assert_spend_refused(BRAND, campaign, brand_id=other.brand_id)

    def test_it_refuses_a_campaign_that_does_not_exist(self) -> None:
        campaign = make_campaign()
        self.assert_spend_refused(BRAND, campaign, campaign_id=campaign.pk + 1000)

    def test_it_refuses_a_brand_that_does_not_exist(self) -> None:
        campaign = make_campaign()
        self.assert_spend_refused(BRAND, campaign, brand_id=campaign.brand_id + 1000)

    def test_it_refuses_a_row_without_brand_campaign_or_amount(self) -> None:
        campaign = make_campaign()
        for column in ("brand_id", "campaign_id", "amount"):
            with self.subTest(column):
                rule = BRAND if SQLITE and column != "amount" else column
                self.assert_spend_refused(rule, campaign, **{"amount": "1", column: None})

    def test_it_refuses_a_record_that_is_moved_to_a_wrong_brand_or_campaign(self) -> None:
        campaign, other = make_campaign(), make_campaign()
        self.insert_spend(campaign, "1")
        before = self.pending()
        self.assert_refused(BRAND, "UPDATE campaigns_spendrecord SET brand_id = %s", other.brand_id)
        self.assert_refused(BRAND, "UPDATE campaigns_spendrecord SET campaign_id = %s", other.pk)
        self.assertEqual(self.pending(), before)


if POSTGRESQL:

    class InATransactionTests(OutsideTestCase):
        def test_another_brand_is_refused_at_the_statement_and_not_at_the_end(self) -> None:
            campaign, other = make_campaign(), make_campaign()
            columns = {"brand_id": other.brand_id, "campaign_id": campaign.pk, "amount": 1}
            self.run_sql("BEGIN")
            self.assert_refused("spend_brand_is_the_campaigns_brand", self.insert_spend_sql(columns), *columns.values())
            self.run_sql("ROLLBACK")


class AmountTests(OutsideTestCase):
    def test_it_takes_the_smallest_and_the_largest_amounts_exactly(self) -> None:
        amounts = {
            "0.000001": 1,
            "-0.000001": -1,
            "999999999.999999": 999_999_999_999_999,
            "-999999999.999999": -999_999_999_999_999,
            "0.1": 100_000,
        }
        for amount, micros in amounts.items():
            with self.subTest(amount):
                campaign = make_campaign()
                self.insert_spend(campaign, amount, timestamp=utc_text("2026-11-22 10:00:00"))
                self.assertEqual(self.pending()[campaign.pk, quarter_at("2026-11-22 10:00:00")], micros)
                self.assertEqual(SpendRecord.objects.get(campaign=campaign).amount, Decimal(amount))

    def test_it_rounds_what_is_finer_than_six_decimals(self) -> None:
        for amount, micros in {"0.0000006": 1, "1.0000014": 1_000_001, "-0.0000006": -1}.items():
            with self.subTest(amount):
                campaign = make_campaign()
                self.insert_spend(campaign, amount, timestamp=utc_text("2026-11-22 10:00:00"))
                self.assertEqual(self.pending()[campaign.pk, quarter_at("2026-11-22 10:00:00")], micros)

    def test_it_refuses_nothing_and_what_rounds_to_nothing(self) -> None:
        campaign = make_campaign()
        for amount in ("0", "0.0", "-0.0", "0.0000001", "-0.0000004"):
            with self.subTest(amount):
                self.assert_spend_refused(AMOUNT, campaign, amount)

    def test_it_refuses_a_thousand_million_and_more(self) -> None:
        campaign = make_campaign()
        for amount in ("1000000000", "-1000000000", "1000000000.000001", "99999999999"):
            with self.subTest(amount):
                self.assert_spend_refused(AMOUNT, campaign, amount)

    def test_it_refuses_what_rounds_to_a_thousand_million(self) -> None:
        campaign = make_campaign()
        for amount in ("999999999.9999999", "-999999999.9999999"):
            with self.subTest(amount):
                self.assert_spend_refused(AMOUNT, campaign, amount)

    def test_it_refuses_what_is_not_a_number(self) -> None:
        campaign = make_campaign()
        refusals = {
            "NaN": AMOUNT,
            "Infinity": by_vendor(postgresql="numeric field overflow", sqlite=AMOUNT),
            "-Infinity": by_vendor(postgresql="numeric field overflow", sqlite=AMOUNT),
            "ten": by_vendor(postgresql="invalid input syntax for type numeric", sqlite=AMOUNT),
            "": by_vendor(postgresql="invalid input syntax for type numeric", sqlite=AMOUNT),
        }
        for amount, rule in refusals.items():
            with self.subTest(amount):
                self.assert_spend_refused(rule, campaign, amount)

    def test_it_refuses_an_amount_that_an_update_takes_out_of_range(self) -> None:
        campaign = make_campaign()
        self.insert_spend(campaign, "5")
        before = self.pending()
        for amount in ("0", "1000000000", "NaN"):
            with self.subTest(amount):
                self.assert_refused(AMOUNT, "UPDATE campaigns_spendrecord SET amount = %s", amount)
        self.assertEqual(self.pending(), before)


class TimestampTests(OutsideTestCase):
    def test_it_takes_the_first_and_the_last_instant(self) -> None:
        for text in ("2012-01-01 00:00:00", "2099-12-31 23:59:59.999999"):
            with self.subTest(text):
                campaign = make_campaign()
                self.insert_spend(campaign, "1", timestamp=utc_text(text))
                expected = datetime.fromisoformat(text).replace(tzinfo=UTC)
                self.assertEqual(SpendRecord.objects.get(campaign=campaign).timestamp, expected)
                self.assertIn((campaign.pk, quarter_at(text)), self.pending())

    def test_it_refuses_what_lies_outside(self) -> None:
        campaign = make_campaign()
        for text in ("2011-12-31 23:59:59", "2011-12-31 23:59:59.999999", "2100-01-01 00:00:00"):
            with self.subTest(text):
                self.assert_spend_refused(TIMESTAMP, campaign, timestamp=utc_text(text))

    def test_it_refuses_an_update_to_an_instant_outside(self) -> None:
        campaign = make_campaign()
        self.insert_spend(campaign, "1")
        before = self.pending()
        at = utc_text("2100-01-01 00:00:00")
        self.assert_refused(TIMESTAMP, "UPDATE campaigns_spendrecord SET timestamp = %s", at)
        self.assertEqual(self.pending(), before)

    def test_it_refuses_a_record_that_arrived_at_no_instant(self) -> None:
        campaign = make_campaign()
        for text in by_vendor(postgresql="infinity -infinity", sqlite="yesterday 2026-11-22T10:00:00").split():
            with self.subTest(text):
                self.assert_spend_refused(RECORDED_AT, campaign, recorded_at=text)

    def test_it_refuses_an_arrival_that_python_cannot_read(self) -> None:
        campaign = make_campaign()
        self.insert_spend(campaign, "1", recorded_at=utc_text("2026-11-22 10:00:00"))
        text = by_vendor(postgresql="0044-03-15 00:00:00+00 BC", sqlite="0000-01-01 00:00:00")
        self.assert_spend_refused(RECORDED_AT, campaign, recorded_at=text)


class ExternalIdTests(OutsideTestCase):
    def test_it_refuses_the_same_row_of_a_campaign_twice(self) -> None:
        campaign = make_campaign()
        self.insert_spend(campaign, "1", external_id="row-1")
        self.assert_spend_refused(EXTERNAL_ID, campaign, "2", external_id="row-1")

    def test_it_takes_the_same_id_for_another_campaign(self) -> None:
        campaign = make_campaign()
        sibling = make_campaign(campaign.brand)
        self.insert_spend(campaign, "1", external_id="row-1")
        self.insert_spend(sibling, "1", external_id="row-1")
        self.assertEqual(SpendRecord.objects.count(), 2)

    def test_it_takes_rows_without_an_id_any_number_of_times(self) -> None:
        campaign = make_campaign()
        self.insert_spend(campaign, "1", external_id=None)
        self.insert_spend(campaign, "1", external_id=None)
        self.insert_spend(campaign, "1")
        self.assertEqual(SpendRecord.objects.count(), 3)

    def test_it_refuses_an_id_that_is_empty_or_too_long(self) -> None:
        campaign = make_campaign()
        rule = "spend_external_id_has_1_to_255_characters"
        self.assert_spend_refused(rule, campaign, external_id="")
        too_long = by_vendor(postgresql="character varying(255)", sqlite=rule)
        self.assert_spend_refused(too_long, campaign, external_id="x" * 256)
        self.insert_spend(campaign, "1", external_id="x" * 255)
        self.insert_spend(campaign, "1", external_id="0")

    def test_it_counts_a_retry_that_is_skipped_once(self) -> None:
        campaign = make_campaign()
        row = {
            "brand_id": campaign.brand_id,
            "campaign_id": campaign.pk,
            "amount": "3",
            "timestamp": utc_text("2026-11-22 10:00:00"),
            "external_id": "row-1",
        }
        for _ in range(2):
            self.run_sql(f"{self.insert_spend_sql(row)} ON CONFLICT DO NOTHING", *row.values())
        self.assertEqual(self.pending(), {(campaign.pk, quarter_at("2026-11-22 10:00:00")): 3_000_000})

    def test_it_counts_the_new_amount_of_a_retry_that_overwrites(self) -> None:
        campaign = make_campaign()
        at = utc_text("2026-11-22 10:00:00")
        row = {
            "brand_id": campaign.brand_id,
            "campaign_id": campaign.pk,
            "amount": "3",
            "timestamp": at,
            "external_id": "x",
        }
        overwrite = " ON CONFLICT (campaign_id, external_id) DO UPDATE SET amount = excluded.amount"
        for amount in ("3", "4.5"):
            self.run_sql(self.insert_spend_sql(row) + overwrite, *(row | {"amount": amount}).values())
        self.assertEqual(self.pending(), {(campaign.pk, quarter_at("2026-11-22 10:00:00")): 4_500_000})


if POSTGRESQL:

    class PostgreSQLTimestampTests(OutsideTestCase):
        def test_it_refuses_infinity(self) -> None:
            campaign = make_campaign()
            for text in ("infinity", "-infinity"):
                with self.subTest(text):
                    self.assert_spend_refused(TIMESTAMP, campaign, timestamp=text)

        def test_it_refuses_what_rounds_to_2100(self) -> None:
            self.assert_spend_refused(TIMESTAMP, make_campaign(), timestamp="2099-12-31 23:59:59.9999999+00")

        def test_it_takes_other_offsets_as_the_instant_they_mean(self) -> None:
            campaign = make_campaign()
            self.insert_spend(campaign, "1", timestamp="2026-11-22T15:45:00+05:45")
            self.assertEqual(list(self.pending()), [(campaign.pk, quarter_at("2026-11-22 10:00:00"))])


if SQLITE:

    class SQLiteTimestampTests(OutsideTestCase):
        def test_it_takes_utc_to_the_second_or_with_a_fraction(self) -> None:
            for fraction in ("", ".1", ".123", ".123456"):
                with self.subTest(fraction):
                    campaign = make_campaign()
                    self.insert_spend(campaign, "1", timestamp=f"2026-11-22 10:00:00{fraction}")
                    self.assertEqual(SpendRecord.objects.get(campaign=campaign).timestamp.second, 0)

        def test_it_refuses_other_forms(self) -> None:
            campaign = make_campaign()
            for text in (
                "2026-11-22T10:00:00",
                "2026-11-22 10:00:00Z",
                "2026-11-22T10:00:00Z",
                "2026-11-22 10:00:00+00:00",
                "2026-11-22 10:00:00+00",
                "2026-11-22 10:00:00.",
                "2026-11-22 10:00:00.1234567",
                "2026-11-22 10:00:00.12a",
                "2026-11-22 10:00:00,12",
                "2026-11-22 10:00",
                "2026-11-22",
                "22.11.2026 10:00:00",
                " 2026-11-22 10:00:00",
                "",
            ):
                with self.subTest(text):
                    self.assert_spend_refused(FORM, campaign, timestamp=text)

        def test_it_refuses_days_and_times_that_do_not_exist(self) -> None:
            campaign = make_campaign()
            for text in (
                "2026-02-30 10:00:00",
                "2026-02-29 10:00:00",
                "2026-11-31 10:00:00",
                "2026-13-01 10:00:00",
                "2026-11-22 24:00:00",
                "2026-11-22 10:60:00",
                "2026-11-22 10:00:60",
            ):
                with self.subTest(text):
                    self.assert_spend_refused(FORM, campaign, timestamp=text)

        def test_it_takes_the_leap_day_of_a_leap_year(self) -> None:
            self.insert_spend(make_campaign(), "1", timestamp="2028-02-29 10:00:00")

        def test_it_refuses_numbers_blobs_and_hidden_text(self) -> None:
            campaign = make_campaign()
            for stamp in (1_700_000_000, 2_459_000.5, b"2026-11-22 10:00:00", "2026-11-22 10:00:00\0 or so"):
                with self.subTest(stamp):
                    self.assert_spend_refused(FORM, campaign, timestamp=stamp)

    class SQLiteAmountTests(OutsideTestCase):
        def test_it_refuses_a_blob_and_floats_that_are_not_finite(self) -> None:
            campaign = make_campaign()
            for amount in (b"1", float("inf"), float("-inf"), "5 units", "0x10"):
                with self.subTest(amount):
                    self.assert_spend_refused(AMOUNT, campaign, amount)

        def test_it_refuses_nan_which_sqlite_takes_for_null(self) -> None:
            self.assert_spend_refused("campaigns_spendrecord.amount", make_campaign(), float("nan"))
