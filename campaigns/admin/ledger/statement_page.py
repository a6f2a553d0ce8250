"""The page of a closed statement: what was known at closing, what is known now, and what changed it when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.admin.ledger.statement_export import LATE, OTHERS, REPORTED_LATER, download_links
from campaigns.admin.shared.display import chip, table
from campaigns.admin.shared.times import viewer_time
from campaigns.models import BrandPeriod
from campaigns.rules.money import format_amount, format_money
from campaigns.services.insight.late_changes import RESTATED_FOR, Restatement, late_changes

SHOWN = 100
TITLE = "Changes after closing"


def late_panel(period: BrandPeriod) -> Iterator[tuple[str, SafeString]]:
    """Yield the panel of what changed a closed statement."""
    if period.closed_at is None:
        return
    late, currency, zone = late_changes(period), period.brand.currency, period.brand.timezone
    rows: list[tuple[Any, ...]] = [_row(each, currency, zone) for each in late.restatements[:SHOWN]]
    if len(late.restatements) > SHOWN:
        rest = late.restatements[SHOWN:]
        amount = sum((each.amount for each in rest[1:]), rest[0].amount)
        rows.append((f"and {len(rest):,} earlier", "", "", "", signed_amount(amount, currency)))
    if late.others:
        rows.append(("since closing", OTHERS, "–", "–", signed_amount(late.others, currency)))
    heads = ("Booked", "Source", "Kind", "Campaigns", f"Change ({currency})")
    shown = table(heads, rows, numbers=(3, 4), empty="Nothing has changed since closing.", label=TITLE)
    known = format_money(period.spend_at_close, currency)
    sentence = f"Known at closing: {known}. Known now: {format_money(period.spend, currency)}."
    if late.restatements:
        sentence += (
            f" Platforms correct their figures for weeks: within {RESTATED_FOR.days} days after the period that is"
            f" “{REPORTED_LATER}”, and afterwards a “{LATE}”."
        )
    page = '<p class="campaigns-note">{}</p>{}<p class="campaigns-more">{}</p>'
    yield TITLE, format_html(page, sentence, shown, download_links(period))


def signed_amount(amount: Any, currency: str) -> str:
    return f"{'+' if amount > 0 else ''}{format_amount(amount, currency)}"


def _row(each: Restatement, currency: str, zone: str) -> tuple[Any, ...]:
    source = f"{each.platform}: {each.account}"
    kind = chip(LATE, "warning") if each.is_late else chip(REPORTED_LATER, "plain")
    return viewer_time(each.at, zone), source, kind, f"{each.campaigns:,}", signed_amount(each.amount, currency)
