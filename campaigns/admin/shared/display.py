"""Figures as HTML: bars with text, chips, tables; all readable without colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from django.db import models
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django_stubs_ext import WithAnnotations

from campaigns.models import Brand, Campaign
from campaigns.models.spend_queries import BrandSpend
from campaigns.rules.money import format_amount, format_money
from campaigns.rules.periods import ONE_DAY
from campaigns.rules.reasons import LABELS, PauseReason
from campaigns.services.insight.forecast import format_day
from campaigns.services.jobs.health import in_words

# A percentage beyond this is shown as a multiple.
MOST_PERCENT = 999


def percent(spend: Decimal, limit: Decimal) -> int:
    """Return the whole percents of a limit that are spent, rounded down; a limit of 0 is always spent."""
    if limit == 0:
        return 100
    return int((spend * 100 / limit).to_integral_value(ROUND_FLOOR))


def format_percent(spent: int) -> str:
    """Return a percentage of a limit; beyond MOST_PERCENT as whole multiples, which people can still compare."""
    return f"{spent} %" if spent <= MOST_PERCENT else f"{spent // 100:,}×"


def spend_bar(spend: Decimal, limit: Decimal | None, currency: str, *, of: str) -> SafeString:
    """Return the spend against its limit as text and bar; `of` names the limit for screen readers."""
    if limit is None:
        return format_html(
            '<div class="campaigns-bar"><span class="campaigns-bar-text">{}<small>no limit</small></span></div>',
            format_money(spend, currency),
        )
    spent = percent(spend, limit)
    return render_bar(
        text=f"{format_amount(spend, currency)} of {format_money(limit, currency)}",
        note="limit is 0" if limit == 0 else format_percent(spent),
        value=min(max(spent, 0), 100),
        label=f"{format_percent(spent)} {'of ' if spent <= MOST_PERCENT else ''}the {of}",
    )


def day_bar(brand: WithAnnotations[Brand, BrandSpend]) -> SafeString:
    return spend_bar(brand.spend_today, brand.daily_budget, brand.currency, of="daily budget")


def month_bar(brand: WithAnnotations[Brand, BrandSpend]) -> SafeString:
    return spend_bar(brand.spend_this_month, brand.monthly_budget, brand.currency, of="monthly budget")


def render_bar(*, text: str, note: str, value: int, label: str) -> SafeString:
    return format_html(
        '<div class="campaigns-bar"><span class="campaigns-bar-text">{}<small>{}</small></span>'
        '<meter min="0" max="100" low="80" high="99" optimum="0" value="{}" aria-label="{}">{}</meter></div>',
        text,
        note,
        value,
        label,
        label,
    )


def status_chips(reasons: PauseReason) -> SafeString:
    """Return the status: "active", or all pause reasons."""
    if not reasons:
        return chip("active", "good")
    return format_html_join(" ", "{}", [(chip(LABELS[reason], _tone(reason)),) for reason in reasons])


def _tone(reason: PauseReason) -> str:
    """People's own decisions are neutral, reasons that end with time are notes, limits are warnings."""
    if reason in PauseReason.CAMPAIGN_DISABLED | PauseReason.BRAND_DISABLED | PauseReason.ENDED:
        return "plain"
    if reason in PauseReason.NOT_STARTED | PauseReason.OUTSIDE_SCHEDULE:
        return "note"
    return "warning"


def chip(text: str, tone: str) -> SafeString:
    return format_html('<span class="campaigns-chip campaigns-chip-{}">{}</span>', tone, text)


def table(
    headers: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    numbers: Sequence[int] = (),
    empty: str,
    label: str = "Table",
) -> SafeString:
    """Return a read-only table; `numbers` are the right-aligned columns.

    On a narrow screen it scrolls sideways in its own box, which keyboards can reach; `label` names the box.
    """
    cells = [[{"value": value, "number": index in numbers} for index, value in enumerate(row)] for row in rows]
    heads = [{"value": header, "number": index in numbers} for index, header in enumerate(headers)]
    context = {"headers": heads, "rows": cells, "empty": empty, "label": label}
    return render_to_string("campaigns/admin/table.html", context)


def link_to(row: models.Model, text: str = "") -> SafeString:
    """Return a link to the row's page in the admin."""
    return format_html('<a class="text-link" href="{}">{}</a>', change_address(row), text or str(row))


def link_to_both(campaign: Campaign) -> SafeString:
    """Return "brand / campaign", each a link to its page."""
    return format_html("{} / {}", link_to(campaign.brand), link_to(campaign))


def change_address(row: models.Model) -> str:
    """Return the address of the row's page in the admin."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def list_address(model: type[models.Model], **filters: Any) -> str:
    """Return the address of a list in the admin, filtered."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist", query=filters or None)


def link_to_list(model: type[models.Model], text: str, **filters: Any) -> SafeString:
    """Return a link to a list in the admin, filtered."""
    return format_html('<a class="text-link" href="{}">{}</a>', list_address(model, **filters), text)


def share_bar(value: int, label: str) -> SafeString:
    """Return a bar for a share of a whole, in neutral colours."""
    return format_html(
        '<meter class="campaigns-share" min="0" max="100" value="{}" aria-label="{}">{}</meter>', value, label, label
    )


def around(day: date, today: date) -> str:
    """Return "today", "tomorrow" or "around Mon 2 Nov", for a day that is an estimate."""
    shown = format_day(day, today)
    return shown if day <= today + ONE_DAY else f"around {shown}"


def ago(instant: datetime | None, now: datetime) -> str:
    """Return how long ago an instant is: "5 minutes ago"."""
    if instant is None:
        return "never"
    return "just now" if now - instant < timedelta(minutes=1) else f"{in_words(now - instant)} ago"
