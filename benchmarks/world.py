"""The data: brands in 20 time zones with campaigns, windows, totals, spend and history, all made by SQL.

At noon in UTC it is the same local day in all the zones. On `today` the brands with even ids have reached their daily
budgets; a day later no brand has. So half of all campaigns change from one noon to the other, and back.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db import connection

from campaigns.database.connection import execute, is_postgresql
from campaigns.rules.money import MICROS
from campaigns.rules.periods import ONE_DAY, first_of_month
from campaigns.services.jobs.full_check import full_check

# Near the end of a month, so that a month of totals lies before it.
TODAY = date(2026, 10, 30)
ZONES = (
    *("America/Los_Angeles", "America/Denver", "America/Chicago", "America/New_York", "America/Halifax"),
    *("America/Sao_Paulo", "Atlantic/Azores", "UTC", "Europe/London", "Europe/Lisbon", "Europe/Berlin", "Europe/Paris"),
    *("Europe/Athens", "Africa/Cairo", "Africa/Johannesburg", "Europe/Moscow", "Asia/Dubai", "Asia/Kolkata"),
    *("Asia/Shanghai", "Asia/Tokyo"),
)
CAMPAIGNS_PER_BRAND = 10
# Of each campaign; ten of them pass the lower of the two daily budgets.
SPEND_PER_DAY = 10
LOW_BUDGET, HIGH_BUDGET = 50, 1_000_000

NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s)"

MAKE_BRANDS = f"""
INSERT INTO campaigns_brand (id, name, enabled, currency, timezone, daily_budget, monthly_budget, created_at)
{NUMBERS}, zone(number, name) AS (VALUES {", ".join(f"({number}, '{name}')" for number, name in enumerate(ZONES))})
SELECT n, 'Brand ' || {{n}}, {{on}}, 'EUR', zone.name, CASE WHEN n %% 2 = 0 THEN {LOW_BUDGET} ELSE {HIGH_BUDGET} END,
    {100 * HIGH_BUDGET}, %s
FROM numbers JOIN zone ON zone.number = n %% {len(ZONES)}
"""
MAKE_CAMPAIGNS = f"""
INSERT INTO campaigns_campaign (id, brand_id, name, enabled, daily_spend_limit, created_at)
{NUMBERS}
SELECT n, (n - 1) / {CAMPAIGNS_PER_BRAND} + 1, 'Campaign ' || {{n}}, {{on}}, {HIGH_BUDGET}, %s FROM numbers
"""
# Two windows for every second campaign. All days are alike, so that the two noons differ in spend only.
MAKE_WINDOWS = f"""
INSERT INTO campaigns_daypartingschedule (campaign_id, days_of_week, start_time, end_time)
{NUMBERS}
SELECT 2 * ((n + 1) / 2), 127, {{start}}, {{until}} FROM numbers
"""
MAKE_CAMPAIGN_DAYS = f"""
INSERT INTO campaigns_campaignday (campaign_id, day, spend)
SELECT id, %s, {SPEND_PER_DAY * MICROS} FROM campaigns_campaign
"""
MAKE_PERIODS = f"""
INSERT INTO campaigns_brandperiod (brand_id, kind, starts_on, spend, closed_at, spend_at_close, budget_at_close)
SELECT id, %s, %s, {CAMPAIGNS_PER_BRAND * SPEND_PER_DAY * MICROS} * CAST(%s AS bigint), %s, {{at_close}}
FROM campaigns_brand
"""
BUDGET_AT_CLOSE = f"CASE id %% 2 WHEN 0 THEN {LOW_BUDGET * MICROS} ELSE {HIGH_BUDGET * MICROS} END"
AT_CLOSE = f"{CAMPAIGNS_PER_BRAND * SPEND_PER_DAY * MICROS}, {BUDGET_AT_CLOSE}"
MAKE_SPEND = """
INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp, recorded_at)
SELECT brand_id, id, %s, %s, %s FROM campaigns_campaign
"""
MAKE_HISTORY = f"""
INSERT INTO campaigns_statuschange (campaign_id, at, recorded_at, reasons_before, reasons_after, actor, campaign_spend,
    brand_day_spend, brand_month_spend)
