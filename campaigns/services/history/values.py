"""The settings whose changes are recorded, and their values as texts: stored exactly, shown as people read them."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

from campaigns.models import SettingChange
from campaigns.models.dayparting import window_in_words
from campaigns.rules.money import format_money

CREATED, DELETED, SCHEDULE, BRAND, ARCHIVE = "created", "deleted", "schedule", "brand", "archived"
# A campaign that came from another brand; on the other brand's page it is BRAND. So each of the two has a line.
MOVED_IN = "moved_in"
# In place of a brand's name, for people who don't see that brand.
ANOTHER_BRAND = "another brand"
# Spend that a person has changed: no settings, but what a reader of the history looks for.
SPEND_CORRECTION, SPEND_REVERSAL = "spend_correction", "spend_reversal"
OF_SPEND = frozenset({SPEND_CORRECTION, SPEND_REVERSAL})

# Names for people, in the order in which a form shows the settings.
LABELS = {
    CREATED: "created",
    DELETED: "deleted",
    "name": "name",
    BRAND: "brand",
    MOVED_IN: "moved from another brand",
    "enabled": "on or off",
    "currency": "currency",
    "timezone": "time zone",
    "owner": "owner",
    "daily_budget": "daily budget",
    "monthly_budget": "monthly budget",
    "daily_spend_limit": "daily spend limit",
    "starts_on": "start date",
    "ends_on": "end date",
    SCHEDULE: "schedule",
    ARCHIVE: "archive",
    SPEND_CORRECTION: "spend corrected",
    SPEND_REVERSAL: "import of spend reversed",
}
LIMITS = frozenset({"daily_budget", "monthly_budget", "daily_spend_limit"})
ON, OFF = "on", "off"
NOTHING = "–"


def label_of(setting: str) -> str:
    return LABELS.get(setting, setting.replace("_", " "))


def channel_name(change: SettingChange) -> str:
    """Return how a setting was changed, for the inside of a sentence: "bulk change", "API"."""
    shown: str = change.get_channel_display()
    return shown if shown.isupper() else shown.lower()


def as_text(value: Any, currency: str) -> str | None:
    """Return a value as it is stored. An amount has its currency with it; a schedule is its windows as JSON."""
    if value is None:
        return None
    if isinstance(value, bool):
        return ON if value else OFF
    if isinstance(value, Decimal):
        return f"{value.normalize():f} {currency}"
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value) if isinstance(value, tuple | list) else str(value)


def format_setting(change: SettingChange, text: str | None) -> str:
    """Return a stored value of a change for people: "1,250.00 EUR", "paused", "Mon–Fri 09:00–18:00"."""
    setting = change.setting
    if text is None:
        return _format_nothing(setting)
    if setting in LIMITS:
        amount, _, currency = text.partition(" ")
        return format_money(Decimal(amount), currency)
    if setting == "enabled":
        # One word on a brand's pages and lists, another on a campaign's.
        return text if text == ON or change.campaign_id is not None else "paused"
    if setting == ARCHIVE:
        return "archived" if text == ON else "not archived"
    return _format_windows(text) if setting == SCHEDULE else text


def _format_nothing(setting: str) -> str:
    if setting in LIMITS:
        return "no limit"
    return "none" if setting in ("starts_on", "ends_on", "owner") else NOTHING


def _format_windows(text: str) -> str:
    return ", ".join(window_in_words(*window) for window in json.loads(text)) or "always"
