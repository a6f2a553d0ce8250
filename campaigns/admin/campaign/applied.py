"""What connectors have applied of a campaign's status on the platforms, above its form; and drift as a filter (R18)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter

from campaigns.admin.shared.filters import DescribedFilter, with_ids
from campaigns.models import AppliedStatus, Campaign, CampaignLink, PlatformStatus, StatusChange
from campaigns.rules.platforms import SOURCES
from campaigns.services.feed.drift import DriftKind, find_drift, links_with_reports
from campaigns.services.insight.forecast import format_day

ANY = "any"


class AppliedLine(NamedTuple):
    """A link of the campaign: where, in sentences, and why it is drift, or ""."""

    where: str
    text: str
    drift: str


class DriftFilter(DescribedFilter, DropdownFilter):
    """Paused campaigns that a platform doesn't follow."""

    title = "drift"
    parameter_name = "drift"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [
            (ANY, "any drift"),
            (DriftKind.LATE, "pause not applied in time"),
            (DriftKind.RUNNING, "running although paused"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in (ANY, *DriftKind):
            return queryset
        found = find_drift(now=timezone.now())
        return with_ids(queryset, sorted({each.campaign_id for each in found if self.value() in (ANY, each.kind)}))


def applied_lines(
    campaign: Campaign, changes: Sequence[StatusChange], zone: ZoneInfo | None, now: datetime
) -> list[AppliedLine]:
    """Return a line for each link that a connector has reported about; changes are the newest first."""
    reported = [(link, row) for link in links_with_reports(campaign.pk) if (row := _row(link))]
    if not reported or zone is None:
        return []
    drift = {each.link_id: each for each in find_drift(now=now, campaigns=[campaign.pk])}
    changed = next((each for each in changes if _changes_status(each)), None)
    clock = _Clock(zone, now)
    return [
        AppliedLine(
            _where(link),
            " ".join(_sentences(campaign, link, row, changed, clock)),
            drift[link.pk].kind.sentence if link.pk in drift else "",
        )
        for link, row in reported
    ]


class _Clock(NamedTuple):
    zone: ZoneInfo
    now: datetime

    def show(self, at: datetime) -> str:
        """Return the time to the second, with its day unless that is today."""
        wall, today = at.astimezone(self.zone), self.now.astimezone(self.zone).date()
        day = "" if wall.date() == today else f"{format_day(wall.date(), today)} "
        return f"{day}{wall:%H:%M:%S}"


def _row(link: CampaignLink) -> AppliedStatus | None:
    row: AppliedStatus | None = getattr(link, "applied", None)
    return row if row and row.for_campaign == link.campaign_id else None


def _changes_status(change: StatusChange) -> bool:
    return not (change.reasons_before and change.reasons_after)


def _where(link: CampaignLink) -> str:
    return f"{SOURCES.get(link.account.source, link.account.source)}, {link.account}, campaign {link}"


def _sentences(
    campaign: Campaign, link: CampaignLink, row: AppliedStatus, changed: StatusChange | None, clock: _Clock
) -> Iterator[str]:
    status = PlatformStatus.PAUSED if campaign.reasons else PlatformStatus.ACTIVE
    here = "Paused here" if campaign.reasons else "Resumed here"
    platform = SOURCES.get(link.account.source, link.account.source)
    begin = f"{here} {clock.show(changed.recorded_at)}, " if changed else ""
    if _is_applied(row, status, changed) and row.applied_at and row.applied_received:
        # By the connector's clock, unless that is behind ours.
        at = row.applied_at if not changed or row.applied_at >= changed.recorded_at else row.applied_received
        applied = f"{begin}applied on {platform} {clock.show(at)}."
    else:
        applied = f"{begin}not applied on {platform} yet."
    yield applied[0].upper() + applied[1:]
    if row.problem:
        yield f"The connector says: {row.problem.rstrip('.')}."
    if row.seen_received:
        seen = "running" if row.seen_status == PlatformStatus.ACTIVE else "paused"
        yield f"Last seen {seen} there {clock.show(row.seen_received)}."


def _is_applied(row: AppliedStatus, status: PlatformStatus, changed: StatusChange | None) -> bool:
    if row.applied_status != status or row.applied_received is None:
        return False
    return changed is None or row.applied_received >= changed.recorded_at
