"""Refreshes the stored profiles of brands, each once a local day, after its periods are closed."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from time import monotonic

from django.db import DatabaseError, connection, transaction

from campaigns.database.connection import fetch_all, is_lock_timeout, yield_to_waiting_writers
from campaigns.database.dialects import rows_param, rows_sql
from campaigns.models import Brand, BrandPace
from campaigns.models.pace import WEEKDAYS
from campaigns.rules import pace
from campaigns.rules.money import from_micros
from campaigns.rules.open_hours import Windows, open_minutes
from campaigns.rules.pace import Profile, Range, days_from, days_left_class
from campaigns.rules.periods import ONE_DAY, LocalClock, local_clocks, next_month
from campaigns.services.ledger.locks import limit_job_waits
from campaigns.services.pace.history import History, read_histories, read_windows
from campaigns.services.pace.ranges import known_ranges, learn_errors

# A check begins no further batch after these seconds; later checks do the others. So 100,000 brands in one time zone
# take an hour and a half, and a check, every five minutes, less than a hundredth of its time. Nothing waits for it:
# campaigns are decided on, and periods closed, before.
SECONDS = 2.0
# Of these each check refreshes as many as are due, however slow the database is.
SURE_BRANDS = 1_000
# No more are looked up.
MOST_BRANDS = 20_000
BATCH_BRANDS = 500

COLUMNS = (
    *("day", "first_day", "days", "volatility", *WEEKDAYS),
    *("open_minutes", "range_low", "range_high", "reached_days"),
)
CLOCK_COLUMNS = {"zone": "text", "today": "date"}

DUE = """
WITH clock AS MATERIALIZED ({clocks})
SELECT brand.id, brand.timezone FROM campaigns_brand AS brand
JOIN clock ON clock.zone = brand.timezone
LEFT JOIN campaigns_brandpace AS profile ON profile.brand_id = brand.id
WHERE profile.day IS NULL OR profile.day <> clock.today
ORDER BY brand.id
LIMIT %(most)s
"""

Ranges = dict[tuple[int, int], Range]


def refresh_pace(*, now: datetime, most: int = MOST_BRANDS, sure: int = SURE_BRANDS, seconds: float = SECONDS) -> int:
    """Refresh the profiles of brands whose local day is new, or of which there is none; return their number.

    Each batch is a short transaction. Where somebody holds its rows, it's left to the next check.
    """
    zones = Brand.objects.order_by().values_list("timezone", flat=True).distinct()
    clocks = {clock.zone: clock for clock in local_clocks(zones, now)}
    due = _due(clocks, most)
    if not due:
        return 0
    ranges = known_ranges()
    refreshed = tried = 0
    until = monotonic() + seconds
    for zone, brands in _batches(due):
        if tried >= sure and monotonic() >= until:
            break
        tried += len(brands)
        refreshed += _refresh(clocks[zone], brands, ranges)
    learn_errors(now=now)
    return refreshed


def _due(clocks: dict[str, LocalClock], most: int) -> list[tuple[int, str]]:
    rows = rows_param(CLOCK_COLUMNS, [(clock.zone, clock.today) for clock in clocks.values()])
    sql = DUE.format(clocks=rows_sql(CLOCK_COLUMNS, "%(clocks)s"))
    return [(pk, zone) for pk, zone in fetch_all(sql, {"clocks": rows, "most": most})]


def _batches(due: list[tuple[int, str]]) -> list[tuple[str, list[int]]]:
    by_zone: defaultdict[str, list[int]] = defaultdict(list)
    for pk, zone in due:
        by_zone[zone].append(pk)
    return [
        (zone, pks[start : start + BATCH_BRANDS])
        for zone, pks in by_zone.items()
        for start in range(0, len(pks), BATCH_BRANDS)
    ]


def _refresh(clock: LocalClock, brands: list[int], ranges: Ranges) -> int:
    histories = read_histories(brands, first=clock.today, until=clock.today)
    windows = read_windows(brands, clock.today)
    rows = [
        profile_row(pk, clock.today, history, windows.get(pk, frozenset()), ranges)
        for pk, history in sorted(histories.items())
    ]
    yield_to_waiting_writers()
    try:
        with transaction.atomic():
            limit_job_waits()
            BrandPace.objects.bulk_create(
                rows, update_conflicts=True, unique_fields=["brand"], update_fields=list(COLUMNS)
            )
    except DatabaseError as error:
        if connection.in_atomic_block or not is_lock_timeout(error):
            raise
        return 0
    return len(rows)


def profile_row(brand: int, today: date, history: History, windows: Windows, ranges: Ranges) -> BrandPace:
    """Return what is stored of a brand for a local day; nothing is expected of weekdays without open hours."""
    first = pace.first_day(history.spend, today)
    profile = fit_history(history, today, today)
    opened = [open_minutes(windows, weekday) for weekday in range(7)]
    found = profile or Profile((0,) * 7, 0, len(pace.VOLATILITIES))
    days_left = (next_month(today) - today).days - 1
    has_range = found.days >= pace.DAYS_FOR_WEEKDAYS
    low, high = ranges[found.volatility, days_left_class(days_left)] if has_range else (None, None)
    return BrandPace(
        brand_id=brand,
        day=today,
        first_day=first,
        days=found.days,
        volatility=found.volatility,
        open_minutes="".join(f"{minutes:04}" for minutes in opened[today.weekday()]),
        range_low=low,
        range_high=high,
        reached_days=len({*days_from(today - pace.REACHED_DAYS * ONE_DAY, today)} & history.reached_days),
        **{
            name: from_micros(amount if minutes[-1] else 0)
            for name, amount, minutes in zip(WEEKDAYS, found.weekdays, opened, strict=True)
        },
    )


def fit_history(history: History, today: date, known_until: date) -> Profile | None:
    """Return the profile that a history gives on a day; known_until is the day up to which budgets are known."""
    first = pace.first_day(history.spend, today)
    if first is None:
        return None
    days = days_from(max(first, today - timedelta(days=pace.HISTORY_DAYS)), today)
    off = pace.off_days(days, history.spend, history.monthly_budgets(known_until))
    return pace.fit([day for day in days if day not in off], history.spend, today)
