"""Sentences that several pages show after or before a change."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from campaigns.admin.shared.display import change_address
from campaigns.models import Campaign, StatusChange
from campaigns.rules.money import format_money
from campaigns.services.enforcement.enforce import Enforcement

MAX_WARNINGS = 10


def describe_changes(enforced: Enforcement) -> SafeString:
    """Return how many campaigns an enforcement paused and resumed, as a sentence, with links to the first of them."""
    changes = StatusChange.objects.filter(pk__in=enforced.first).select_related("campaign").order_by("pk")
    named = list(changes) if enforced.first else []
    parts = [
        _counted(count, word, [change.campaign for change in named if bool(change.reasons_after) == is_pause])
        for count, word, is_pause in ((enforced.paused, "paused", True), (enforced.resumed, "resumed", False))
        if count
    ]
    return format_html("{}.", format_html_join("; ", "{}", zip(parts)) if parts else "No campaign changed status")


def _counted(count: int, word: str, named: Sequence[Campaign]) -> SafeString:
    counted = f"{count:,} campaign{'' if count == 1 else 's'} {word}"
    if not named:
        return format_html("{}", counted)
    links = format_html_join(", ", "{}", [(saved_link(campaign),) for campaign in named])
    more = f" and {count - len(named):,} more" if count > len(named) else ""
    return format_html("{}: {}{}", counted, links, more)


def saved_link(row: models.Model) -> SafeString:
    """Return a link for a message. Not the theme's link colour, which is too faint on the colour of messages."""
    return format_html('<a class="campaigns-saved" href="{}">{}</a>', change_address(row), str(row))


def with_changes(done: str, enforced: Enforcement) -> SafeString:
    """Return a sentence about what a person has done, followed by the statuses that it changed."""
    return format_html("{} {}", done, describe_changes(enforced))


def describe_save(row: models.Model, changed: Sequence[str], enforced: Enforcement) -> SafeString:
    """Return what a save changed: fields with their new values, and statuses."""
    link = saved_link(row)
    statuses: str = ""
    if enforced.paused or enforced.resumed:
        statuses = with_changes("", enforced)
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
