"""The data: brands in 20 time zones with campaigns, windows, totals, spend and history, all made by SQL.

At noon in UTC it is the same local day in all the zones. On `today` the brands with even ids have reached their daily
budgets; a day later nobody has. So half of all campaigns change from one noon to the other, and back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from benchmarks.sizes import CAMPAIGNS_OF_A_BRAND
from campaigns.database.connection import execute, is_postgresql
from campaigns.database.dialects import rows_param, rows_sql
from campaigns.models.periods import LAST_PERIOD
from campaigns.rules.money import MICROS
from campaigns.rules.periods import ONE_DAY, first_of_month
from campaigns.services.jobs.full_check import full_check

TODAY = date(2026, 10, 30)
"""Of worlds that don't need the real one: a day near the end of a month, so that a month of totals lies before it."""
ZONES = (
    "America/Los_Angeles",
    "America/Denver",
    "America/Chicago",
    "America/New_York",
    "America/Halifax",
    "America/Sao_Paulo",
    "Atlantic/Azores",
    "UTC",
    "Europe/London",
    "Europe/Lisbon",
    "Europe/Berlin",
    "Europe/Paris",
    "Europe/Athens",
    "Africa/Cairo",
    "Africa/Johannesburg",
    "Europe/Moscow",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Shanghai",
    "Asia/Tokyo",
)
SPEND_OF_A_DAY = 10
"""Of each campaign; ten of them pass the lower of the two daily budgets."""
REACHED, FAR = 50, 1_000_000

NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s)"

MAKE_BRANDS = f"""
INSERT INTO campaigns_brand (id, name, enabled, currency, timezone, daily_budget, monthly_budget, created_at)
{NUMBERS}, zone AS ({{zones}})
SELECT n, 'Brand ' || {{n}}, {{on}}, 'EUR', zone.name, CASE WHEN n %% 2 = 0 THEN {REACHED} ELSE {FAR} END,
    {100 * FAR}, %s
FROM numbers JOIN zone ON zone.number = n %% {len(ZONES)}
"""
MAKE_CAMPAIGNS = f"""
INSERT INTO campaigns_campaign (id, brand_id, name, enabled, daily_spend_limit, created_at)
{NUMBERS}
SELECT n, (n - 1) / {CAMPAIGNS_OF_A_BRAND} + 1, 'Campaign ' || {{n}}, {{on}}, {FAR}, %s FROM numbers
"""
# Two windows for every second campaign. All days are alike, so that the two noons differ in spend only.
MAKE_WINDOWS = f"""
INSERT INTO campaigns_daypartingschedule (campaign_id, days_of_week, start_time, end_time)
{NUMBERS}
SELECT 2 * ((n + 1) / 2), 127, {{start}}, {{until}} FROM numbers
"""
MAKE_CAMPAIGN_DAYS = f"""
INSERT INTO campaigns_campaignday (campaign_id, day, spend)
SELECT id, %s, {SPEND_OF_A_DAY * MICROS} FROM campaigns_campaign
"""
MAKE_PERIODS = f"""
INSERT INTO campaigns_brandperiod (brand_id, kind, starts_on, spend, closed_at, spend_at_close, budget_at_close)
SELECT id, %s, %s, {CAMPAIGNS_OF_A_BRAND * SPEND_OF_A_DAY * MICROS} * CAST(%s AS bigint), %s, {{closed}}, {{budget}}
FROM campaigns_brand
"""
AT_CLOSE = {
    "closed": f"{CAMPAIGNS_OF_A_BRAND * SPEND_OF_A_DAY * MICROS}",
    "budget": f"CASE WHEN id %% 2 = 0 THEN {REACHED * MICROS} ELSE {FAR * MICROS} END",
}
CLOSED_BEFORE = """
UPDATE campaigns_accountingtimezone SET opened = %s, closed_before = %s WHERE kind = %s AND until = %s
"""
MAKE_SPEND = """
INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp, recorded_at)
SELECT brand_id, id, %s, %s, %s FROM campaigns_campaign
"""
MAKE_HISTORY = f"""
INSERT INTO campaigns_statuschange (campaign_id, at, recorded_at, reasons_before, reasons_after, actor, campaign_spend,
    brand_day_spend, brand_month_spend)
SELECT id, %s, %s, 0, 64, 'check_budgets', {SPEND_OF_A_DAY * MICROS}, 0, 0 FROM campaigns_campaign
"""


