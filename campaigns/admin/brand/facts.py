"""The facts about a brand's month: its pace, its budget, its projection, and what would use the full budget."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from campaigns.admin.shared.display import around
from campaigns.rules.money import format_amount, format_money, format_spend, format_spend_money
from campaigns.rules.pace import DAYS_FOR_PROJECTION, DAYS_FOR_WEEKDAYS, Verdict
from campaigns.services.insight.brand_month import BrandMonth
from campaigns.services.insight.month_pace import MonthPace

# A name, a figure, and what the figure means.
Fact = tuple[str, str, str]

# The range of fewer projections is too uncertain itself to name a share.
FEWEST_PROJECTIONS = 100


def month_facts(brand: Any, month: BrandMonth) -> list[Fact]:
    """Return the facts about the month; the brand comes with the figures of BrandAdmin."""
    paused = "" if brand.enabled else "the brand is paused"
    facts = [_pace(month), *_budget(month, paused)]
    if month.pace and not month.month.is_reached:
        facts += _projected(brand, month, month.pace)
    return [*facts, *_to_use_budget(brand, month)]


def _pace(month: BrandMonth) -> Fact:
    elapsed = f"{int(month.month.span.fraction * 100)} % of the month elapsed"
    if not month.month.budget:
        budget = "no budget set" if month.month.budget is None else "the budget is 0"
        return "Pace", "–", f"{budget}; {elapsed}"
    if month.pace is None:
        return "Pace", "–", f"too early to project: it takes {DAYS_FOR_PROJECTION} days with spend; {elapsed}"
    index = "–" if month.pace.index is None else f"{month.pace.index:.2f}"
    return "Pace", index, f"1.00 = on pace; {elapsed}"


def _budget(month: BrandMonth, paused: str) -> Iterator[Fact]:
    if month.month.budget is None:
        return
    if month.month.is_reached:
        yield "Budget", "reached", "the budget is 0" if month.month.budget == 0 else "all campaigns are paused"
    elif paused:
        yield "Budget", "not reached", paused
    elif month.pace is None:
        yield "Budget", "too early to project", ""
    elif month.runs_out_on is None:
        figure = "under-pacing" if month.pace.verdict == Verdict.UNDER else "on track"
        yield "Budget", figure, "won’t be reached this month"
    else:
        when = around(month.runs_out_on, month.today)
        on_track = month.pace.verdict == Verdict.ON_PACE
        figure, meaning = ("on track", f"used up {when}") if on_track else (f"runs out {when}", "")
        yield "Budget", figure, meaning or "at the current pace"


def _projected(brand: Any, month: BrandMonth, pace: MonthPace) -> Iterator[Fact]:
    projected = format_money(_rounded(pace.projected, month), brand.currency)
    if pace.projected == month.month.spend:
        yield "Projected month-end spend", projected, "nothing more is expected this month"
    elif pace.low is None or pace.high is None:
        yield "Projected month-end spend", projected, f"no range with less than {DAYS_FOR_WEEKDAYS} days of history"
    else:
        low = format_amount(_rounded(pace.low, month), brand.currency)
        high = format_money(_rounded(pace.high, month), brand.currency)
        likely = f"80 % likely between {low} and {high}, if nothing pauses"
        yield "Projected month-end spend", projected, f"{likely}. {_reliability(month)}"


def _reliability(month: BrandMonth) -> str:
    found = month.reliability
    if found.projections < FEWEST_PROJECTIONS:
        return "Too few closed months yet to say how often such ranges are right."
    return f"In closed months, {found.percent} % of {found.projections:,} such ranges were right."


def _to_use_budget(brand: Any, month: BrandMonth) -> Iterator[Fact]:
    full = month.full_budget
    if full is None:
        return
    if full.at_most is not None:
        amounts = (full.needed, full.at_most, full.left)
        needed, at_most, left = (format_spend(amount, brand.currency) for amount in amounts)
        limited = f"the daily budget allows at most {at_most} of the {left} left; it would take {needed} per day"
        yield "To use the full budget", "not possible", limited
    elif month.days_left < 1:
        yield "To use the full budget", format_spend_money(full.left, brand.currency), "today"
    else:
        left = f"{month.days_left.quantize(Decimal('0.1'))} days left"
        so_far = _average_so_far(month)
        compared = f"; average so far {format_amount(so_far, brand.currency)} per day" if so_far is not None else ""
        yield "To use the full budget", f"{format_money(full.daily, brand.currency)} per day", f"{left}{compared}"


def _average_so_far(month: BrandMonth) -> Decimal | None:
    if not month.finished:
        return None
    finished = sum((spend for _, spend in month.finished), Decimal(0))
    return (finished / len(month.finished)).quantize(month.unit)


def _rounded(amount: Decimal, month: BrandMonth) -> Decimal:
    return amount.quantize(month.unit, ROUND_HALF_EVEN)
