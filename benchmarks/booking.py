"""Reported totals: booking what has changed, a check with nothing to book, and a sync that brings nothing new."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from math import inf
from statistics import median

from django.db import transaction

from benchmarks.databases import Bench, log
from benchmarks.figures import Figure, compare, pairs_of, seconds, timed, values
from benchmarks.quick import run
from benchmarks.world import World, settle
from campaigns.database.connection import execute, fetch_all
from campaigns.services.totals.book import ANY_TO_BOOK, book_totals

# Long past: the database takes no report from the future.
DAY, AS_OF, NEXT_AS_OF = "2024-10-30", "2024-10-30 12:00+00", "2024-10-30 13:00+00"
NOW = datetime(2024, 10, 30, 12, tzinfo=UTC)
PROBES = 21
TABLES = ("campaigns_spendrecord", "campaigns_pendingspend", "campaigns_spendtotal", "campaigns_daytobook")

MAKE_ACCOUNTS = """
INSERT INTO campaigns_platformaccount (id, source, external_id, currency, timezone)
SELECT id, 'google_ads', CAST(id AS text), 'EUR', timezone FROM campaigns_brand
"""
MAKE_LINKS = """
INSERT INTO campaigns_campaignlink (account_id, external_id, campaign_id)
SELECT brand_id, CAST(id AS text), id FROM campaigns_campaign
"""
# 100 is reported; of it nothing, or all by one record before, is booked.
MAKE_TOTALS = f"""
INSERT INTO campaigns_spendtotal (source, account, campaign, day, total, as_of, booked, revision, booked_campaign_id)
SELECT 'google_ads', CAST(brand_id AS text), CAST(id AS text), '{DAY}', 100, '{AS_OF}', {{booked}}
FROM campaigns_campaign ORDER BY campaigns_campaign.id
"""
NOTHING_BOOKED, ALL_BOOKED = "0, 0, NULL", "100000000, 1, id"
FLAG_DAYS = """
INSERT INTO campaigns_daytobook (source, account, day)
SELECT DISTINCT source, account, day FROM campaigns_spendtotal ORDER BY source, account, day
"""
# What a connector runs, in one statement; triggers flag the days to book.
RESTATE = f"""
INSERT INTO campaigns_spendtotal (source, account, campaign, day, total, as_of)
SELECT source, account, campaign, day, {{total}}, '{NEXT_AS_OF}' FROM campaigns_spendtotal ORDER BY id LIMIT %s
ON CONFLICT (source, account, campaign, day) DO UPDATE SET total = EXCLUDED.total, as_of = EXCLUDED.as_of
"""
BARE = f"""
INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp, total_id, revision)
SELECT campaign.brand_id, campaign.id, total.total - total.booked / 1000000.0, '{AS_OF}', total.id, total.revision + 1
FROM campaigns_spendtotal AS total
JOIN campaigns_campaign AS campaign ON campaign.id = CAST(total.campaign AS bigint)
"""


def measure(bench: Bench) -> list[Figure]:
    with bench.inside(bench.large_world()) as world:
        execute(MAKE_ACCOUNTS)
        execute(MAKE_LINKS)
        settle("campaigns_platformaccount", "campaigns_campaignlink")
        figures = [
            *(
                measure_booking(bench, world, name, prepare)
                for name, prepare in (("for the first time", report_first), ("restated", restate))
            ),
            *measure_nothing_to_book(bench, world),
            *measure_unchanged(bench, world),
        ]
        empty()
        execute("DELETE FROM campaigns_campaignlink")
        execute("DELETE FROM campaigns_platformaccount")
    return figures


def measure_booking(bench: Bench, world: World, name: str, prepare: Callable[[World], None]) -> Figure:
    count = world.campaigns
    log(f"booking {count:,} totals {name}")
    pairs = pairs_of(lambda: book(count), lambda: seconds(bare), bench.sizes, before=lambda: prepare(world))
    return compare(f"booking {count:,} totals {name}, to a bare INSERT … SELECT of their records", pairs, most=2)


def measure_nothing_to_book(bench: Bench, world: World) -> list[Figure]:
    """A check that finds nothing to book: of all totals, beside one of none; and only its question about totals."""
    checks, questions = [], []
    for _ in range(bench.sizes.runs):
        taken = []
        for prepare in (all_booked, empty_all):
            prepare(world)
            run(world)
            ask(1)
            taken.append((median(1000 * seconds(lambda: run(world)) for _ in range(PROBES)), ask(PROBES)))
        (check, question), (bare_check, bare_question) = taken
        checks.append((check, bare_check))
        questions.append((question, bare_question))
    count = f"{world.campaigns:,} totals"
    return [
        compare(f"quick check with nothing to book, of {count}, to one with none", checks, "ms", most=1.5),
        compare(f"its question whether anything is to be booked, of {count}, to one with none", questions, "ms"),
    ]


def measure_unchanged(bench: Bench, world: World) -> list[Figure]:
    """A sync sends a third of all totals again, unchanged."""
    count = max(1, world.campaigns * 35 // 100)
    all_booked(world)
    before, wal = size(), wal_position()
    taken, written = timed(lambda: execute(RESTATE.format(total="total"), [count]))
    if written:
        raise AssertionError(f"{written} totals were written that hadn't changed")
    grown, logged = (size() - before) / 1_000_000, (wal_position() - wal) / 1_000_000
    return [
        values(f"upserting {count:,} unchanged totals", [taken], "s"),
        values(f"growth of their table of {before / 1_000_000:,.0f} MB by that", [grown], "MB", most=0.1),
        values("WAL of that", [logged], "MB"),
    ]


def book(count: int) -> float:
    taken, done = timed(lambda: book_totals(clock=lambda: NOW, seconds=inf))
    if done.records != count:
        raise AssertionError(f"{count} totals were to be booked, and {done} was done")
    return taken


def bare() -> None:
    with transaction.atomic():
        execute(BARE)


def ask(times: int) -> float:
    """Return the milliseconds of a question whether anything is to be booked."""
    return 1000 * seconds(lambda: [fetch_all(f"SELECT {ANY_TO_BOOK}") for _ in range(times)]) / times


def report_first(world: World) -> None:
    """Let one total of each campaign be reported for the first time, and no record be there."""
    make_totals(NOTHING_BOOKED)
    execute(FLAG_DAYS)
    settle("campaigns_daytobook")


def restate(world: World) -> None:
    """Let one total of each campaign, which has been booked before, be restated."""
    all_booked(world)
    if execute(RESTATE.format(total="180.50"), [world.campaigns]) != world.campaigns:
        raise AssertionError("not all totals were restated")
    settle("campaigns_spendtotal", "campaigns_daytobook")


def all_booked(world: World) -> None:
    make_totals(ALL_BOOKED)


def empty_all(world: World) -> None:
    empty()


def make_totals(booked: str) -> None:
    empty()
    execute("SET session_replication_role = replica")
    execute(MAKE_TOTALS.format(booked=booked))
    execute("RESET session_replication_role")
    settle("campaigns_spendtotal")


def empty() -> None:
    execute("SET session_replication_role = replica")
    execute(f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY")
    execute("RESET session_replication_role")
    settle(*TABLES)


def size() -> int:
    ((found,),) = fetch_all("SELECT pg_total_relation_size('campaigns_spendtotal')")
    return int(found)


def wal_position() -> int:
    ((found,),) = fetch_all("SELECT pg_current_wal_insert_lsn() - '0/0'")
    return int(found)
