"""The summary above a brand's form: its day and its month as figures, charts and tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from campaigns.admin.brand.facts import Fact, month_facts
from campaigns.admin.bulk.archive import with_archived
from campaigns.admin.shared.charts import (
    days_of_month,
    expected_so_far,
    hours_chart,
    month_chart,
    month_options,
    options,
    spent_so_far,
)
from campaigns.admin.shared.display import (
    VERDICT_TONES,
    Standing,
    chip,
    day_bar,
    link_to_list,
    month_bar,
    spend_bar,
    table,
)
from campaigns.admin.shared.times import as_of
from campaigns.models import Campaign
from campaigns.rules.money import format_amount, format_spend, format_spend_money
from campaigns.rules.pace import VERDICT_LABELS
from campaigns.rules.times import format_time
from campaigns.services.insight.brand_month import MAX_LATEST_RECORDS, BrandMonth, brand_month


def summary_context(brand: Any, *, may_change: bool) -> dict[str, Any]:
    """Return what the template shows; the brand comes with the figures of BrandAdmin."""
    now = timezone.now()
    month = brand_month(brand, now=now)
    shown: dict[str, Any] = {
        "as_of": as_of(now, brand.timezone),
        "switch": _switch(brand, may_change),
        "zone": brand.timezone,
        "clock": "",
    }
    if month is None:
        return shown | {"today": {"bar": day_bar(brand)}, "month": {"bar": month_bar(brand)}}
    shown["clock"] = f"Local time: {now.astimezone(month.zone):%A} {_local(now, month)} ({brand.timezone})."
    shown["today"] = _today(brand, month)
    shown["month"] = _month(brand, month)
    return shown


def _local(instant: datetime, month: BrandMonth) -> str:
    return format_time(instant, month.zone, seconds=False)


def _switch(brand: Any, may_change: bool) -> dict[str, Any]:
    """Return whether the brand is on, how many campaigns are running, and the address of the button that changes it."""
    count, active = brand.campaign_count, brand.active_count
    name = "pause" if brand.enabled else "resume"
    of_brand = {"brand__id__exact": brand.pk} | with_archived(brand)
    running = "is running" if active == 1 else "are running"
    counted = f"{active} of {count} campaigns {running}." if count else "No campaigns yet."
    return {
        "enabled": brand.enabled,
        "counted": link_to_list(Campaign, counted, **of_brand) if count else counted,
        "address": reverse(f"admin:campaigns_brand_{name}", args=[brand.pk]) if may_change else "",
        "archived": brand.archived_at is not None,
    }


def _today(brand: Any, month: BrandMonth) -> dict[str, Any]:
    labels = list(_hour_labels(month))
    return {
        "bar": spend_bar(month.day.spend, month.day.budget, brand.currency, of="daily budget"),
        "chip": chip("reached", "bad") if month.day.is_reached else "",
        "facts": [*_left_today(brand, month), *_expected_today(brand, month), *_reached_lately(month)],
        "chart": {"data": hours_chart(month, labels), "type": "bar", "options": options(brand.currency)},
        "label": _hours_label(brand, month),
        "table": _hours_table(brand, month, labels),
        "beside": _spend_without_hour(brand, month),
    }


def _month(brand: Any, month: BrandMonth) -> dict[str, Any]:
    return {
        "bar": spend_bar(
            month.month.spend,
            month.month.budget,
            brand.currency,
            of="monthly budget",
            standing=Standing(month.verdict, month.expected),
        ),
        "chip": _chip(month),
        "facts": month_facts(brand, month),
        "chart": {
            "data": month_chart(month),
            "type": "line",
            "options": month_options(brand.currency, days_of_month(month)),
        },
        "label": _month_label(brand, month),
        "table": _days_table(brand, month),
        "has_budget": bool(month.month.budget),
        "has_expected": bool(expected_so_far(month)),
        "has_projection": month.pace is not None and not month.month.is_reached,
        "has_band": month.pace is not None and month.pace.errors is not None,
    }


def _chip(month: BrandMonth) -> SafeString | str:
    if month.month.is_reached:
        return chip("reached", "bad")
    return chip(VERDICT_LABELS[month.verdict], VERDICT_TONES[month.verdict]) if month.verdict else ""


def _left_today(brand: Any, month: BrandMonth) -> Iterator[Fact]:
    if month.day.is_reached:
        yield "Daily budget", "reached", "the budget is 0" if month.day.budget == 0 else "all campaigns are paused"
    elif month.day.left is not None:
        yield (
            "Left today",
            format_spend_money(month.day.left, brand.currency),
            "of the daily budget, which is a ceiling",
        )


def _expected_today(brand: Any, month: BrandMonth) -> Iterator[Fact]:
    if month.pace is None:
        return
    left = month.pace.today_left
    if not left:
        yield "Expected today", format_spend_money(month.day.spend, brand.currency), "nothing more is expected today"
        return
    # The whole day, as its projection has it: the rest is added to what is spent.
    expected = month.day.spend + left
    usual = (
        f"spent so far, and the rest as on recent {month.today:%A}s"
        if month.pace.has_weekdays
        else "spent so far, and the rest as on the days so far"
    )
    if month.day.budget is not None and expected >= month.day.budget:
        usual = "limited by the daily budget"
    yield "Expected today", format_spend_money(expected, brand.currency), usual


def _reached_lately(month: BrandMonth) -> Iterator[Fact]:
    if month.reached_days:
        yield "Often reached", *month.reached_days.figures


def _month_label(brand: Any, month: BrandMonth) -> str:
    budget = f" of {format_amount(month.month.budget, brand.currency)}" if month.month.budget is not None else ""
    spend = format_spend(month.month.spend, brand.currency, month.month.budget)
    return f"Spend in {month.today:%B %Y} by day: {spend}{budget} {brand.currency} so far. Shown as a table below."


def _hours_label(brand: Any, month: BrandMonth) -> str:
    return (
        f"Spend today, {month.today:%Y-%m-%d}, by hour: {format_spend_money(month.day.spend, brand.currency)} so far."
        " Shown as a table below."
    )


def _days_table(brand: Any, month: BrandMonth) -> SafeString:
    spent = spent_so_far(month)
    expected = expected_so_far(month)
    names = [*(f"{day:%a %d}" for day, _ in month.finished), f"{month.today:%a %d} (so far)"]
    daily = [*(spend for _, spend in month.finished), month.day.spend]

    def shown(amount: Decimal) -> str:
        return format_spend(amount, brand.currency)

    rows = [
        [name, shown(day), shown(spent[number]), shown(expected[number].quantize(month.unit)) if expected else "–"]
        for number, (name, day) in enumerate(zip(names, daily, strict=True), start=1)
    ]
    headers = ("Day", f"Spend ({brand.currency})", "Total so far", "Expected by then")
    return table(headers, rows, numbers=(1, 2, 3), empty="", label="The month, day by day")


def _hours_table(brand: Any, month: BrandMonth, labels: list[str]) -> SafeString:
    hours = zip(labels, month.hours, strict=True)
    rows = [[label, format_spend(hour.spend, brand.currency)] for label, hour in hours if hour.spend]
    headers = (f"Hour ({brand.timezone})", f"Spend ({brand.currency})")
    return table(headers, rows, numbers=(1,), empty="No spend today.", label="Today, hour by hour")


def _spend_without_hour(brand: Any, month: BrandMonth) -> str:
    amount = month.spend_without_hour
    if not amount:
        return ""
    return (
        f"{format_spend_money(amount, brand.currency)} of today’s spend isn’t shown by hour: only the latest"
        f" {MAX_LATEST_RECORDS:,} records are."
    )


def _hour_labels(month: BrandMonth) -> Iterator[str]:
    """Yield the hours by the local clock; an hour that comes twice, as clocks go back, has its zone beside it."""
    walls: list[datetime] = [hour.starts_at.astimezone(month.zone) for hour in month.hours]
    names = [f"{wall:%H:%M}" for wall in walls]
    for wall, name in zip(walls, names, strict=True):
        yield name if names.count(name) == 1 else f"{name} {wall:%Z}"
