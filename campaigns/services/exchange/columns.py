"""The columns of brand, campaign and schedule files, in order; read-only ones are computed (R5).

Declared as django-import-export resources, which do the export. The import is campaigns.services.exchange.imports: a
resource would look up and save row by row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, time
from enum import StrEnum
from typing import Any, NamedTuple

from django.db.models import prefetch_related_objects
from import_export.fields import Field
from import_export.resources import Resource

from campaigns.database.write_column import in_pieces
from campaigns.models import Brand, Campaign
from campaigns.models.spend_queries import brands_with_spend, campaigns_with_own_spend
from campaigns.services.bulk.operations import Owner
from campaigns.services.exchange.cells import (
    AmountCell,
    Cell,
    ClockCell,
    CurrencyCell,
    DateCell,
    DaysCell,
    KeyCell,
    NameCell,
    OwnerCell,
    SwitchCell,
    ZoneCell,
)
from campaigns.services.exchange.files import Value


class Kind(StrEnum):
    """What a file is about."""

    BRANDS = "brands"
    CAMPAIGNS = "campaigns"
    SCHEDULES = "schedules"

    @property
    def model(self) -> Owner:
        """The model that a file changes; a schedule belongs to its campaign."""
        return Brand if self == Kind.BRANDS else Campaign


def _archived() -> Field:
    def value(row: Brand | Campaign) -> str:
        return "yes" if row.archived_at else ""

    return Field("archived_at", "archived", Cell(), readonly=True, dehydrate_method=value)


class BrandColumns(Resource):
    id = Field("pk", "id", KeyCell())
    name = Field("name", "name", NameCell())
    enabled = Field("enabled", "enabled", SwitchCell())
    currency = Field("currency", "currency", CurrencyCell())
    timezone = Field("timezone", "timezone", ZoneCell())
    daily_budget = Field("daily_budget", "daily_budget", AmountCell())
    monthly_budget = Field("monthly_budget", "monthly_budget", AmountCell())
    owner = Field("owner__username", "owner", OwnerCell())
    archived = _archived()
    spent_today = Field("spend_today", "spent_today", AmountCell(), readonly=True)
    spent_this_month = Field("spend_this_month", "spent_this_month", AmountCell(), readonly=True)


class CampaignColumns(Resource):
    id = Field("pk", "id", KeyCell())
    brand = Field("brand__name", "brand", NameCell())
    name = Field("name", "name", NameCell())
    enabled = Field("enabled", "enabled", SwitchCell())
    daily_spend_limit = Field("daily_spend_limit", "daily_spend_limit", AmountCell())
    starts_on = Field("starts_on", "starts_on", DateCell())
    ends_on = Field("ends_on", "ends_on", DateCell())
    status = Field("status", "status", Cell(), readonly=True)
    reasons = Field(
        "pause_reasons",
        "reasons",
        Cell(),
        readonly=True,
        dehydrate_method=lambda campaign: " ".join(campaign.reasons.codes),
    )
    archived = _archived()
    spent_today = Field("spend_today", "spent_today", AmountCell(), readonly=True)


class ScheduleColumns(Resource):
    campaign_id = Field("campaign_id", "campaign_id", KeyCell())
    brand = Field("brand", "brand", NameCell())
    campaign = Field("campaign", "campaign", NameCell())
    days = Field("days", "days", DaysCell())
    start = Field("start", "from", ClockCell())
    end = Field("end", "until", ClockCell())


class WindowRow(NamedTuple):
    """One window of a campaign; days of 0 stand for a campaign that has none."""

    campaign_id: int
    brand: str
    campaign: str
    days: int = 0
    start: time | None = None
    end: time | None = None


COLUMNS: dict[Kind, type[Any]] = {
    Kind.BRANDS: BrandColumns,
    Kind.CAMPAIGNS: CampaignColumns,
    Kind.SCHEDULES: ScheduleColumns,
}

# The columns that identify a row: its id, or names.
KEYS_OF = {
    Kind.BRANDS: ("id", ("name",)),
    Kind.CAMPAIGNS: ("id", ("brand", "name")),
    Kind.SCHEDULES: ("campaign_id", ("brand", "campaign")),
}


def fields_of(kind: Kind) -> dict[str, Any]:
    """Return the fields of a kind of file by the names of their columns."""
    return {field.column_name: field for field in COLUMNS[kind].fields.values()}


def export_table(kind: Kind, ids: Sequence[int], *, now: datetime) -> tuple[list[str], list[list[Value]]]:
    """Return the columns, and a row of values for each brand, campaign or window, in order of brand and name.

    ids are those of brands or campaigns.
    """
    dataset = COLUMNS[kind]().export(list(_rows(kind, ids, now)))
    widgets = [field.widget for field in fields_of(kind).values()]
    rows = [[widget.value(text) for widget, text in zip(widgets, row, strict=True)] for row in dataset]
    return list(dataset.headers), rows


def _rows(kind: Kind, ids: Sequence[int], now: datetime) -> Iterable[Any]:
    found: list[Any] = []
    for piece in in_pieces(ids):
        if kind == Kind.BRANDS:
            found += _with_owners(brands_with_spend(Brand.objects.filter(pk__in=piece), now, piece))
        elif kind == Kind.CAMPAIGNS:
            campaigns = Campaign.objects.filter(pk__in=piece).select_related("brand")
            found += campaigns_with_own_spend(campaigns, now, piece)
        else:
            campaigns = Campaign.objects.filter(pk__in=piece).select_related("brand").prefetch_related("windows")
            found += _windows(campaigns)
    return sorted(found, key=lambda row: _order(kind, row))


def _with_owners(brands: Iterable[Any]) -> list[Any]:
    rows = list(brands)
    prefetch_related_objects(rows, "owner")
    return rows


def _windows(campaigns: Iterable[Campaign]) -> Iterator[WindowRow]:
    for campaign in campaigns:
        about = (campaign.pk, campaign.brand.name, campaign.name)
        windows = sorted(campaign.windows.all(), key=lambda window: (window.start_time, window.days_of_week, window.pk))
        if not windows:
            yield WindowRow(*about)
        for window in windows:
            yield WindowRow(*about, window.days_of_week, window.start_time, window.end_time)


def _order(kind: Kind, row: Any) -> tuple[Any, ...]:
    if kind == Kind.BRANDS:
        return (row.name, row.pk)
    if kind == Kind.CAMPAIGNS:
        return (row.brand.name, row.name, row.pk)
    return (row.brand, row.campaign, row.campaign_id)
