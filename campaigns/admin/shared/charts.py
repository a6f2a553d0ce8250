"""Charts of spend over time, as data for Chart.js. The floats are used for drawing only."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any

from campaigns.rules.currencies import decimals_of
from campaigns.rules.money import PLACES
from campaigns.services.insight.brand_month import BrandMonth
from campaigns.services.insight.month_pace import MonthPace

# Distinct on the light and the dark background, and by their dashes.
BLUE, GREY, RED, AMBER = "#3b82f6", "#7b8190", "#dc2626", "#d97706"
LIGHT_BLUE, LIGHT_AMBER = "rgba(59, 130, 246, 0.16)", "rgba(217, 119, 6, 0.20)"

OPTIONS: dict[str, Any] = {
    "animation": False,
    "responsive": True,
    "maintainAspectRatio": False,
    "interaction": {"mode": "index", "intersect": False},
    "plugins": {"legend": {"display": False}},
    "scales": {
        "x": {"grid": {"display": False}, "ticks": {"color": GREY, "maxTicksLimit": 11, "maxRotation": 0}},
        "y": {"beginAtZero": True, "grid": {"lineWidth": 0.5}, "ticks": {"color": GREY, "maxTicksLimit": 6}},
    },
}

Points = Sequence[Decimal | None]


def options(currency: str) -> str:
    """Return the options of a chart whose amounts have at least the decimals of the currency."""
    scales = copy.deepcopy(OPTIONS["scales"])
    scales["y"]["ticks"]["format"] = {"minimumFractionDigits": decimals_of(currency), "maximumFractionDigits": PLACES}
    return json.dumps(OPTIONS | {"scales": scales, "locale": "en"})


def month_options(currency: str, days: int) -> str:
    """Return the options of the month's chart, whose points have their place in time: now is between two midnights."""
    shown = json.loads(options(currency))
    shown["scales"]["x"] |= {
        "type": "linear",
        "min": 0,
        "max": days,
        "title": {"display": True, "text": "day of the month", "color": GREY},
    }
    shown["scales"]["x"]["ticks"] |= {"precision": 0, "format": {"maximumFractionDigits": 1}}
    return json.dumps(shown)


def month_chart(month: BrandMonth) -> str:
    """Return the month's spend so far, what was expected by each day, the budget, and the projection with its range.

    The points are the ends of the days and, for today, now. Their labels are their places on the axis, in days.
    """
    days = days_of_month(month)
    done = len(month.finished)
    now = round(done + float(month.day.span.fraction), 3)
    labels = [*range(done + 1), now, *range(done + 2, days + 1)]
    datasets = [chart_line("Spent", spent_so_far(month), BLUE, fill="origin", backgroundColor=LIGHT_BLUE)]
    if expected := expected_so_far(month):
        datasets.append(chart_line("Expected", expected, GREY, borderDash=[4, 4], borderWidth=1.5))
    if month.month.budget:
        datasets.append(chart_line("Monthly budget", [month.month.budget] * (days + 1), RED, borderWidth=1.5))
    # Of a paused brand nothing more is expected.
    if month.pace and not month.month.is_reached and month.pace.projected != month.month.spend:
        datasets += _projected(month, month.pace)
    return json.dumps({"labels": labels, "datasets": datasets})


def hours_chart(month: BrandMonth, labels: Sequence[str]) -> str:
    bars = {"label": "Spent", "data": _floats([hour.spend for hour in month.hours]), "backgroundColor": BLUE}
    return json.dumps({"labels": list(labels), "datasets": [bars]})


def spent_so_far(month: BrandMonth) -> list[Decimal]:
    """Return what was spent by the beginning of the month, the end of each finished day, and now.

    What arrived late for finished days, and is in no total yet, is in the last one only.
    """
    sums = [Decimal(0)]
    for _, spend in month.finished:
        sums.append(sums[-1] + spend)
    return [*sums, month.month.spend]


def expected_so_far(month: BrandMonth) -> list[Decimal]:
    """Return what of the monthly budget is expected to be spent at the same points, and on to the end of the month.

    Empty without a budget, and where it is too early to project.
    """
    budget = month.month.budget
    shares = list(month.pace.expected_shares()) if month.pace and budget else []
    return [Decimal(0), *(share * (budget or 0) for share in shares)] if shares else []


def _projected(month: BrandMonth, pace: MonthPace) -> list[dict[str, Any]]:
    """Return the lines from now to the end of the month; the range is as wide as the spend that is still expected."""
    spend = month.month.spend
    # Today's point is now, not its end.
    now, _, *later = pace.projections(spend)
    expected = [now, *later]
    before: list[Decimal | None] = [None] * (len(month.finished) + 1)
    lines = [chart_line("Projection", [*before, *expected], AMBER, borderDash=[6, 4])]
    if pace.errors is None:
        return lines
    low, high = ([amount + (amount - spend) * error / 1000 for amount in expected] for error in pace.errors)
    high = [min(amount, most) for amount, most in zip(high, _most(month, len(high)), strict=True)]
    none = "rgba(0, 0, 0, 0)"
    return [
        *lines,
        chart_line("Low", [*before, *low], none),
        chart_line("High", [*before, *high], none, fill="-1", backgroundColor=LIGHT_AMBER),
    ]


def _most(month: BrandMonth, points: int) -> Iterator[Decimal]:
    """Yield what can be spent at most by now, and by the end of each day after today: the daily budget limits it."""
    yield month.month.spend
    for days in range(1, points):
        if month.day.left is None or month.day.budget is None:
            yield Decimal("Infinity")
        else:
            yield month.month.spend + month.day.left + month.day.budget * days


def days_of_month(month: BrandMonth) -> int:
    return len(month.finished) + int(month.days_left.to_integral_value(ROUND_CEILING))


def chart_line(label: str, data: Points, colour: str, **more: Any) -> dict[str, Any]:
    line = {"label": label, "data": _floats(data), "borderColor": colour, "borderWidth": 2, "fill": False}
    return line | {"pointRadius": 0, "pointHitRadius": 8} | more


def _floats(amounts: Points) -> list[float | None]:
    return [None if amount is None else float(amount) for amount in amounts]
