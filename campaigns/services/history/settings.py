"""The settings of brands and campaigns as they are stored now, read before and after a change to compare them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from campaigns.database.write_column import in_pieces
from campaigns.models import Brand, Campaign, DaypartingSchedule
from campaigns.services.history.values import ARCHIVE, SCHEDULE

Owner = type[Brand] | type[Campaign]

BRAND_SETTINGS = ("name", "enabled", "currency", "timezone", "owner", "daily_budget", "monthly_budget", ARCHIVE)
CAMPAIGN_SETTINGS = ("name", "enabled", "daily_spend_limit", "starts_on", "ends_on", ARCHIVE)

# Columns with other names than their settings: people know an owner by name, and an archive by yes or no.
COLUMNS = {"owner": "owner__username", ARCHIVE: "archived_at"}


@dataclass(frozen=True)
class StoredSettings:
    """The settings of a brand (campaign_id is None) or campaign, and the names by which its history is found."""

    brand_id: int
    brand: str
    campaign_id: int | None
    currency: str
    values: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.values["name"])


def read_settings(model: Owner, ids: Iterable[int]) -> dict[int, StoredSettings]:
    """Return the settings of those of the rows that exist, by id; in one query for brands, two for campaigns."""
    wanted = sorted(set(ids))
    found: dict[int, StoredSettings] = {}
    for piece in in_pieces(wanted):
        found |= _campaigns(piece) if issubclass(model, Campaign) else _brands(piece)
    return found


def _brands(ids: Sequence[int]) -> dict[int, StoredSettings]:
    rows: Any = Brand.objects.filter(pk__in=ids).order_by()
    rows = rows.values("pk", *map(_column, BRAND_SETTINGS))
    return {
        row["pk"]: StoredSettings(row["pk"], row["name"], None, row["currency"], _values(row, BRAND_SETTINGS))
        for row in rows
    }


def _campaigns(ids: Sequence[int]) -> dict[int, StoredSettings]:
    schedules = _schedules(ids)
    rows: Any = Campaign.objects.filter(pk__in=ids).order_by()
    rows = rows.values("pk", "brand_id", "brand__name", "brand__currency", *map(_column, CAMPAIGN_SETTINGS))
    return {
        row["pk"]: StoredSettings(
            row["brand_id"],
            row["brand__name"],
            row["pk"],
            row["brand__currency"],
            _values(row, CAMPAIGN_SETTINGS) | {SCHEDULE: schedules.get(row["pk"], ())},
        )
        for row in rows
    }


def _column(setting: str) -> str:
    return COLUMNS.get(setting, setting)


def _values(row: Mapping[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    found = {setting: row[_column(setting)] for setting in settings}
    return found | {ARCHIVE: found[ARCHIVE] is not None}


def _schedules(ids: Sequence[int]) -> dict[int, tuple[tuple[int, str, str], ...]]:
    """Return the windows by campaign: masks of days with local times, in order."""
    found = defaultdict(list)
    rows = DaypartingSchedule.objects.filter(campaign__in=ids).order_by()
    for campaign, days, start, end in rows.values_list("campaign_id", "days_of_week", "start_time", "end_time"):
        found[campaign].append((days, f"{start:%H:%M}", f"{end:%H:%M}"))
    return {campaign: tuple(sorted(windows)) for campaign, windows in found.items()}
