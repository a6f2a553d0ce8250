"""GET /api/v1/campaigns and /api/v1/changes: list the campaigns once, then follow what changes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from django.http import HttpRequest, HttpResponse
from msgspec import UNSET, Meta, UnsetType

from campaigns.api.endpoint import endpoint
from campaigns.api.problems import Problem, json_response
from campaigns.api.query import given, read_query
from campaigns.database.clock import database_now
from campaigns.models import AppliedStatus, CampaignLink, PlatformStatus
from campaigns.models.platforms.api_keys import Scope
from campaigns.rules.platforms import platform_id
from campaigns.rules.reasons import PauseReason
from campaigns.services.api_keys import ValidKey
from campaigns.services.feed.drift import Drift
from campaigns.services.feed.pages import FeedChange, UnknownPosition, read_page
from campaigns.services.feed.publish import last_position
from campaigns.services.insight.campaign_statuses import Filters, LinkedCampaign, list_campaigns

# The position of the first page, and the ID to go on from.
CURSOR = r"^[0-9]{1,18}\.[0-9]{1,18}$"

Status = Literal["active", "paused"]
Position = Annotated[int, Meta(ge=0, le=2**63 - 1, description="A position in the feed of changes.")]
Reasons = Annotated[list[str], Meta(description="Every pause reason that holds; none for an active campaign.")]


class CampaignsQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Which campaigns to list."""

    brand: Annotated[int, Meta(ge=1, le=2**63 - 1, description="Our ID of a brand.")] | UnsetType = UNSET
    status: Annotated[Status | UnsetType, Meta(description="Only campaigns with this status.")] = UNSET
    source: Annotated[str, Meta(max_length=255, description="Only campaigns linked to this platform.")] | UnsetType = (
        UNSET
    )
    account: Annotated[str, Meta(max_length=255, description="Only campaigns linked to this account.")] | UnsetType = (
        UNSET
    )
    cursor: Annotated[str, Meta(pattern=CURSOR, description="next of the page before.")] | UnsetType = UNSET


class ChangesQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Where to go on."""

    after: Position


class Applied(msgspec.Struct):
    """What the connector said last that it has applied."""

    status: Status
    change: Position
    at: Annotated[datetime, Meta(description="When, by the connector's clock.")]
    received: Annotated[datetime, Meta(description="When it was acknowledged, by ours.")]


class Seen(msgspec.Struct):
    """What the platform showed last."""

    status: Status
    at: datetime
    received: datetime


class Link(msgspec.Struct):
    """A campaign of a platform."""

    source: str
    account: str
    campaign: str
    name: str
    applied: Applied | None
    seen: Seen | None
    problem: Annotated[str, Meta(description="Why the latest change couldn't be applied, as the connector said.")]
    drift: Annotated[
        Literal["late", "running"] | None,
        Meta(description="late: the pause wasn't acknowledged in time; running: seen running since it was."),
    ]


class CampaignStatus(msgspec.Struct):
    """A campaign, and whether it may run."""

    id: int
    brand: int
    name: str
    enabled: bool
    status: Status
    reasons: Reasons
    until: Annotated[datetime | None, Meta(description="When it can run again, if nothing else changes.")]
    until_text: Annotated[str, Meta(description="The same in words, also where it depends on people.")]
    known_until: Annotated[datetime | None, Meta(description="Up to when the spend of its accounts is known.")]
    links: list[Link]


class CampaignsPage(msgspec.Struct):
    """Campaigns by ID. Follow the changes from the position, which is the same on all pages."""

    position: Position
    campaigns: list[CampaignStatus]
    next: Annotated[str | None, Meta(description="The cursor of the next page; null on the last one.")]


class Change(msgspec.Struct):
    """A change of a campaign's pause reasons."""

    position: Position
    campaign: int
    brand: int
    status: Annotated[Status, Meta(description="The campaign's status now: what to apply.")]
    reasons: Reasons
    changed_from: Annotated[list[str], Meta(description="The pause reasons before this change.")]
    changed_to: Annotated[list[str], Meta(description="The pause reasons that this change set.")]
    at: Annotated[datetime, Meta(description="When this change was written.")]


class ChangesPage(msgspec.Struct):
    """Changes in order. Ask again with after=position."""

    changes: list[Change]
    position: Position
    more: Annotated[bool, Meta(description="Whether there are more already: ask again at once.")]


@endpoint("GET", Scope.STATUS_READ)
def get_campaigns(request: HttpRequest, key: ValidKey) -> HttpResponse:
    query = read_query(request, CampaignsQuery)
    position, after = _read_cursor(query.cursor)
    filters = Filters(
        visible_brands=key.brands,
        brand=given(query.brand),
        is_paused=None if query.status is UNSET else query.status == "paused",
        source=given(query.source),
        account=None if query.account is UNSET else platform_id(query.account),
    )
    campaigns, more = list_campaigns(filters, after=after, now=database_now())
    following = f"{position}.{campaigns[-1].campaign.pk}" if more else None
    return json_response(CampaignsPage(position, [_campaign(each) for each in campaigns], following))


def _read_cursor(cursor: str | UnsetType) -> tuple[int, int]:
    """Return the position of the first page, which is read before any campaign, and the id to go on from."""
    if cursor is UNSET:
        return last_position(), 0
    position, _, after = cursor.partition(".")
    return int(position), int(after)


@endpoint("GET", Scope.STATUS_READ)
def get_changes(request: HttpRequest, key: ValidKey) -> HttpResponse:
    query = read_query(request, ChangesQuery)
    try:
        page = read_page(query.after, brands=key.brands)
    except UnknownPosition:
        detail = f"The position {query.after} was pruned, or never given: list the campaigns again."
        raise Problem("unknown-position", detail) from None
    return json_response(ChangesPage([_change(change) for change in page.changes], page.position, page.more))


def _change(change: FeedChange) -> Change:
    return Change(
        change.position,
        change.campaign_id,
        change.brand_id,
        _status(change.now),
        change.now.codes,
        change.before.codes,
        change.after.codes,
        change.written_at,
    )


def _campaign(listed: LinkedCampaign) -> CampaignStatus:
    campaign = listed.campaign
    return CampaignStatus(
        campaign.pk,
        campaign.brand_id,
        campaign.name,
        campaign.enabled,
        _status(campaign.reasons),
        campaign.reasons.codes,
        listed.until.at,
        listed.until.text,
        listed.known_until,
        [_link(link, listed.drift.get(link.pk)) for link in listed.links],
    )


def _link(link: CampaignLink, drift: Drift | None) -> Link:
    row: AppliedStatus | None = getattr(link, "applied", None)
    if row is not None and row.for_campaign != link.campaign_id:
        row = None
    applied = seen = None
    if row and row.applied_at and row.applied_received and row.applied_position is not None:
        applied = Applied(_known(row.applied_status), row.applied_position, row.applied_at, row.applied_received)
    if row and row.seen_at and row.seen_received:
        seen = Seen(_known(row.seen_status), row.seen_at, row.seen_received)
    return Link(
        link.account.source,
        link.account.external_id,
        link.external_id,
        link.name,
        applied,
        seen,
        row.problem if row else "",
        None if drift is None else drift.kind.value,
    )


def _status(reasons: PauseReason) -> Status:
    return "paused" if reasons else "active"


def _known(status: str) -> Status:
    return "paused" if status == PlatformStatus.PAUSED else "active"
