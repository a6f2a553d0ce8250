"""The home page: brands at risk, spend against budgets, running campaigns and recent changes.

A person sees the parts that they may view, for the brands that they see. Each number links to the list behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from campaigns.admin.alerts.alerts import alerts_context
from campaigns.admin.home.brands import of_brands, of_owner
from campaigns.admin.home.number import Number
from campaigns.admin.platforms.known import waiting_context
from campaigns.admin.shared.base import may_view
from campaigns.admin.shared.display import (
    ago,
    link_to,
    list_address,
    share_bar,
    status_chips,
)
from campaigns.admin.shared.filters import LAST_24_HOURS
from campaigns.admin.shared.times import as_of
from campaigns.models import Brand, Campaign, JobRun, StatusChange
from campaigns.rules.reasons import LABELS as REASONS
from campaigns.rules.reasons import PauseReason
from campaigns.services.feed.drift import find_drift
from campaigns.services.history.actors import actor_name, job_name
from campaigns.services.insight import home as overview
from campaigns.services.insight.home import Campaigns
from campaigns.services.jobs.health import Health
from campaigns.services.jobs.processes import Processes
from campaigns.services.permissions import Person, sees_only_assigned_brands
from campaigns.services.recent_changes import Changes, latest_changes, recent_changes

# Status changes shown under “Latest”.
LATEST = 8


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures of the home page to its context; settings name this function (UNFOLD, DASHBOARD_CALLBACK)."""
    now, user = timezone.now(), request.user
    shown: dict[str, Any] = {"title": "Home", "as_of": as_of(now), "health": _health(context.get("health"), now)}
    if may_view(request, Brand):
        brands = overview.brands_now(user, now=now)
        shown |= of_brands(brands, request) | {"mine": of_owner(brands)}
    shown["alerts"] = alerts_context(request, now, context.get("health"))
    shown["waiting"] = waiting_context(request, now)
    if may_view(request, Campaign):
        shown["campaigns"] = _of_campaigns(overview.campaigns_now(user)) | {"drift": _drift(user, now)}
    if may_view(request, StatusChange):
        shown["changes"] = _of_changes(recent_changes(user, now=now))
        shown["latest"] = list(_lines(latest_changes(user, LATEST), now))
    return context | shown


def _of_campaigns(campaigns: Campaigns) -> dict[str, Any]:
    reasons = [
        _share_of(campaigns.by_reason[reason], campaigns.count, REASONS[reason], reason=reason.codes[0])
        for reason in PauseReason
        if campaigns.by_reason[reason]
    ]
    return {
        "active": _share_of(campaigns.active, campaigns.count, "active", status__exact="active"),
        "paused": _share_of(campaigns.paused, campaigns.count, "paused", status__exact="paused"),
        "reasons": [{"number": number, "bar": _bar(number)} for number in reasons],
    }


def _drift(user: Person, now: datetime) -> Number | None:
    """Return how many paused campaigns a platform doesn't follow (R18), or None for none."""
    found = find_drift(now=now, assigned_to=user.pk if sees_only_assigned_brands(user) else None)
    count = len({each.campaign_id for each in found})
    if not count:
        return None
    label = "paused here, but not on its platform" if count == 1 else "paused here, but not on their platforms"
    return Number(count, label, list_address(Campaign, drift="any"))


def _share_of(count: int, whole: int, label: str, **filters: Any) -> Number:
    return Number(count, label, list_address(Campaign, **filters), value=count * 100 // whole if whole else 0)


def _bar(number: Number) -> SafeString:
    return share_bar(number.value, f"{number.value} % of the campaigns")


def _of_changes(changes: Changes) -> dict[str, Any]:
    def number(count: int, label: str, **filters: Any) -> Number:
        address = list_address(StatusChange, since=LAST_24_HOURS, **filters)
        return Number(count, label, address, is_capped=changes.is_capped)

    return {
        "numbers": [
            number(changes.paused, "paused", change="paused"),
            number(changes.resumed, "resumed", change="resumed"),
            number(changes.other, "pause reasons changed", change="other"),
        ],
        "paused_for": [
            number(count, REASONS[reason], change="paused", reason=reason.codes[0])
            for reason, count in changes.paused_for.items()
            if count
        ],
        "all": list_address(StatusChange),
    }


def _lines(changes: list[StatusChange], now: datetime) -> Iterator[dict[str, Any]]:
    for change in changes:
        brand = change.campaign.brand
        yield {
            "at": change.at.astimezone(UTC).isoformat(),
            "ago": ago(change.at, now),
            "campaign": link_to(change.campaign),
            "brand": link_to(brand),
            "after": status_chips(PauseReason(change.reasons_after)),
            "actor": actor_name(change.actor),
        }


def _health(health: Health | None, now: datetime) -> dict[str, Any] | None:
    if health is None:
        return None
    return {
        "problems": health.problems,
        "warnings": health.warnings,
        "jobs": [(job_name(job.name), ago(job.succeeded_at, now), job.late) for job in health.jobs],
        "missing": [_missing(each, now) for each in health.processes if each.is_missing],
        "processes": [
            (each.kind, each.running, ago(each.seen_at, now))
            for each in sorted(health.processes, key=lambda each: not each.is_missing)
        ],
        "address": list_address(JobRun),
    }


def _missing(processes: Processes, now: datetime) -> dict[str, str]:
    last = processes.seen_at
    return {
        "kind": processes.kind,
        "since": last.astimezone(UTC).isoformat() if last else "",
        "ago": ago(last, now),
        "command": processes.command,
    }
