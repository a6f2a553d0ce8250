"""The summary above a brand's form: pacing of the day and the month as figures, charts and tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from campaigns.admin.bulk.archive import with_archived
from campaigns.admin.shared.charts import even_so_far, hours_chart, month_chart, options, spent_so_far
from campaigns.admin.shared.display import chip, day_bar, link_to_list, month_bar, spend_bar, table
from campaigns.models import Campaign
from campaigns.rules.money import format_amount, format_money
from campaigns.services.insight.brand_month import MAX_LATEST_RECORDS, BrandMonth, Pace, brand_month
from campaigns.services.insight.forecast import format_instant


def summary_context(brand: Any, *, may_change: bool) -> dict[str, Any]:
    """Return what the template shows; the brand comes with the figures of BrandAdmin."""
    month = brand_month(brand, now=timezone.now())
    shown: dict[str, Any] = {"switch": _switch(brand, may_change), "zone": brand.timezone, "clock": ""}
    if month is None:
        return shown | {"today": {"bar": day_bar(brand)}, "month": {"bar": month_bar(brand)}}
    shown["clock"] = f"Local time: {month.day.span.now.astimezone(month.zone):%H:%M, %A %-d %B} ({brand.timezone})."
    shown["today"] = _today(brand, month)
    shown["month"] = _month(brand, month)
    return shown


def _switch(brand: Any, may_change: bool) -> dict[str, Any]:
    """Return whether the brand is on, how many campaigns are running, and the address of the button that changes it."""
    count, active = brand.campaign_count, brand.active_count
    name = "pause" if brand.enabled else "resume"
    of_brand = {"brand__id__exact": brand.pk} | with_archived(brand)
    counted = "No campaigns yet." if not count else f"{active} of {count} campaigns are running."
    return {
        "enabled": brand.enabled,
        "counted": link_to_list(Campaign, counted, **of_brand) if count else counted,
        "address": reverse(f"admin:campaigns_brand_{name}", args=[brand.pk]) if may_change else "",
        "archived": brand.archived_at is not None,
    }


def _today(brand: Any, month: BrandMonth) -> dict[str, Any]:
    pace, labels = month.day, list(_hour_labels(month))
    paused = _paused(brand) or ("the monthly budget is reached" if month.month.is_reached else "")
    return {
        "bar": spend_bar(pace.spend, pace.budget, brand.currency, of="daily budget"),
        "chip": _chip(pace, paused),
        "facts": [_index(pace, "day"), *_reaches(pace, month, "today", paused)],
        "chart": {"data": hours_chart(month, labels), "type": "bar", "options": options(brand.currency)},
        "label": _hours_label(brand, month),
        "table": _hours_table(brand, month, labels),
        "beside": _spend_without_hour(brand, month),
        "has_budget": bool(pace.budget),
    }


def _month(brand: Any, month: BrandMonth) -> dict[str, Any]:
    pace, paused = month.month, _paused(brand)
    return {
        "bar": spend_bar(pace.spend, pace.budget, brand.currency, of="monthly budget"),
        "chip": _chip(pace, paused),
        "facts": [
            _index(pace, "month"),
            *_reaches(pace, month, "this month", paused),
            *_projected(brand, month),
            *_to_use_budget(brand, month),
        ],
        "chart": {"data": month_chart(month), "type": "line", "options": options(brand.currency)},
        "label": _month_label(brand, month),
        "table": _days_table(brand, month),
        "has_budget": bool(pace.budget),
        "has_projection": month.projection is not None,
        "has_band": month.projection is not None and month.projection.low is not None,
    }


def _paused(brand: Any) -> str:
    """Return why the pace of a brand isn't judged; the home page and its lists skip such brands too."""
    return "" if brand.enabled else "the brand is paused"


def _chip(pace: Pace, paused: str) -> SafeString | str:
    if pace.is_reached:
        return chip("reached", "bad")
    if paused:
        return ""
    if pace.is_fast:
        return chip("over-pacing", "warning")
    if pace.is_slow:
        return chip("under-pacing", "note")
    return chip("on pace", "good") if pace.budget and not pace.span.is_early else ""


# A name, a figure, and what the figure means.
Fact = tuple[str, str, str]


def _index(pace: Pace, period: str) -> Fact:
    elapsed = f"{int(pace.span.fraction * 100)} % of the {period} elapsed"
    if pace.index is None:
        return "Pacing index", "–", elapsed if pace.budget else f"no budget set; {elapsed}"
    return "Pacing index", f"{pace.index}", f"1.00 = on pace; {elapsed}"


