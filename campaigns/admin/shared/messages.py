"""Sentences that several pages show after or before a change."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.admin.shared.display import change_address
from campaigns.rules.money import format_money
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


def describe_save(row: models.Model, changed: Sequence[str], enforced: Enforcement) -> SafeString:
    """Return what a save changed: fields with their new values, and statuses."""
    # Not the theme's link colour, which is too faint on the colour of messages.
    link = format_html('<a class="campaigns-saved" href="{}">{}</a>', change_address(row), str(row))
    statuses = ""
    if enforced.paused or enforced.resumed:
        statuses = f" {describe_changes(enforced)}"
    elif enforced.changed:
        statuses = f" Pause reasons changed: {enforced.changed:,} campaign{'' if enforced.changed == 1 else 's'}."
    if not changed:
        return format_html("Nothing changed in “{}”.{}", link, statuses)
    return format_html("Saved “{}”: {}.{}", link, "; ".join(changed), statuses)


def describe_fields(form: Any) -> list[str]:
    """Return the fields that the user of a ConflictAwareForm changed, with their new values."""
    values = {name: form.cleaned_data[name] for name in form.changed_fields}
    shown = {name: form.format_value(name, value) for name, value in values.items()}
    shown |= {name: format_money(value, form.currency) for name, value in values.items() if isinstance(value, Decimal)}
    return [f"{form[name].label.lower()} {'removed' if values[name] is None else shown[name]}" for name in values]


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
