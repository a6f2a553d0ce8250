"""Alerts that are looked at once a local day: where a month leads, and a day unlike its weekdays.

The look stores what it found, a few thousand brands in each full check. What holds follows from that and from budgets
as they are now, so a raised budget ends an alert with the next check.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from campaigns.database.connection import as_date, execute, fetch_all
from campaigns.database.dialects import (
    day_before,
    day_text,
    days_between,
    micros_sql,
    month_text,
)
from campaigns.database.statements import statement
from campaigns.models.clocks import Clocks
from campaigns.models.pace_queries import CALENDAR
from campaigns.rules.currencies import DECIMALS, USUAL_DECIMALS
from campaigns.rules.money import MICROS, format_money, from_micros, round_estimate
from campaigns.rules.pace import DAYS_FOR_WEEKDAYS, VOLATILITY_NAMES
from campaigns.services.alerts.differences import Found, Query, Said
from campaigns.services.alerts.look import OF_RULE, Look

PROJECTED_OVER, PROJECTED_UNDER, UNLIKE_DAY = "projected_over", "projected_under", "unlike_day"

# From this day of the month on, projections are looked at.
FIRST_DAY = 5
# In the brand's time zone: what platforms report late has mostly come, and people read it in the morning.
FROM_HOUR = 8
# Brands of one full check.
MOST_BRANDS = 20_000
# A day is unlike its weekdays from so many of the smallest units on: 20 EUR, 2,000 JPY.
LEAST_UNITS = 2_000


def look_at_days(look: Look, *, most: int = MOST_BRANDS) -> int:
    """Store what holds of brands whose daily look is due; return how many these are."""
    clocks = Clocks(look.zones, look.now, CALENDAR)
    sql = statement("alerts/days_due", clocks=clocks.sql, from_hour=str(FROM_HOUR))
    due = [pk for (pk,) in fetch_all(sql, {"clocks": clocks.params["clocks"], "most": most})]
    if not due:
        return 0
    insert = statement(
        "alerts/look_at_days",
        first_day=str(FIRST_DAY),
        days_for_weekdays=str(DAYS_FOR_WEEKDAYS),
        yesterday=day_before("paced.today"),
        days_since=days_between("excluded.day", "campaigns_brandoutlook.day"),
    )
    tables, params = look.paced(due)
    return execute(tables + insert, params)


def _held(look: Look) -> tuple[str, dict[str, Any]]:
    clocks = Clocks(look.zones, look.now)
    yesterday = day_before("outlook.day")
    sql = statement(
        "alerts/days",
        clocks=clocks.sql,
        over=PROJECTED_OVER,
        under=PROJECTED_UNDER,
        unlike=UNLIKE_DAY,
        month=month_text("outlook.day"),
        budget=micros_sql("brand.monthly_budget"),
        yesterday=yesterday,
        yesterday_text=day_text(yesterday),
        days_since=days_between("clock.today", "outlook.day"),
        volatile=str(len(VOLATILITY_NAMES) - 1),
        least=_least(),
        of_rule=OF_RULE,
    )
    return sql, {"clocks": clocks.params["clocks"]}


def _least() -> str:
    """Return LEAST_UNITS of a brand's currency in millionths, in SQL."""
    others = {code: decimals for code, decimals in DECIMALS.items() if decimals != USUAL_DECIMALS}
    cases = " ".join(f"WHEN '{code}' THEN {_units(decimals)}" for code, decimals in sorted(others.items()))
    return f"CASE brand.currency {cases} ELSE {_units(USUAL_DECIMALS)} END"


def _units(decimals: int) -> int:
    return int(LEAST_UNITS * MICROS // 10**decimals)


def _say(found: Found, row: Mapping[str, Any]) -> Said:
    return _say_day(row) if row["kind"] == UNLIKE_DAY else _say_projection(row)


def _say_projection(row: Mapping[str, Any]) -> Said:
    currency, is_over = row["currency"], row["kind"] == PROJECTED_OVER
    projected, budget = _estimate(row["amount"], currency), from_micros(row["compared"])
    off = format_money(abs(projected - budget), currency)
    percent = abs(row["amount"] - row["compared"]) * 100 // row["compared"]
    return Said(
        f"{row['brand']} is projected to spend {format_money(projected, currency)} this month: {off} ({percent} %)"
        f" {'more' if is_over else 'less'} than its budget of {format_money(budget, currency)}",
        f"It has been so since {as_date(row['day'])}. "
        + (
            "At this pace the budget is used up before the month ends, and all campaigns pause then."
            if is_over
            else "At this pace a part of the budget is left at the end of the month: look at limits and schedules."
        ),
        {"projected": str(projected), "budget": str(budget), "percent": percent, "currency": currency},
    )


def _say_day(row: Mapping[str, Any]) -> Said:
    currency, day = row["currency"], as_date(row["day"])
    spent, usual = from_micros(row["amount"]), _estimate(row["compared"], currency)
    percent = abs(row["amount"] - row["compared"]) * 100 // row["compared"]
    more = "more" if spent > usual else "less"
    return Said(
        f"{row['brand']} spent {format_money(spent, currency)} on {day:%A}, {day}: {percent} % {more} than the usual"
        f" {format_money(usual, currency)}",
        f"That is {format_money(abs(spent - usual), currency)} {more} than on other {day:%A}s. Look at campaigns that"
        " were changed, and at accounts that have reported late.",
        {"spend": str(spent), "usual": str(usual), "percent": percent, "currency": currency},
    )


def _estimate(micros: int, currency: str) -> Decimal:
    return round_estimate(from_micros(micros), currency)


DAYS = Query(
    (PROJECTED_OVER, PROJECTED_UNDER, UNLIKE_DAY),
    _held,
    ("kind", "brand", "currency", "amount", "compared", "day"),
    _say,
    prepare=look_at_days,
)