@dataclass(frozen=True)
class World:
    """What a database is filled with; the last of `days` is `today`."""

    brands: int
    days: int = 30
    records_a_day: int = 0
    """Spend records of each campaign and day. The totals are the same with and without records."""
    history: bool = False
    """Whether each campaign has a line for each day."""
    today: date = TODAY

    @property
    def label(self) -> str:
        """The name of its database."""
        return f"{self.brands}_{self.days}_{self.records_a_day}_{self.today:%Y%m%d}"

    @property
    def campaigns(self) -> int:
        return self.brands * CAMPAIGNS_OF_A_BRAND

    @property
    def noon(self) -> datetime:
        """Half of the campaigns have reached their brand's daily budget."""
        return datetime.combine(self.today, time(12), tzinfo=UTC)

    @property
    def next_noon(self) -> datetime:
        """Nothing has been spent yet."""
        return self.noon + ONE_DAY

    def all_days(self) -> Iterator[date]:
        for number in reversed(range(self.days)):
            yield self.today - timedelta(days=number)


def make_world(world: World) -> None:
    """Fill the empty default database, and check it once at noon."""
    _make_campaigns(world)
    with _no_triggers():
        _make_totals(world)
        for day in world.all_days():
            _make_records(world, day)
    _start_numbering_after(world)
    settle()
    full_check("bench", clock=lambda: world.noon)
    settle()


def _make_campaigns(world: World) -> None:
    created = instant(datetime.combine(world.today - timedelta(days=world.days - 1), time(0), tzinfo=UTC))
    zone_columns = {"number": "integer", "name": "text"}
    texts = {"n": "CAST(n AS text)", "on": "true" if is_postgresql() else "1"}
    execute(
        MAKE_BRANDS.format(zones=rows_sql(zone_columns), **texts),
        [world.brands, rows_param(zone_columns, enumerate(ZONES)), created],
    )
    execute(MAKE_CAMPAIGNS.format(**texts), [world.campaigns, created])
    hours = {"start": _clock_time("7 * (n / 3) + 8 * (n %% 2)"), "until": _clock_time("7 * (n / 3) + 8 * (n %% 2) + 6")}
    execute(MAKE_WINDOWS.format(**hours), [world.campaigns])


def _clock_time(hour: str) -> str:
    if is_postgresql():
        return f"make_time(({hour}) %% 24, 0, 0)"
    return f"printf('%%02d:00:00', ({hour}) %% 24)"


def _make_totals(world: World) -> None:
    """Every campaign and brand spends the same each day; all periods but the current ones are closed."""
    days_of_month: dict[date, int] = {}
    for day in world.all_days():
        execute(MAKE_CAMPAIGN_DAYS, [day.isoformat()])
        _make_period(world, "day", day, 1, is_open=day == world.today)
        month = first_of_month(day)
        days_of_month[month] = days_of_month.get(month, 0) + 1
    for month, count in days_of_month.items():
        _make_period(world, "month", month, count, is_open=month == first_of_month(world.today))
    first, last = next(world.all_days()), world.today
    for kind, opened, current in (("day", first, last), ("month", first_of_month(first), first_of_month(last))):
        execute(CLOSED_BEFORE, [opened.isoformat(), current.isoformat(), kind, LAST_PERIOD.isoformat()])


def _make_period(world: World, kind: str, starts_on: date, days: int, *, is_open: bool) -> None:
    at_close = {"closed": "NULL", "budget": "NULL"} if is_open else AT_CLOSE
    closed_at = None if is_open else instant(world.noon)
    execute(MAKE_PERIODS.format(**at_close), [kind, starts_on.isoformat(), days, closed_at])


def _make_records(world: World, day: date) -> None:
    noon = datetime.combine(day, time(12), tzinfo=UTC)
    for number in range(world.records_a_day):
        at = instant(noon + timedelta(minutes=number))
        execute(MAKE_SPEND, [str(Decimal(SPEND_OF_A_DAY) / world.records_a_day), at, at])
    if world.history:
        execute(MAKE_HISTORY, [instant(noon)] * 2)


@contextmanager
def _no_triggers() -> Iterator[None]:
    """Let totals and records be written as they are: on PostgreSQL no trigger fires, nor any check of a foreign key."""
    if is_postgresql():
        execute("SET session_replication_role = replica")
    try:
        yield
    finally:
        if is_postgresql():
            execute("RESET session_replication_role")
        else:
            execute("DELETE FROM campaigns_pendingspend")


def _start_numbering_after(world: World) -> None:
    """Rows that others add come after those whose ids we have given."""
    if is_postgresql():
        for table, count in (("brand", world.brands), ("campaign", world.campaigns)):
            execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [f"campaigns_{table}", count])


def instant(at: datetime) -> Any:
    """Return an instant as a parameter."""
    return connection.ops.adapt_datetimefield_value(at)


def settle(tables: Sequence[str] = ()) -> None:
    """Let what is measured next meet clean tables, fresh statistics and nothing that still has to be written."""
    if is_postgresql():
        execute(f"VACUUM (ANALYZE) {', '.join(tables)}")
        execute("CHECKPOINT")
    else:
        execute("ANALYZE")
        execute("PRAGMA wal_checkpoint(TRUNCATE)")
