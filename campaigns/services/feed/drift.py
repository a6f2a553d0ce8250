"""Drift (R18): links whose platform doesn't follow a pause. The product reports it and never fights the platform.

A pause that isn't acknowledged within DRIFT_MINUTES, by our clock, or a campaign that was seen running twice in a row,
later than the acknowledgement of its pause. Only links that have ever been acknowledged can drift.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import connection

from campaigns.database.connection import as_instant, fetch_all
from campaigns.database.dialects import in_list, list_param
from campaigns.database.statements import statement
from campaigns.models import CampaignLink

# Above every position.
NEVER = 2**63 - 1
# Of a warning.
MOST_COUNTED = 1_000

ASSIGNED = "campaign.brand_id IN (SELECT brand_id FROM campaigns_brandassignment WHERE user_id = %(user)s)"


class DriftKind(StrEnum):
    LATE = "late"
    RUNNING = "running"

    @property
    def sentence(self) -> str:
        if self is self.LATE:
            return "the pause hasn't been applied"
        return "it was seen running after the pause was applied"


@dataclass(frozen=True, slots=True)
class Drift:
    """A link that doesn't follow the pause of its campaign."""

    link_id: int
    campaign_id: int
    brand_id: int
    kind: DriftKind
    # When the campaign was paused here; None if its history doesn't say.
    paused_at: datetime | None
    # Why the connector couldn't apply it, in its own words, or "".
    problem: str


def find_drift(
    *,
    now: datetime,
    campaigns: Collection[int] | None = None,
    brands: Collection[int] | None = None,
    assigned_to: int | None = None,
    most: int | None = None,
) -> list[Drift]:
    """Return the drift of these campaigns and brands, or of all, in order of the links; at most so many.

    assigned_to is a user, for the drift of the brands that are assigned to this user.
    """
    conditions, params = ["TRUE"], dict[str, Any]()
    if assigned_to is not None:
        conditions.append(ASSIGNED)
        params["user"] = assigned_to
    for column, ids in (("campaign.id", campaigns), ("campaign.brand_id", brands)):
        if ids is not None:
            name = column.partition(".")[2]
            conditions.append(in_list(column, param=f"%({name})s"))
            params[name] = list_param(ids)
    late = now - timedelta(minutes=settings.DRIFT_MINUTES)
    sql = statement(
        "feed/drift",
        never=str(NEVER),
        late=DriftKind.LATE,
        running=DriftKind.RUNNING,
        in_scope=" AND ".join(conditions),
        limit="" if most is None else f"LIMIT {int(most)}",
    )
    rows = fetch_all(sql, params | {"late": connection.ops.adapt_datetimefield_value(late)})
    return [
        Drift(link, campaign, brand, DriftKind(kind), None if paused is None else as_instant(paused), problem)
        for link, campaign, brand, paused, problem, kind in rows
    ]


def links_with_reports(campaign_id: int) -> list[CampaignLink]:
    """Return the campaign's links with their accounts, and with what was applied and seen (applied), if anything."""
    links = CampaignLink.objects.filter(campaign=campaign_id).select_related("account", "applied")
    return list(links.order_by("account__source", "account__name", "name", "pk"))


def drift_warning(*, now: datetime) -> str:
    """Return how many platform campaigns don't follow a pause, for monitoring: without names; "" if none."""
    count = len(find_drift(now=now, most=MOST_COUNTED))
    if not count:
        return ""
    counted = f"at least {count:,}" if count == MOST_COUNTED else f"{count:,}"
    return f"Platforms don’t follow pauses of campaigns, {counted} in all: home and Alerts say which."
