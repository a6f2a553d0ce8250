"""Every change of the ledger appends exactly what it changed to the pending spend (R10, R12)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import quarter_sql
from campaigns.models import Campaign, SpendRecord
from campaigns.rules.money import to_micros
from campaigns.tests.support.factories import make_brand, make_campaign
from campaigns.tests.support.outside import EPOCH, POSTGRESQL, SQLITE, OutsideTestCase, quarter_at, utc_text

INSERT = "INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp) VALUES (%s, %s, %s, %s)"
TEN = "2026-11-22 10:00:00"
QUARTER_PAST = "2026-11-22 10:15:00"


class PendingSpendTests(OutsideTestCase):
    def ledger(self) -> dict[tuple[int, int], int]:
        """Return what the records themselves add up to, in the shape of pending()."""
        sums: Counter[tuple[int, int]] = Counter()
        for record in SpendRecord.objects.all():
            quarter = quarter_at(record.timestamp.replace(tzinfo=None).isoformat())
            sums[record.campaign_id, quarter] += to_micros(record.amount)
        return {key: micros for key, micros in sums.items() if micros}

    def spend_at_ten(self, campaign: Campaign, amount: str, external_id: str | None = None) -> None:
        self.insert_spend(campaign, amount, timestamp=utc_text(TEN), external_id=external_id)

    def test_it_adds_ten_tenths_to_exactly_one(self) -> None:
        campaign = make_campaign()
        for _ in range(10):
            self.spend_at_ten(campaign, "0.1")
        self.assertEqual(self.pending(), {(campaign.pk, quarter_at(TEN)): 1_000_000})

    def test_it_counts_an_updated_amount(self) -> None:
        campaign = make_campaign()
        self.spend_at_ten(campaign, "5")
        self.run_sql("UPDATE campaigns_spendrecord SET amount = %s", "7.25")
        self.assertEqual(self.pending(), {(campaign.pk, quarter_at(TEN)): 7_250_000})

    def test_it_counts_updated_amounts_to_the_millionth(self) -> None:
        """A float of 2.01, cut off instead of rounded, has 2009999 millionths."""
        campaign = make_campaign()
        self.spend_at_ten(campaign, "1")
        for amount, millionths in (("2.01", 2_010_000), ("4.02", 4_020_000), ("1", 1_000_000)):
            self.run_sql("UPDATE campaigns_spendrecord SET amount = %s", amount)
            self.assertEqual(self.pending(), {(campaign.pk, quarter_at(TEN)): millionths})

    def test_it_moves_a_record_to_another_quarter_hour(self) -> None:
        campaign = make_campaign()
        self.spend_at_ten(campaign, "5")
        self.run_sql("UPDATE campaigns_spendrecord SET timestamp = %s", utc_text(QUARTER_PAST))
        self.assertEqual(self.pending(), {(campaign.pk, quarter_at(QUARTER_PAST)): 5_000_000})

    def test_it_moves_a_record_to_another_campaign(self) -> None:
        campaign = make_campaign()
        sibling = make_campaign(campaign.brand)
        self.spend_at_ten(campaign, "5")
        self.run_sql("UPDATE campaigns_spendrecord SET campaign_id = %s", sibling.pk)
        self.assertEqual(self.pending(), {(sibling.pk, quarter_at(TEN)): 5_000_000})

    def test_it_moves_a_record_to_a_campaign_of_another_brand(self) -> None:
        campaign, other = make_campaign(), make_campaign()
        self.spend_at_ten(campaign, "5")
        self.run_sql("UPDATE campaigns_spendrecord SET brand_id = %s, campaign_id = %s", other.brand_id, other.pk)
        rows = self.run_sql("SELECT brand_id, SUM(amount) FROM campaigns_pendingspend GROUP BY 1")
        self.assertEqual(dict(rows), {campaign.brand_id: 0, other.brand_id: 5_000_000})
        self.assertEqual(self.pending(), {(other.pk, quarter_at(TEN)): 5_000_000})

    def test_it_takes_a_deleted_record_off(self) -> None:
        campaign = make_campaign()
        self.spend_at_ten(campaign, "5", "kept")
        self.spend_at_ten(campaign, "-1.5", "gone")
        self.run_sql("DELETE FROM campaigns_spendrecord WHERE external_id = 'gone'")
        self.assertEqual(self.pending(), {(campaign.pk, quarter_at(TEN)): 5_000_000})

    def test_it_counts_nothing_when_nothing_that_counts_is_updated(self) -> None:
        campaign = make_campaign()
        self.spend_at_ten(campaign, "5")
        rows = self.value("SELECT COUNT(*) FROM campaigns_pendingspend")
        self.run_sql("UPDATE campaigns_spendrecord SET external_id = 'named later'")
        self.assertEqual(self.value("SELECT COUNT(*) FROM campaigns_pendingspend"), rows)

    def test_it_counts_a_statement_of_many_rows(self) -> None:
        brand = make_brand()
        first, second = make_campaign(brand), make_campaign(brand)
        rows = [(first, "1", TEN), (first, "2.5", TEN), (first, "4", QUARTER_PAST), (second, "-8", TEN)]
        places = ", ".join(["(%s, %s, %s, %s)"] * len(rows))
        params = [p for campaign, amount, at in rows for p in (brand.pk, campaign.pk, amount, utc_text(at))]
        self.run_sql(
            f"INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp) VALUES {places}",
            *params,
        )
        self.assertEqual(
            self.pending(),
            {
                (first.pk, quarter_at(TEN)): 3_500_000,
                (first.pk, quarter_at(QUARTER_PAST)): 4_000_000,
                (second.pk, quarter_at(TEN)): -8_000_000,
            },
        )
        # PostgreSQL adds up what a statement says of a campaign's quarter-hour; SQLite's triggers see rows only.
        self.assertEqual(self.value("SELECT COUNT(*) FROM campaigns_pendingspend"), 3 if POSTGRESQL else 4)

    def test_it_counts_nothing_of_a_batch_with_one_bad_row(self) -> None:
        campaign = make_campaign()
        row = f"({campaign.brand_id}, {campaign.pk}, 1)"
        bad = f"({campaign.brand_id}, {campaign.pk}, 0)"
        self.assert_refused(
            "spend_amount_in_range_and_not_zero",
            f"INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount) VALUES {row}, {bad}, {row}",
        )
        self.assertEqual(self.value("SELECT COUNT(*) FROM campaigns_spendrecord"), 0)
        self.assertEqual(self.pending(), {})

    def test_it_counts_nothing_of_a_transaction_that_is_rolled_back(self) -> None:
        campaign = make_campaign()
        self.run_sql("BEGIN")
        self.spend_at_ten(campaign, "5")
        self.run_sql("ROLLBACK")
        self.assertEqual(self.value("SELECT COUNT(*) FROM campaigns_pendingspend"), 0)

    def test_it_agrees_with_the_ledger_after_any_mix_of_changes(self) -> None:
        random = Random(20261122)
        campaigns = [make_campaign(brand) for brand in (make_brand(), make_brand()) for _ in range(3)]
        self.run_many(INSERT, [random_row(random, random.choice(campaigns)) for _ in range(400)])
        ids = [number for (number,) in self.run_sql("SELECT id FROM campaigns_spendrecord")]
        for number in random.sample(ids, 60):
            brand, campaign, amount, at = random_row(random, random.choice(campaigns))
            self.run_sql(
                "UPDATE campaigns_spendrecord"
                " SET brand_id = %s, campaign_id = %s, amount = %s, timestamp = %s WHERE id = %s",
                brand,
                campaign,
                amount,
                at,
                number,
            )
        self.run_sql("UPDATE campaigns_spendrecord SET amount = -amount WHERE id / 7 * 7 = id")
        self.run_many("DELETE FROM campaigns_spendrecord WHERE id = %s", [(n,) for n in random.sample(ids, 90)])
        self.assertEqual(SpendRecord.objects.count(), 310)
        self.assertEqual(self.pending(), self.ledger())

    def test_it_ends_with_nothing_pending_when_all_records_are_deleted(self) -> None:
        random = Random(7)
        campaign = make_campaign()
        self.run_many(INSERT, [random_row(random, campaign) for _ in range(200)])
        self.run_sql("DELETE FROM campaigns_spendrecord")
        self.assertEqual(self.pending(), {})


def random_row(random: Random, campaign: Campaign) -> tuple[int, int, str, str]:
    """Return a row of any size that has six decimals, in one of two hundred quarter-hours."""
    micros = random.choice((-1, 1)) * random.randint(1, 10 ** random.randint(1, 12))
    minutes = random.randrange(3000)
    at = f"2026-11-{20 + minutes // 1440:02} {minutes % 1440 // 60:02}:{minutes % 60:02}:59"
    return campaign.brand_id, campaign.pk, str(Decimal(micros).scaleb(-6)), utc_text(at)


class ExactQuarterTests(OutsideTestCase):
    """A quarter-hour ends with its last microsecond."""

    FIRST, LAST = quarter_at("2012-01-01 00:15:00"), quarter_at("2099-12-31 23:45:00")

    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign()
        self.turns = {self.FIRST, self.LAST, *Random(20261127).sample(range(self.FIRST + 1, self.LAST), 1000)}

    def rows(self, before: timedelta) -> list[tuple[int, int, str, str]]:
        """Return a row for each turn, so long before it."""
        texts = [str(datetime.fromisoformat(stamp(turn)) - before) for turn in sorted(self.turns)]
        return [(self.campaign.brand_id, self.campaign.pk, "1", text) for text in texts]

    def assert_pending(self, expected: dict[int, int]) -> None:
        """Assert how many millionths each quarter has."""
        pending = {quarter: micros for (_, quarter), micros in self.pending().items()}
        self.assertEqual(sorted(set(pending.items()) ^ set(expected.items()))[:10], [])

    def test_in_statements_of_one_row(self) -> None:
        self.run_many(INSERT, self.rows(timedelta(microseconds=1)))
        self.assert_pending({turn - 1: 1_000_000 for turn in self.turns})

    def test_in_statements_of_many_rows(self) -> None:
        rows = self.rows(timedelta(microseconds=1))
        self.run_sql(INSERT + ", (%s, %s, %s, %s)" * (len(rows) - 1), *[value for row in rows for value in row])
        self.assert_pending({turn - 1: 1_000_000 for turn in self.turns})

    def test_at_its_turn(self) -> None:
        self.run_many(INSERT, self.rows(timedelta(0)))
        self.assert_pending(dict.fromkeys(self.turns, 1_000_000))

    def test_for_records_that_are_moved_and_deleted(self) -> None:
        self.run_many(INSERT, self.rows(timedelta(microseconds=1)))
        last = utc_text("2026-11-22 10:14:59.999999")
        self.run_sql("UPDATE campaigns_spendrecord SET timestamp = %s", last)
        self.assert_pending({quarter_at(TEN): 1_000_000 * len(self.turns)})
        self.run_sql("DELETE FROM campaigns_spendrecord")
        self.assert_pending({})

    def test_when_pages_and_verifications_reckon_it(self) -> None:
        self.run_many(INSERT, self.rows(timedelta(microseconds=1)))
        reckoned = {row[0] for row in fetch_all(f"SELECT {quarter_sql('timestamp')} FROM campaigns_spendrecord")}
        self.assertEqual(sorted(reckoned ^ {turn - 1 for turn in self.turns})[:10], [])


class ExactAmountTests(OutsideTestCase):
    def test_it_counts_every_amount_to_the_last_millionth(self) -> None:
        random = Random(1)
        campaign = make_campaign()
        largest = 10**15 - 1
        amounts = [1, -1, largest, -largest, largest - 1, 499_999, 500_000, 500_001]
        amounts += [random.randint(-largest, largest) for _ in range(3000)]
        start = quarter_at("2020-01-01 00:00:00")
        rows = [
            (campaign.brand_id, campaign.pk, f"{Decimal(micros).scaleb(-6):f}", stamp(start + number))
            for number, micros in enumerate(amounts)
        ]
        self.run_many(INSERT, rows)
        expected = {((campaign.pk, start + number), micros) for number, micros in enumerate(amounts)}
        wrong = expected ^ set(self.pending().items())
        self.assertEqual(sorted(wrong)[:10], [])  # to show thousands side by side takes minutes

    def test_it_counts_a_python_float_as_the_decimal_it_prints(self) -> None:
        campaign = make_campaign()
        for amount in (0.1, 0.2, 0.7, 1.1, 2.675, 1e-6, 123456.789012):
            self.insert_spend(campaign, amount, timestamp=utc_text(TEN))
        self.assertEqual(self.pending(), {(campaign.pk, quarter_at(TEN)): 123_461_564_013})


def stamp(quarter: int) -> str:
    return utc_text(f"{EPOCH + quarter * timedelta(minutes=15):%Y-%m-%d %H:%M:%S}")


if SQLITE:

    class RetryTests(OutsideTestCase):
        """SQLite's own ways to skip a row that is there already. OR REPLACE isn't one: verify_spend finds it."""

        def test_it_takes_or_ignore_as_a_retry_that_is_skipped(self) -> None:
            campaign = make_campaign()
            columns = "INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp, external_id)"
            for amount in (5, 7):
                self.run_sql(
                    f"INSERT OR IGNORE {columns} VALUES (%s, %s, {amount}, '{TEN}', 'row-1')",
                    campaign.brand_id,
                    campaign.pk,
                )
            self.assertEqual(self.pending(), {(campaign.pk, quarter_at(TEN)): 5_000_000})

        def ledger_sum(self, campaign: Campaign) -> dict[tuple[int, int], int]:
            amount = self.value("SELECT SUM(amount) FROM campaigns_spendrecord")
            return {(campaign.pk, quarter_at(TEN)): amount * 1_000_000}
