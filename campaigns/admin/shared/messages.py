"""Sentences that several pages show after or before a change."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest

from campaigns.services.enforcement.enforce import Enforcement

MAX_WARNINGS = 10


def describe_changes(enforced: Enforcement) -> str:
    """Return how many campaigns an enforcement paused and resumed, as a sentence."""
    counts = [
        f"{count:,} campaign{'' if count == 1 else 's'} {word}"
        for count, word in ((enforced.paused, "paused"), (enforced.resumed, "resumed"))
        if count
    ]
    return f"{', '.join(counts) or 'No campaign changed status'}."


def unknown_zone_note(zone: str) -> str:
    return f"Unknown time zone “{zone}”: campaigns can’t resume until it is corrected."


def warn_about_unknown_zones(request: HttpRequest, enforced: Enforcement) -> None:
    """Warn that campaigns kept their status because their brand's time zone is unknown (written by SQL)."""
    for zone in enforced.unknown_zones:
        messages.warning(request, unknown_zone_note(zone))


def add_warnings(request: HttpRequest, sentences: Sequence[str], more: str) -> None:
    """Show the first sentences as warnings, and the number of the others in `more`, which has a place for it."""
    for sentence in sentences[:MAX_WARNINGS]:
        messages.warning(request, sentence)
    if (rest := len(sentences) - MAX_WARNINGS) > 0:
        messages.warning(request, more.format(f"{rest:,}"))