def _reaches(pace: Pace, month: BrandMonth, period: str, paused: str) -> Iterator[Fact]:
    if pace.budget is None:
        return
    if pace.is_reached:
        yield "Budget", "reached", "the budget is 0" if pace.budget == 0 else "all campaigns are paused"
    elif paused:
        yield "Budget", "not reached", paused
    elif pace.span.is_early:
        yield "Budget", "too early to project", ""
    elif pace.is_fast and pace.reaches_at:
        at = format_instant(pace.reaches_at, month.zone, pace.span.now)
        yield "Budget", f"runs out {at}", "at the current pace"
    else:
        yield "Budget", "under-pacing" if pace.is_slow else "on track", f"won’t be reached {period} at the current pace"


def _projected(brand: Any, month: BrandMonth) -> Iterator[Fact]:
    found = month.projection
    if found is None:
        return
    expected = format_money(found.expected, brand.currency)
    if found.low is None or found.high is None:
        yield "Projected month-end spend", expected, "no range before the first full day"
        return
    low, high = format_amount(found.low, brand.currency), format_money(found.high, brand.currency)
    yield "Projected month-end spend", expected, f"80 % likely between {low} and {high}, if nothing pauses"


def _to_use_budget(brand: Any, month: BrandMonth) -> Iterator[Fact]:
    daily = month.daily_for_full_budget
    if daily is None or month.month.budget is None or month.month.is_reached:
        return
    if month.days_left < 1:
        left = format_money(month.month.budget - month.month.spend, brand.currency)
        yield "To use the full budget", left, "today"
        return
    left = f"{month.days_left.quantize(Decimal('0.1'))} days left"
    so_far = _so_far(month)
    compared = f"; average so far {format_amount(so_far, brand.currency)} per day" if so_far is not None else ""
    yield "To use the full budget", f"{format_money(daily, brand.currency)} per day", f"{left}{compared}"


def _so_far(month: BrandMonth) -> Decimal | None:
    if not month.finished:
        return None
    finished = sum((spend for _, spend in month.finished), Decimal(0))
    return (finished / len(month.finished)).quantize(month.unit)


def _month_label(brand: Any, month: BrandMonth) -> str:
    budget = f" of {format_amount(month.month.budget, brand.currency)}" if month.month.budget is not None else ""
    spend = format_amount(month.month.spend, brand.currency)
    return f"Spend in {month.today:%B %Y} by day: {spend}{budget} {brand.currency} so far. Shown as a table below."


def _hours_label(brand: Any, month: BrandMonth) -> str:
    return (
        f"Spend today, {month.today:%Y-%m-%d}, by hour: {format_money(month.day.spend, brand.currency)} so far."
        " Shown as a table below."
    )


def _days_table(brand: Any, month: BrandMonth) -> SafeString:
    spent = spent_so_far(month)
    even = even_so_far(month) if month.month.budget else []
    names = [*(f"{day:%a %d}" for day, _ in month.finished), f"{month.today:%a %d} (so far)"]
    daily = [*(spend for _, spend in month.finished), month.day.spend]

    def shown(amount: Decimal) -> str:
        return format_amount(amount, brand.currency)

    rows = [
        [name, shown(day), shown(spent[number]), shown(even[number].quantize(month.unit)) if even else "–"]
        for number, (name, day) in enumerate(zip(names, daily, strict=True), start=1)
    ]
    headers = ("Day", f"Spend ({brand.currency})", "Total so far", "Even pace")
    return table(headers, rows, numbers=(1, 2, 3), empty="", label="The month, day by day")


def _hours_table(brand: Any, month: BrandMonth, labels: list[str]) -> SafeString:
    hours = zip(labels, month.hours, strict=True)
    rows = [[label, format_amount(hour.spend, brand.currency)] for label, hour in hours if hour.spend]
    headers = (f"Hour ({brand.timezone})", f"Spend ({brand.currency})")
    return table(headers, rows, numbers=(1,), empty="No spend today.", label="Today, hour by hour")


def _spend_without_hour(brand: Any, month: BrandMonth) -> str:
    amount = month.spend_without_hour
    if not amount:
        return ""
    return (
        f"{format_money(amount, brand.currency)} of today’s spend isn’t shown by hour: only the latest"
        f" {MAX_LATEST_RECORDS:,} records are."
    )


def _hour_labels(month: BrandMonth) -> Iterator[str]:
    """Yield the hours by the local clock; an hour that comes twice, as clocks go back, has its zone beside it."""
    walls: list[datetime] = [hour.starts_at.astimezone(month.zone) for hour in month.hours]
    names = [f"{wall:%H:%M}" for wall in walls]
    for wall, name in zip(walls, names, strict=True):
        yield name if names.count(name) == 1 else f"{name} {wall:%Z}"