SELECT id, %s, %s, 0, 64, 'check_budgets', {SPEND_PER_DAY * MICROS}, 0, 0 FROM campaigns_campaign
"""


@dataclass(frozen=True)
class World:
    """The contents of a database; the last of `days` is `today`.

    The totals are the same with and without spend records. With records, each campaign has a status change a day.
    """

    brands: int
    days: int
    records_per_day: int = 0
    today: date = TODAY

    @property
    def campaigns(self) -> int:
        return self.brands * CAMPAIGNS_PER_BRAND

    @property
    def noon(self) -> datetime:
        """Half of the campaigns have reached their brand's daily budget."""
        return datetime.combine(self.today, time(12), tzinfo=UTC)

    @property
    def next_noon(self) -> datetime:
        """No brand has spend yet."""
        return self.noon + ONE_DAY

    def all_days(self) -> list[date]:
        return [self.today - timedelta(days=number) for number in reversed(range(self.days))]


def make_world(world: World) -> None:
    """Fill the empty default database, and check it once at noon."""
    _make_campaigns(world)
    if is_postgresql():  # neither triggers nor foreign keys cost anything
        execute("SET session_replication_role = replica")
    _make_totals(world)
    for day in world.all_days():
        _make_records(world, day)
    if is_postgresql():
        execute("RESET session_replication_role")
        for table, count in (("brand", world.brands), ("campaign", world.campaigns)):
            execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [f"campaigns_{table}", count])
    else:
        execute("DELETE FROM campaigns_pendingspend")
    settle()
    full_check("bench", clock=lambda: world.noon)
    settle()


def _make_campaigns(world: World) -> None:
    created = instant(datetime.combine(world.all_days()[0], time(0), tzinfo=UTC))
    texts = {"n": "CAST(n AS text)", "on": "true" if is_postgresql() else "1"}
    execute(MAKE_BRANDS.format(**texts), [world.brands, created])
    execute(MAKE_CAMPAIGNS.format(**texts), [world.campaigns, created])
    hours = {"start": _clock_time("7 * (n / 3) + 8 * (n %% 2)"), "until": _clock_time("7 * (n / 3) + 8 * (n %% 2) + 6")}
    execute(MAKE_WINDOWS.format(**hours), [world.campaigns])


def _clock_time(hour: str) -> str:
    if is_postgresql():
        return f"make_time(({hour}) %% 24, 0, 0)"
    return f"printf('%%02d:00:00', ({hour}) %% 24)"


def _make_totals(world: World) -> None:
    """Every campaign and brand spends the same each day; all periods but the current ones are closed."""
    for day in world.all_days():
        execute(MAKE_CAMPAIGN_DAYS, [day.isoformat()])
        _make_period(world, "day", day, 1, is_open=day == world.today)
    this_month = first_of_month(world.today)
    for month, count in Counter(map(first_of_month, world.all_days())).items():
        _make_period(world, "month", month, count, is_open=month == this_month)
    first = world.all_days()[0]
    for kind, opened, current in (("day", first, world.today), ("month", first_of_month(first), this_month)):
        sql = f"UPDATE {accounting_table()} SET opened = %s, closed_before = %s WHERE kind = %s"
        execute(sql, [opened.isoformat(), current.isoformat(), kind])


def accounting_table() -> str:
    """Return the table of accounting time zones; `compare` measures commits in which it has another name."""
    models = apps.get_app_config("campaigns").get_models()
    return next(m._meta.db_table for m in models if any(f.name == "closed_before" for f in m._meta.get_fields()))


def _make_period(world: World, kind: str, starts_on: date, days: int, *, is_open: bool) -> None:
    sql = MAKE_PERIODS.format(at_close="NULL, NULL" if is_open else AT_CLOSE)
    execute(sql, [kind, starts_on.isoformat(), days, None if is_open else instant(world.noon)])


def _make_records(world: World, day: date) -> None:
    noon = datetime.combine(day, time(12), tzinfo=UTC)
    for number in range(world.records_per_day):
        at = instant(noon + timedelta(minutes=number))
        execute(MAKE_SPEND, [str(Decimal(SPEND_PER_DAY) / world.records_per_day), at, at])
    if world.records_per_day:
        execute(MAKE_HISTORY, [instant(noon)] * 2)


def instant(at: datetime) -> Any:
    """Return an instant as a parameter."""
    return connection.ops.adapt_datetimefield_value(at)


def settle(*tables: str) -> None:
    """Vacuum and analyze the tables, or all, and write what is dirty, so that the next measurement starts clean."""
    if is_postgresql():
        execute(f"VACUUM (ANALYZE) {', '.join(tables)}")
        execute("CHECKPOINT")
    else:
        execute("ANALYZE")
        execute("PRAGMA wal_checkpoint(TRUNCATE)")


def empty_ledger() -> None:
    """Delete all records and pending rows; the totals stay."""
    execute("SET session_replication_role = replica")
    execute("TRUNCATE campaigns_spendrecord, campaigns_pendingspend")
    execute("RESET session_replication_role")
    settle("campaigns_spendrecord", "campaigns_pendingspend")
