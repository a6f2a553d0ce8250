"""How the effect of another time zone on a brand's spend looks, before it is changed."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.utils.safestring import SafeString

from campaigns.admin.shared.display import table
from campaigns.admin.shared.preview_table import arrow
from campaigns.rules.money import format_amount, format_money
from campaigns.services.enforcement.saving import Spent, ZoneChange

ZONES = "Spend in the new time zone"


def before_and_after(change: ZoneChange) -> SafeString:
    """Return one brand's spend before and after the change, narrow enough for a phone."""
    before, after = change.before, change.after
    rows = [
        ("Today", format_money(before.today, before.currency), format_money(after.today, after.currency)),
        (
            "This month",
            format_money(before.this_month, before.currency),
            format_money(after.this_month, after.currency),
        ),
    ]
    return table(("Spend", "Now", "After"), rows, numbers=(1, 2), empty="", label=ZONES)


def zone_table(changes: Iterable[ZoneChange]) -> SafeString:
    """Return the spend of brands before and after a change of their zones."""
    rows = [
        (
            change.before.name,
            arrow(change.before.timezone, change.after.timezone),
            _change(change.before, change.after, "today"),
            _change(change.before, change.after, "this_month"),
        )
        for change in changes
    ]
    return table(("Brand", "Time zone", "Spent today", "Spent this month"), rows, empty="", label=ZONES)


def _change(before: Spent, after: Spent, period: str) -> SafeString | str:
    old: Decimal = getattr(before, period)
    new: Decimal = getattr(after, period)
    if old == new:
        return f"{format_amount(new, after.currency)} {after.currency}, unchanged"
    return arrow(format_amount(old, before.currency), f"{format_amount(new, after.currency)} {after.currency}")
