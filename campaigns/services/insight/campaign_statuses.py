"""Campaigns with their statuses as connectors read them: why paused and until when, links, and what was applied."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Prefetch, QuerySet

from campaigns.models import Campaign, CampaignLink
from campaigns.services.feed.drift import Drift, find_drift
from campaigns.services.insight.forecast import Forecast, forecast

PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Filters:
    """Which campaigns to list; None for all."""

    # Those that the reader may see.
    visible_brands: Collection[int] | None = None
    brand: int | None = None
    is_paused: bool | None = None
    # Of a platform, and of an account of it.
    source: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class LinkedCampaign:
    """A campaign with when it can run again, its links, and their drift by link."""

    campaign: Campaign
    until: Forecast
    links: list[CampaignLink]
    drift: dict[int, Drift] = field(default_factory=dict)

    @property
    def known_until(self) -> datetime | None:
        """Return up to when its spend is known: the earliest of its accounts, if all have reported."""
        times = [link.account.reported_until for link in self.links]
        return min((at for at in times if at), default=None) if all(times) else None


def list_campaigns(
    filters: Filters, *, after: int, now: datetime, most: int = PAGE
) -> tuple[list[LinkedCampaign], bool]:
    """Return the campaigns with higher ids than after, in their order, at most so many, and whether there are more."""
    links = CampaignLink.objects.select_related("account", "applied").order_by("pk")
    rows = list(
        _campaigns(filters)
        .filter(pk__gt=after)
        .order_by("pk")
        .select_related("brand")
        .prefetch_related("windows", Prefetch("links", links))[: most + 1]
    )
    return list(_with_drift(rows[:most], now)), len(rows) > most


def _campaigns(filters: Filters) -> QuerySet[Campaign]:
    campaigns = Campaign.objects.all()
    if filters.visible_brands is not None:
        campaigns = campaigns.filter(brand__in=filters.visible_brands)
    if filters.brand is not None:
        campaigns = campaigns.filter(brand=filters.brand)
    if filters.is_paused is not None:
        campaigns = campaigns.exclude(pause_reasons=0) if filters.is_paused else campaigns.filter(pause_reasons=0)
    of_links = {"account__source": filters.source, "account__external_id": filters.account}
    given = {name: value for name, value in of_links.items() if value is not None}
    if given:
        campaigns = campaigns.filter(pk__in=CampaignLink.objects.filter(**given).values("campaign"))
    return campaigns


def _with_drift(rows: list[Campaign], now: datetime) -> Iterator[LinkedCampaign]:
    linked = [row.pk for row in rows if row.links.all()]
    drift = find_drift(now=now, campaigns=linked) if linked else []
    for row in rows:
        links = list(row.links.all())
        own = {each.link_id: each for each in drift if each.campaign_id == row.pk} if links and drift else {}
        yield LinkedCampaign(row, forecast(row, list(row.windows.all()), now), links, own)
