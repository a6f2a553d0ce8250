"""The figures of the page “Spend”: facts, curve, tables and files of a range of days."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.admin.ledger.row_page import brand_of
from campaigns.admin.shared.charts import BLUE, GREY, LIGHT_BLUE, RED, chart_line
from campaigns.admin.shared.display import table
from campaigns.models import Brand, Campaign
from campaigns.rules.currencies import smallest_unit
from campaigns.rules.money import format_amount, format_money, format_spend, format_spend_money
from campaigns.rules.periods import find_zone, local_date
from campaigns.services.insight.spend_range import Compared, OneCampaign, SpendOfRange

# Campaigns in the table; the file has all of them.
SHOWN_CAMPAIGNS = 100
# Orders of the table by campaign; the first one is usual.
ORDERS = ("spend", "before", "change", "name")


def rows_by_day(found: SpendOfRange, brand: Brand) -> tuple[list[str], list[Sequence[Any]]]:
    is_brand = any(each.budget is not None for each in found.days)
    columns = [f"day ({brand.timezone})", f"spend ({brand.currency})"]
    columns += ["daily budget"] if is_brand else []
    columns += ["compared with", "spend before", "change", "change in %"]
    rows: list[Sequence[Any]] = []
    for each in found.days:
        budget = [each.budget] if is_brand else []
        compared = each.compared
        change = (compared.before, compared.change, _rounded(compared))
        rows.append([each.day, compared.spend, *budget, each.before or "", *change])
    return columns, rows


def rows_by_campaign(found: SpendOfRange, brand: Brand) -> tuple[list[str], list[Sequence[Any]]]:
    columns = ["id", "campaign", f"spend ({brand.currency})", "spend before", "change", "change in %"]
    return columns, [
        [each.pk, each.name, *each.compared, each.compared.change, _rounded(each.compared)] for each in found.campaigns
    ]


def sort_campaigns(campaigns: Sequence[OneCampaign], order: str) -> list[OneCampaign]:
    """Return the campaigns in one of ORDERS: names from A to Z, amounts from the largest."""
    if order == "name":
        return sorted(campaigns, key=lambda each: (each.name.casefold(), each.pk))
    return sorted(campaigns, key=lambda each: (-getattr(each.compared, order), each.pk))


def facts(found: SpendOfRange, row: Brand | Campaign) -> Iterator[tuple[str, str, str]]:
    brand = brand_of(row)
    currency, zone = brand.currency, find_zone(brand.timezone)
    # Compared with whole days, today looks low.
    partly = " – today isn’t over yet" if zone and found.period.last >= local_date(zone, timezone.now()) else ""
    total, before = found.total, found.period.before
    averaged = found.days_on_record
    over = f"over {averaged} day{'' if averaged == 1 else 's'}"
    over += f", since the brand’s first on {found.known_from}" if averaged < len(found.days) else ""
    average = (total.spend / averaged).quantize(smallest_unit(currency))
    highest = max(found.days, key=lambda each: each.compared.spend)
    yield from (
        ("Total", format_spend_money(total.spend, currency), f"{found.period.first} to {found.period.last}"),
        ("Period before", format_spend_money(total.before, currency), f"{before.first} to {before.last}{partly}"),
        ("Change", _signed(total.change, currency), _percent(total)),
        ("Average per day", format_money(average, currency), over),
        ("Highest day", format_spend_money(highest.compared.spend, currency), str(highest.day)),
    )
    if isinstance(row, Campaign):
        limit = row.daily_spend_limit
        yield "Daily spend limit", "no limit" if limit is None else format_money(limit, currency), "now"


def _percent(compared: Compared) -> str:
    if compared.percent is None:
        return "no spend before to compare with" if compared.before == 0 else ""
    percent = compared.percent
    return "more than 999 % more" if percent > 999 else f"{percent:+.1f} %"


def _rounded(compared: Compared) -> Decimal | None:
    """Return the change in percent with one decimal."""
    return None if compared.percent is None else compared.percent.quantize(Decimal("0.1"))


def _signed(amount: Decimal, currency: str) -> str:
    return f"{'+' if amount > 0 else ''}{format_spend_money(amount, currency)}"


def days_table(found: SpendOfRange, currency: str) -> SafeString:
    with_budget = any(each.budget is not None for each in found.days)
    headers = ["Day", f"Spend ({currency})", *(["Daily budget"] if with_budget else [])]
    headers += ["Compared with", "Spend before", "Change", "Change in %"]
    rows = []
    for each in reversed(found.days):
        budget = "no limit" if each.budget is None else format_amount(each.budget, currency)
        rows.append([f"{each.day:%a} {each.day}", format_spend(each.compared.spend, currency)])
        rows[-1] += [budget] if with_budget else []
        rows[-1] += [str(each.before or "–"), *_compared(each.compared, currency)]
    numbers = (1, 2, 4, 5, 6) if with_budget else (1, 3, 4, 5)
    return table(headers, rows, numbers=numbers, empty="No days.", label="Spend by day")


def campaigns_table(found: SpendOfRange, currency: str, address: str, order: str) -> SafeString:
    """Return the first campaigns; the heads of the columns sort them at the address."""
    rows = [
        [_link(each.pk, each.name), format_spend(each.compared.spend, currency), *_compared(each.compared, currency)]
        for each in found.campaigns[:SHOWN_CAMPAIGNS]
    ]
    heads = {"name": "Campaign", "spend": f"Spend ({currency})", "before": "Spend before", "change": "Change"}
    headers: list[str] = [_head(text, f"{address}&sort={name}", current=name == order) for name, text in heads.items()]
    headers.append("Change in %")
    return table(headers, rows, numbers=(1, 2, 3, 4), empty="No spend in these days.", label="Spend by campaign")


def _head(text: str, address: str, *, current: bool) -> SafeString:
    link = '<a class="spend-sort" href="{}" title="Sort by this"{}>{}</a>'
    return format_html(link, address, SafeString(' aria-current="true"') if current else "", text)


def _link(pk: int, name: str) -> SafeString:
    address = reverse(f"admin:{Campaign._meta.app_label}_{Campaign._meta.model_name}_spend", args=[pk])
    return format_html('<a class="text-link" href="{}">{}</a>', address, name)


def _compared(compared: Compared, currency: str) -> tuple[str, str, str]:
    change = compared.change
    shown = f"{'+' if change > 0 else ''}{format_spend(change, currency)}" if change else "–"
    percent = _rounded(compared)
    in_percent = "–" if percent is None else f"{percent:+,} %" if percent else "0.0 %"
    return format_spend(compared.before, currency), shown, in_percent


def chart(found: SpendOfRange) -> str:
    spend = [each.compared.spend for each in found.days]
    before = [each.compared.before for each in found.days if each.before]
    lines = [
        chart_line("Spend", spend, BLUE, fill="origin", backgroundColor=LIGHT_BLUE),
        chart_line("Period before", before, GREY, borderDash=[4, 4], borderWidth=1.5),
    ]
    budgets = [each.budget for each in found.days]
    if any(budget is not None for budget in budgets):
        lines.append(chart_line("Daily budget", budgets, RED, borderWidth=1.5, stepped="middle"))
    return json.dumps({"labels": [f"{each.day:%-d %b}" for each in found.days], "datasets": lines})


def label(found: SpendOfRange, currency: str) -> str:
    total = found.total
    return (
        f"Spend by day from {found.period.first} to {found.period.last}:"
        f" {format_spend_money(total.spend, currency)} in all,"
        f" {format_spend_money(total.before, currency)} in the period before. The table below has each day."
    )
