"""Reported totals: booking what has changed, a check with nothing to book, and a sync that brings nothing new."""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf

from django.db import transaction

from benchmarks.databases import Bench, log
from benchmarks.figures import Figure, compare, pairs_of, seconds, timed, values
from benchmarks.world import World, settle
from campaigns.database.connection import execute, fetch_all
from campaigns.services.totals.book import ANY_TO_BOOK, book_totals

# Long past: the database takes no report from the future.
DAY, AS_OF, NEXT_AS_OF = "2024-10-30", "2024-10-30 12:00+00", "2024-10-30 13:00+00"
NOW = datetime(2024, 10, 30, 12, tzinfo=UTC)
PROBES = 20

MAKE_ACCOUNTS = """
INSERT INTO campaigns_platformaccount (id, source, external_id, currency, timezone)
SELECT id, 'google_ads', CAST(id AS text), 'EUR', timezone FROM campaigns_brand
"""
MAKE_LINKS = """
INSERT INTO campaigns_campaignlink (account_id, external_id, campaign_id)
SELECT brand_id, CAST(id AS text), id FROM campaigns_campaign
"""
# 180.50 is reported; of it nothing, or 100 by one record before, is booked.
MAKE_TOTALS = f"""
INSERT INTO campaigns_spendtotal (source, account, campaign, day, total, as_of, booked, revision, booked_campaign_id)
SELECT 'google_ads', CAST(brand_id AS text), CAST(id AS text), '{DAY}', 180.50, '{AS_OF}', {{booked}}
FROM campaigns_campaign ORDER BY campaigns_campaign.id
"""
FIRST, RESTATED = "0, 0, NULL", "100000000, 1, id"
BARE = f"""
INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp, total_id, revision)
SELECT campaign.brand_id, campaign.id, 180.50 - total.booked / 1000000.0, '{AS_OF}', total.id, total.revision + 1
FROM campaigns_spendtotal AS total
JOIN campaigns_campaign AS campaign ON campaign.id = CAST(total.campaign AS bigint)
"""
UPSERT_AGAIN = f"""
INSERT INTO campaigns_spendtotal (source, account, campaign, day, total, as_of)
SELECT source, account, campaign, day, total, '{NEXT_AS_OF}' FROM campaigns_spendtotal ORDER BY id LIMIT %s
ON CONFLICT (source, account, campaign, day) DO UPDATE SET total = EXCLUDED.total, as_of = EXCLUDED.as_of
"""


def measure(bench: Bench) -> list[Figure]:
    with bench.inside(bench.large_world()) as world:
        execute(MAKE_ACCOUNTS)
        execute(MAKE_LINKS)
        settle("campaigns_platformaccount", "campaigns_campaignlink")
        figures = [
            *(
                measure_booking(bench, world, name, booked)
                for name, booked in (("for the first time", FIRST), ("restated", RESTATED))
            ),
            measure_probe(bench, world),
            *measure_unchanged(bench, world),
        ]
        empty()
        execute("DELETE FROM campaigns_campaignlink")
        execute("DELETE FROM campaigns_platformaccount")
    return figures


def measure_booking(bench: Bench, world: World, name: str, booked: str) -> Figure:
    count = world.campaigns
    log(f"booking {count:,} totals {name}")
    pairs = pairs_of(lambda: book(count), lambda: seconds(bare), bench.sizes, before=lambda: report(world, booked))
    return compare(f"booking {count:,} totals {name}, to a bare INSERT … SELECT of their records", pairs, most=2)


def measure_probe(bench: Bench, world: World) -> Figure:
    """The statement that a check runs of totals if there is nothing to book: of all, beside that of a hundredth."""
    pairs = []
    for _ in range(bench.sizes.runs):
        taken = []
        for part in (1, max(1, world.campaigns // 100)):
            report(world, RESTATED.replace("100000000", "180500000"), every=part)
            probe(1)
            taken.append(seconds(lambda: probe(PROBES)) / PROBES * 1000)
        pairs.append((taken[0], taken[1]))
    name = f"nothing to book, of {world.campaigns:,} totals, to as many as a hundred"
    return compare(name, pairs, "ms", most=1.5)


def measure_unchanged(bench: Bench, world: World) -> list[Figure]:
    """A sync sends a third of all totals again, unchanged."""
    count = max(1, world.campaigns * 35 // 100)
    report(world, RESTATED.replace("100000000", "180500000"))
    before = size()
    taken, written = timed(lambda: execute(UPSERT_AGAIN, [count]))
    if written:
        raise AssertionError(f"{written} totals were written that hadn't changed")
    grown = (size() - before) / 1_000_000
    return [
        values(f"upserting {count:,} unchanged totals", [taken], "s"),
        values("growth of their table by that", [grown], "MB", most=0.1),
    ]


def book(count: int) -> float:
    taken, done = timed(lambda: book_totals(clock=lambda: NOW, seconds=inf))
    if done.records != count:
        raise AssertionError(f"{count} totals were to be booked, and {done} was done")
    return taken


def bare() -> None:
    with transaction.atomic():
        execute(BARE)


def probe(times: int) -> None:
    for _ in range(times):
        fetch_all(f"SELECT {ANY_TO_BOOK}")


def report(world: World, booked: str, *, every: int = 1) -> None:
    """Let one total of each campaign be reported, or of each so many, and no record be there."""
    empty()
    execute("SET session_replication_role = replica")
    sql = MAKE_TOTALS.format(booked=booked)
    execute(sql.replace("ORDER BY", f"WHERE mod(id, {every}) = 0 ORDER BY") if every > 1 else sql)
    execute("RESET session_replication_role")
    settle("campaigns_spendtotal")


def empty() -> None:
    execute("SET session_replication_role = replica")
    execute("TRUNCATE campaigns_spendrecord, campaigns_pendingspend, campaigns_spendtotal RESTART IDENTITY")
    execute("RESET session_replication_role")
    settle("campaigns_spendrecord", "campaigns_pendingspend", "campaigns_spendtotal")


def size() -> int:
    ((found,),) = fetch_all("SELECT pg_total_relation_size('campaigns_spendtotal')")
    return int(found)
