"""Garbage at the spend table: a million rows through the client's own library, half of them broken.

Every broken row is refused by the rule that it breaks, every valid one is counted, and the checks that follow decide
right. How many were refused, and for what, is compared kind by kind with what was sent.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import psycopg

from campaigns.models import Brand, BrandPeriod, Campaign, CampaignDay, PendingSpend, SpendRecord
from campaigns.rules.reasons import PauseReason
from campaigns.services.jobs.full_check import full_check
from campaigns.services.ledger.verify import verify
from campaigns.tests.oracle.oracle import reached
from campaigns.tests.support.factories import make_brand, make_campaign
from campaigns.tests.support.outside import POSTGRESQL, OutsideTestCase
from campaigns.tests.torture.extent import extent
from campaigns.tests.torture.garbage.rows import Mill, Row, Target

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ZONES = ("UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Kiritimati", "Europe/London")
SEED = 20261120

COLUMNS = "brand_id, campaign_id, amount, timestamp, external_id"
INSERT = f"INSERT INTO campaigns_spendrecord ({COLUMNS}) VALUES "

# Each row as a statement of its own, as the client would write it, in a savepoint of its own.
TRY_ROW = f"""
CREATE FUNCTION pg_temp.try_row(brand_id text, campaign_id text, amount text, at text, external_id text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('{INSERT}(%L, %L, %L, %L, %L)', $1, $2, $3, $4, $5);
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLERRM;
END $$
"""
TRY_ROWS = """
SELECT pg_temp.try_row(b, c, a, t, e)
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[]) WITH ORDINALITY AS rows(b, c, a, t, e, place)
ORDER BY place
"""


Totals = dict[tuple[int, date], Decimal]


class GarbageAtTheTable(OutsideTestCase):
    """R6, R10, R11, R12."""

    def setUp(self) -> None:
        super().setUp()
        self.targets = list(self.make_targets())
        self.mill = Mill(SEED, self.targets, NOW)
        self.refused: Counter[str] = Counter()

    def make_targets(self) -> Iterator[Target]:
        for number, zone in enumerate(ZONES):
            budget = Decimal(10) ** number
            brand = make_brand(timezone=zone, daily_budget=budget * 10, monthly_budget=budget * 100)
            for limit in (budget, None):
                campaign = make_campaign(brand, daily_spend_limit=limit)
                yield Target(brand.pk, campaign.pk, ZoneInfo(zone))

    def test_every_broken_row_is_refused_by_its_rule_and_every_valid_one_counted(self) -> None:
        self.send_singly(extent(short=8_000, full=400_000))
        self.send_in_batches(extent(short=4_000, full=200_000), size=100)
        self.send_in_bulk(extent(short=12_000, full=400_000), size=2_000)
        self.assertEqual(self.refused, self.mill.made - Counter(valid=self.mill.made["valid"]))
        self.assertGreater(len(self.refused), 50)
        self.assertEqual(SpendRecord.objects.count(), self.mill.tally.counted)
        self.assertEqual(self.mill.meaning, {})
        self.assert_checks_are_right()

    def test_bytes_that_are_no_text(self) -> None:
        """PostgreSQL refuses them; SQLite keeps whatever it is given, and counts the row like another."""
        insert = f"{INSERT}({self.targets[0].brand_id}, {self.targets[0].campaign_id}, 1, '2026-11-20 12:00:00', "
        for name in (b"\xff\xfe", b"\xc3", b"a\x80b", b"\xed\xa0\x80"):
            with self.subTest(name):
                if isinstance(self.outside, sqlite3.Connection):
                    self.outside.execute(f"{insert}CAST(x'{name.hex()}' AS text))")
                    continue
                with self.assertRaisesMessage(psycopg.Error, "invalid byte sequence for encoding"):
                    self.outside.execute(insert.encode() + b"'" + name + b"')")
                with self.assertRaisesMessage(psycopg.Error, "invalid byte sequence for encoding"):
                    self.copy_bytes(
                        f"{self.targets[0].brand_id}\t{self.targets[0].campaign_id}\t1\t{name!r}\t".encode() + name
                    )
        if POSTGRESQL:
            with self.assertRaisesMessage(psycopg.Error, "cannot contain NUL"):
                self.run_sql(f"{insert}%s)", "a\0b")
            with self.assertRaisesMessage(psycopg.Error, "0x00"):
                self.copy_bytes(b"1\t1\t1\t2026-11-20\ta\0b\n")
        full_check("test", clock=lambda: NOW)
        self.assertEqual(verify(), [])
        taken = 0 if POSTGRESQL else 4
        self.assertEqual(SpendRecord.objects.count(), taken)
        self.assertEqual(sum(row.spend for row in CampaignDay.objects.all()), taken)

    def copy_bytes(self, data: bytes) -> None:
        assert not isinstance(self.outside, sqlite3.Connection)
        with self.outside.cursor() as cursor, cursor.copy(f"COPY campaigns_spendrecord ({COLUMNS}) FROM STDIN") as copy:
            copy.write(data)

    def send_singly(self, count: int) -> None:
        """Send each row as a statement of its own."""
        rows = self.mill.rows(count)
        if POSTGRESQL:
            self.run_sql(TRY_ROW)
        while batch := list(itertools.islice(rows, 1_000)):
            answers = self.try_on_postgresql(batch) if POSTGRESQL else list(self.try_on_sqlite(batch))
            for row, answer in zip(batch, answers, strict=True):
                self.note(row, answer)
            self.mill.took(row for row, answer in zip(batch, answers, strict=True) if answer is None)

    def try_on_postgresql(self, batch: Sequence[Row]) -> list[str | None]:
        columns = [list(column) for column in zip(*(row.values for row in batch), strict=True)]
        return [answer for (answer,) in self.run_sql(TRY_ROWS, *columns)]

    def try_on_sqlite(self, batch: Sequence[Row]) -> Iterator[str | None]:
        self.run_sql("BEGIN IMMEDIATE")
        for row in batch:
            try:
                self.run_sql(f"{INSERT}(%s, %s, %s, %s, %s)", *row.values)
                yield None
            except sqlite3.Error as error:
                yield str(error)
        self.run_sql("COMMIT")

    def note(self, row: Row, answer: str | None) -> None:
        """Compare what became of a row with what must become of it."""
        if row.rule is None:
            self.assertIsNone(answer, row)
            return
        self.assertIsNotNone(answer, f"taken, and must not be: {row}")
        self.assertIn(row.rule, answer or "", row)
        self.refused[row.kind] += 1

    def send_in_batches(self, count: int, *, size: int) -> None:
        """Send statements of many rows: one broken row undoes its statement, which is sent again without it."""
        self.send(count, size, self.insert_many)

    def send_in_bulk(self, count: int, *, size: int) -> None:
        """Send with COPY, or with SQLite's executemany in a transaction."""
        self.send(count, size, self.copy if POSTGRESQL else self.execute_many)

    def send(self, count: int, size: int, write: Callable[[list[Row]], None]) -> None:
        for _ in range(count // size):
            rows = list(self.mill.rows(size - 1, valid=1))
            if self.mill.random.random() < 0.7:
                bad = self.mill.bad()
                rows.insert(self.mill.random.randrange(size), bad)
                with self.assertRaises((sqlite3.Error, psycopg.Error)) as refusal:
                    write(rows)
                self.note(bad, str(refusal.exception))
                rows.remove(bad)
            write(rows)
            self.mill.took(rows)

    def insert_many(self, rows: Iterable[Row]) -> None:
        values = [row.values for row in rows]
        places = ", ".join(["(%s, %s, %s, %s, %s)"] * len(values))
        self.run_sql(INSERT + places, *itertools.chain.from_iterable(values))

    def copy(self, rows: Iterable[Row]) -> None:
        assert not isinstance(self.outside, sqlite3.Connection)
        with self.outside.cursor() as cursor, cursor.copy(f"COPY campaigns_spendrecord ({COLUMNS}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row.values)

    def execute_many(self, rows: Iterable[Row]) -> None:
        assert isinstance(self.outside, sqlite3.Connection)
        with self.outside:
            self.outside.execute("BEGIN IMMEDIATE")
            self.outside.executemany(f"{INSERT}(?, ?, ?, ?, ?)", [row.values for row in rows])

    def assert_checks_are_right(self) -> None:
        """Check everything: all is folded, every total is that of the valid rows, and every reason follows from it."""
        self.assertEqual(verify(), [])
        self.assertEqual(full_check("test", clock=lambda: NOW).problem, "")
        self.assertEqual(PendingSpend.objects.count(), 0)
        tally = self.mill.tally
        self.assertEqual(
            {(row.campaign_id, row.day): row.spend for row in CampaignDay.objects.all()}, tally.campaign_days
        )
        self.assertEqual(self.periods("day"), {key: value for key, value in tally.brand_days.items() if value})
        self.assertEqual(self.periods("month"), {key: value for key, value in tally.brand_months.items() if value})
        self.assertEqual(verify(), [])
        statuses = dict(Campaign.objects.values_list("pk", "pause_reasons"))
        self.assertEqual(statuses, {target.campaign_id: int(self.expected(target)) for target in self.targets})
        self.assertGreater(len(set(statuses.values())), 2)
        full_check("test", clock=lambda: NOW)
        self.assertEqual(statuses, dict(Campaign.objects.values_list("pk", "pause_reasons")))

    def periods(self, kind: str) -> Totals:
        rows = BrandPeriod.objects.filter(kind=kind).exclude(spend=0)
        return {(row.brand_id, row.starts_on): row.spend for row in rows}

    def expected(self, target: Target) -> PauseReason:
        brand, campaign = Brand.objects.get(pk=target.brand_id), Campaign.objects.get(pk=target.campaign_id)
        today, tally = NOW.astimezone(target.zone).date(), self.mill.tally
        holds = {
            PauseReason.CAMPAIGN_DAILY_LIMIT: reached(
                campaign.daily_spend_limit, tally.campaign_days[campaign.pk, today]
            ),
            PauseReason.BRAND_DAILY_BUDGET: reached(brand.daily_budget, tally.brand_days[brand.pk, today]),
            PauseReason.BRAND_MONTHLY_BUDGET: reached(brand.monthly_budget, tally.month_until(brand.pk, today)),
        }
        return PauseReason(sum(reason for reason, holding in holds.items() if holding))
