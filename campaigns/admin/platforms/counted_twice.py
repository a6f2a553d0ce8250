"""Spend that comes from two senders, for home and for the pages of brands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from campaigns.admin.shared.display import ago
from campaigns.models import CountedTwice
from campaigns.services.totals.counted_twice import Found, counted_twice, sentence

# By name and by ID it is the same spend for certain.
CHIPS = {CountedTwice.Kind.NAME_AND_ID: ("counted twice", "bad"), CountedTwice.Kind.RECORDS: ("two senders", "warning")}


def twice_context(found: Found, now: datetime) -> dict[str, Any]:
    shown = [
        {
            "chip": CHIPS[CountedTwice.Kind(each.kind)][0],
            "tone": CHIPS[CountedTwice.Kind(each.kind)][1],
            "sentence": sentence(each),
            "ago": ago(each.found_at, now),
        }
        for each in found.shown
    ]
    return {"shown": shown, "more": found.more}


def twice_list(brand_id: int, now: datetime) -> SafeString | None:
    """Return the brand's campaigns whose spend comes from two senders, or None if there are none."""
    found = counted_twice([brand_id])
    if not found.shown:
        return None
    items = render_to_string("campaigns/admin/platforms/counted_twice.html", {"twice": twice_context(found, now)})
    return SafeString(f'<ul class="home-problems">{items}</ul>')
