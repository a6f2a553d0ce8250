"""Figures as HTML: bars with text, chips, tables; all readable without colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any, NamedTuple

from django.db import models
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django_stubs_ext import WithAnnotations

from campaigns.models import Brand, Campaign
from campaigns.models.pace_queries import BrandWithPace
from campaigns.models.spend_queries import BrandSpend
from campaigns.rules.money import format_money, format_spend, format_spend_money
from campaigns.rules.pace import VERDICT_LABELS, Verdict
from campaigns.rules.periods import ONE_DAY
from campaigns.rules.reasons import LABELS, PauseReason, is_near, is_reached
from campaigns.services.insight.forecast import format_day
from campaigns.services.jobs.health import in_words


def percent(spend: Decimal, limit: Decimal) -> int:
    """Return the whole percents of a limit that are spent, rounded down; a limit of 0 is always spent."""
    if limit == 0:
        return 100
    return int((spend * 100 / limit).to_integral_value(ROUND_FLOOR))


def format_percent(spent: int) -> str:
    """Return a percentage of a limit, however far beyond it."""
    return f"{spent:,} %"


class Standing(NamedTuple):
    """Where a brand's month leads, and the percent of its budget that should be spent by now, if it's known."""

    verdict: Verdict | None
    expected: float | None

    @property
    def words(self) -> str:
        """Return the same in words; none for a brand that isn't judged."""
        if self.verdict is None:
            return ""
        tick = self.tick
        return VERDICT_LABELS[self.verdict] + (f", should be at {tick} %" if tick is not None else "")

    @property
    def tick(self) -> int | None:
        is_judged = self.verdict not in (None, Verdict.EARLY)
        return round(self.expected) if is_judged and self.expected is not None else None


VERDICT_TONES = {Verdict.ON_PACE: "good", Verdict.OVER: "warning", Verdict.UNDER: "note", Verdict.EARLY: "plain"}


def spend_bar(
    spend: Decimal, limit: Decimal | None, currency: str, *, of: str, standing: Standing | None = None
) -> SafeString:
    """Return the spend against its limit as text and bar; `of` names the limit for screen readers.

    A month's bar comes with its standing, and is coloured by it. A limit of a day is a ceiling, not a target: its bar
    is neutral until it is nearly reached.
    """
    if limit is None:
        return format_html(
            '<div class="campaigns-bar"><span class="campaigns-bar-text">{}<small>no limit</small></span></div>',
            format_spend_money(spend, currency),
        )
    spent = percent(spend, limit)
    tone, words, tick = _judge(spend, limit, standing)
    return render_bar(
        text=f"{format_spend(spend, currency, limit)} of {format_money(limit, currency)}",
        note="limit is 0" if limit == 0 else format_percent(spent),
        value=min(max(spent, 0), 100),
        label=", ".join(filter(None, (_share(spent, of), words))),
        tone=tone,
        words=words,
        tick=tick,
    )


def _share(spent: int, of: str) -> str:
    return f"{format_percent(spent)} of the {of}"


def _judge(spend: Decimal, limit: Decimal, standing: Standing | None) -> tuple[str, str, int | None]:
    """Return the tone of a bar, what the tone says in words, and where its tick is."""
    if is_reached(limit, spend):
        return "bad", "reached", None
    if standing is None:
        return ("warning", "near its limit", None) if is_near(limit, spend) else ("plain", "", None)
    tone = VERDICT_TONES[standing.verdict] if standing.verdict else "plain"
    return tone, standing.words, standing.tick


def total_bar(spend: Decimal, budgets: Decimal, currency: str, *, of: str) -> SafeString:
    """Return the spend of several brands against the sum of their budgets, which says nothing about any of them."""
    spent = percent(spend, budgets)
    return render_bar(
        text=f"{format_spend(spend, currency, budgets)} of {format_money(budgets, currency)}",
        note=format_percent(spent),
        value=min(max(spent, 0), 100),
        label=_share(spent, of),
    )


def day_bar(brand: WithAnnotations[Brand, BrandSpend]) -> SafeString:
    return spend_bar(brand.spend_today, brand.daily_budget, brand.currency, of="daily budget")


def month_bar(brand: WithAnnotations[Brand, BrandWithPace]) -> SafeString:
    return spend_bar(
        brand.spend_this_month,
        brand.monthly_budget,
        brand.currency,
        of="monthly budget",
        standing=standing_of(brand),
    )


def standing_of(brand: WithAnnotations[Brand, BrandWithPace]) -> Standing:
    return Standing(Verdict(brand.pace_verdict) if brand.pace_verdict else None, brand.expected_percent)


def render_bar(
    *, text: str, note: str, value: int, label: str, tone: str = "plain", words: str = "", tick: int | None = None
) -> SafeString:
    """Return a bar in a tone of admin.css, which `words` say too, with a tick at a percent."""
    context = {"text": text, "note": note, "value": value, "label": label, "tone": tone, "words": words, "tick": tick}
    return render_to_string("campaigns/admin/bar.html", context)


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
    cards: bool = False,
) -> SafeString:
    """Return a read-only table; `numbers` are the right-aligned columns.

    On a narrow screen it scrolls sideways in its own box, which keyboards can reach; `label` names the box. With
    `cards`, each row is a card on a phone, where nothing may be out of sight: what somebody is about to confirm.
    """
    cells = [
        [{"value": value, "number": index in numbers, "label": headers[index]} for index, value in enumerate(row)]
        for row in rows
    ]
    heads = [{"value": header, "number": index in numbers} for index, header in enumerate(headers)]
    context = {"headers": heads, "rows": cells, "empty": empty, "label": label, "cards": cards}
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


def history_address(row: models.Model) -> str:
    """Return the address of the row's change history in the admin."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_history", args=[row.pk])


def list_address(model: type[models.Model], **filters: Any) -> str:
    """Return the address of a list in the admin, filtered."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist", query=filters or None)


def link_to_list(model: type[models.Model], text: str, **filters: Any) -> SafeString:
    """Return a link to a list in the admin, filtered."""
    return format_html('<a class="text-link" href="{}">{}</a>', list_address(model, **filters), text)


def share_bar(value: int, label: str) -> SafeString:
    """Return a bar for a share of a whole, in neutral colours."""
    return format_html(
        '<meter class="campaigns-share" min="0" max="100" value="{}" aria-label="{}" aria-valuetext="{}">{}</meter>',
        *(value, label, label, label),
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
