"""Alerts beside the checks that they follow: all brands cross a threshold of their budgets; looks at all brands."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from benchmarks.checks import check_at, expect
from benchmarks.databases import Bench
from benchmarks.figures import Figure, compare, seconds, timed, values
from benchmarks.world import CAMPAIGNS_PER_BRAND, HIGH_BUDGET, ZONES, World, instant, settle
from campaigns.database.connection import execute
from campaigns.models import Campaign, CampaignLink, PlatformAccount
from campaigns.models.pace import WEEKDAYS
from campaigns.services.alerts.days import FROM_HOUR, look_at_days
from campaigns.services.alerts.evaluate import evaluate
from campaigns.services.alerts.look import Look
from campaigns.services.alerts.no_spend import look_at_spend
from campaigns.services.jobs.quick_check import QuickCheck, quick_check
from campaigns.services.ledger.fold import fold

# A record of a campaign of each brand.
SPEND = f"""
INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp)
SELECT id, id * {CAMPAIGNS_PER_BRAND}, %s, %s FROM campaigns_brand
"""
# Without daily budgets, which half of the brands have reached, no campaign is paused before.
PREPARE = f"UPDATE campaigns_brand SET daily_budget = NULL, monthly_budget = {HIGH_BUDGET}"
# They spend 100 a day, at any hour.
PROFILES = f"""
INSERT INTO campaigns_brandpace (brand_id, day, days, volatility, {", ".join(WEEKDAYS)}, open_minutes, reached_days)
SELECT id, %s, 56, 0, {", ".join("100000000" for _ in WEEKDAYS)},
    '{"".join(f"{60 * hour:04}" for hour in range(25))}', 0
FROM campaigns_brand
"""
DUE_AGAIN = {"brandquiet": "looked_minute = NULL", "brandoutlook": "day = '2026-10-01'"}
FIVE_MINUTES = timedelta(minutes=5)
REACHED, NEARLY = HIGH_BUDGET, HIGH_BUDGET * 9 // 10


def measure(bench: Bench) -> list[Figure]:
    world = World(bench.sizes.alerting_brands, 2)
    brands, runs = f"{world.brands:,} brands", bench.sizes.runs
    with bench.inside(world):
        execute(PREPARE)
        fold()
        check_at(world.noon)
        one = [cross(world, REACHED, alerts=1, changes=world.campaigns, before=NEARLY) for _ in range(1 + runs)][1:]
        both = [cross(world, REACHED, alerts=2, changes=world.campaigns) for _ in range(1 + runs)][1:]
        running = [cross(world, NEARLY, alerts=1, changes=0) for _ in range(1 + runs)][1:]
        again = [1000 * look_again(world, NEARLY) for _ in range(1 + runs)][1:]
        make_silent_brands(world)
        hourly, daily = (looks(world, runs, name) for name in ("brandquiet", "brandoutlook"))
        nothing_new = [1000 * seconds(lambda: evaluate(None, now=world.noon + FIVE_MINUTES)) for _ in range(1 + runs)]
    return [
        compare(f"alerts of {brands} that reach 100 % after 80 %, to the check that pauses them", one, most=0.2),
        compare(f"alerts of {brands} that reach both at once, to the check that pauses them", both),
        compare(f"alerts of {brands} that reach 80 %, to the check in which nothing pauses", running),
        values(f"looking at {brands} whose alerts are open", again, "ms"),
        compare(f"the hourly look at {brands} of a silent account, to a full check", hourly),
        compare(f"the daily look at {daily_looks(world):,} of {brands}, to a full check", daily),
        values(f"evaluating all in the next full check, of {brands}, where no look is due", nothing_new[1:], "ms"),
    ]


def make_silent_brands(world: World) -> None:
    """Give each brand a profile of today, and a link to an account that has fallen silent."""
    execute("DELETE FROM campaigns_brandpace")
    execute(PROFILES, [world.today])
    until = world.noon - timedelta(hours=2)
    account = PlatformAccount.objects.create(source="meta_ads", external_id="1", reported_until=until)
    first = Campaign.objects.filter(pk__in=range(1, world.campaigns + 1, CAMPAIGNS_PER_BRAND)).values_list("pk")
    links = (CampaignLink(account=account, external_id=str(pk), campaign_id=pk) for (pk,) in first)
    CampaignLink.objects.bulk_create(links, batch_size=1_000)
    settle()


def looks(world: World, runs: int, table: str) -> list[tuple[float, float]]:
    """Return the seconds of a look at all brands of which it is due, beside those of a full check."""
    look_at = look_at_spend if table == "brandquiet" else look_at_days
    found = []
    for _ in range(1 + runs):
        # A look at brands that were looked at before: their rows are there.
        execute(f"UPDATE campaigns_{table} SET {DUE_AGAIN[table]}")
        settle()
        taken, looked_at = timed(lambda: look_at(Look(world.noon, None)))
        if looked_at != (world.brands if table == "brandquiet" else daily_looks(world)):
            raise AssertionError(f"{looked_at} brands were looked at")
        found.append((taken, seconds(lambda: check_at(world.noon))))
    return found[1:]


def daily_looks(world: World) -> int:
    """Return how many brands are in zones in which the hour of the daily look has come at noon."""
    hours = [world.noon.astimezone(ZoneInfo(zone)).hour for zone in ZONES]
    return sum(hours[number % len(ZONES)] >= FROM_HOUR for number in range(1, world.brands + 1))


def cross(world: World, amount: int, *, alerts: int, changes: int, before: int = 0) -> tuple[float, float]:
    """Let all brands spend an amount, a part of it before; return the seconds that alerts and the check took."""
    if before:
        execute(SPEND, [before, instant(world.noon)])
        evaluate(check(world).looked_at, now=world.noon)
    execute(SPEND, [amount - before, instant(world.noon)])
    settle()
    taken, done = timed(lambda: check(world))
    expect(changes, done.changed)
    evaluating, evaluated = timed(lambda: evaluate(done.looked_at, now=world.noon))
    if evaluated.fired != alerts * world.brands:
        raise AssertionError(f"{alerts * world.brands} alerts were to fire, and {evaluated.fired} have fired")
    undo(world, amount)
    return evaluating, taken


def undo(world: World, amount: int) -> None:
    execute(SPEND, [-amount, instant(world.noon)])
    check(world)
    execute("DELETE FROM campaigns_alert")
    settle()


def look_again(world: World, amount: int) -> float:
    execute(SPEND, [amount, instant(world.noon)])
    done = check(world)
    evaluate(done.looked_at, now=world.noon)
    settle()
    taken = seconds(lambda: evaluate(done.looked_at, now=world.noon))
    undo(world, amount)
    return taken


def check(world: World) -> QuickCheck:
    return quick_check("bench", clock=lambda: world.noon)
