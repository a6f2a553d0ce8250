"""The calendar: which day and month spend is booked in; and money that is exact."""

from __future__ import annotations

from campaigns.tests.torture.guards.guard import BOTH, SQLITE, Guard

BOOKING = "campaigns/services/ledger/booking.py"
PERIODS = "campaigns/rules/periods.py"
MONEY = "campaigns/rules/money.py"

REBOOKING = "test_change_time_zone test_lost_time_zones"


def _calendar(
    name: str, file: str, before: str, after: str, tests: str, databases: str = BOTH, *, short: bool = False
) -> Guard:
    return Guard(name, file, before, after, tests, databases, short)


GUARDS = (
    _calendar(
        "a booking begins with its first period",
        BOOKING,
        "segment.starts_on >= placed.first AND ",
        "",
        f"{REBOOKING} test_verify",
    ),
    _calendar(
        "a booking ends before its last",
        BOOKING,
        "segment.starts_on < placed.until",
        "segment.starts_on <= placed.until",
        f"{REBOOKING} test_verify",
    ),
    _calendar(
        "a day begins with its first quarter",
        BOOKING,
        "placed.quarter >= segment.quarter_from",
        "placed.quarter > segment.quarter_from",
        "test_folding",
    ),
    _calendar(
        "a day ends before the next",
        BOOKING,
        "placed.quarter < segment.quarter_until",
        "placed.quarter <= segment.quarter_until",
        "test_folding",
    ),
    _calendar("a quarter of an hour", PERIODS, "QUARTER_SECONDS = 900", "QUARTER_SECONDS = 901", "test_periods"),
    _calendar(
        "a day begins at the zone's midnight",
        PERIODS,
        "datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)",
        "datetime.combine(day, time.min, tzinfo=UTC)",
        "test_periods test_rule_04_new_period",
    ),
    _calendar(
        "a day that begins with a skipped hour",
        PERIODS,
        "datetime.combine(day, time.min, tzinfo=zone)",
        "datetime.combine(day, time.min, tzinfo=zone).replace(fold=1)",
        "test_periods",
    ),
    _calendar("a month of 31 days", PERIODS, "timedelta(days=32)", "timedelta(days=30)", "test_periods"),
    _calendar(
        "a zone that is known",
        PERIODS,
        "return ZoneInfo(name) if name in known_zones() else None",
        "return ZoneInfo(name)",
        "test_periods test_rule_06_bad_rows",
    ),
    _calendar(
        "the local time has no fraction",
        PERIODS,
        "wall.time().replace(microsecond=0)",
        "wall.time()",
        "test_periods test_rule_07_dayparting",
    ),
    _calendar(
        "millionths are rounded once",
        "campaigns/database/dialects.py",
        "CAST(ROUND({column} * 1000000) AS bigint)",
        "CAST({column} * 1000000 AS bigint)",
        "test_rule_12_exact_money test_verify",
        SQLITE,
    ),
    _calendar("nothing finer than a millionth", MONEY, "if micros.denominator != 1:", "if False:", "test_money"),
    _calendar("money is finite", MONEY, "if not Decimal(amount).is_finite():", "if False:", "test_money"),
)
