"""What the week grid on a campaign's form needs to know, and the schedules of other campaigns, to copy from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils import timezone

from campaigns.admin.shared.fields import is_key
from campaigns.admin.shared.forms import ConflictAwareFormSet
from campaigns.admin.shared.search import campaigns_named
from campaigns.models import Campaign, DaypartingSchedule
from campaigns.rules.periods import find_zone
from campaigns.services.bulk.schedules import PRESETS, WindowValue, value_of
from campaigns.services.permissions import visible_to

OFFERED = 20
"""So many campaigns are offered to copy from; who looks for another one types more of its name."""

MINUTES_OF_A_DAY = 1440


@dataclass(frozen=True)
class Week:
    """The week as the grid shows it: the zone whose clock counts, and the minute of the week that it shows now."""

    zone: str
    now: int | None
    windows: str
    in_words: list[str]
    copy_url: str
    presets: dict[str, str]


class WindowFormSet(ConflictAwareFormSet[DaypartingSchedule]):
    @cached_property
    def week(self) -> Week:
        campaign: Campaign = self.instance
        brand = campaign.brand if campaign.brand_id else None
        windows = list(campaign.windows.all()) if campaign.pk else []
        return Week(
            zone=brand.timezone if brand else "",
            now=minute_of_week(brand.timezone, timezone.now()) if brand else None,
            windows=json.dumps(plain(windows)),
            in_words=[str(window) for window in windows],
            presets={name: json.dumps(schedule) for name, schedule in PRESETS.items()},
            copy_url=f"{reverse('admin:campaigns_campaign_schedules')}?but={campaign.pk or ''}",
        )


def minute_of_week(zone_name: str, now: datetime) -> int | None:
    """Return the minute that the zone's clock shows, from Monday 00:00 on; None for an unknown zone."""
    zone = find_zone(zone_name)
    if zone is None:
        return None
    wall = now.astimezone(zone)
    return wall.weekday() * MINUTES_OF_A_DAY + wall.hour * 60 + wall.minute


def plain(windows: Iterable[DaypartingSchedule]) -> list[WindowValue]:
    """Return windows as the grid's scripts read them."""
    return list(map(value_of, windows))


def schedules(request: HttpRequest) -> JsonResponse:
    """Answer with the schedules of campaigns of a name, among those that the person sees."""
    if not any(request.user.has_perm(f"campaigns.{what}_campaign") for what in ("view", "change")):
        raise PermissionDenied
    found = campaigns_named(request.GET.get("q", ""), visible_to(request.user, Campaign.objects.all(), "brand"))
    but = request.GET.get("but", "")
    if is_key(but):
        found = found.exclude(pk=int(but))
    rows = found.select_related("brand").prefetch_related("windows").order_by("brand__name", "name")[:OFFERED]
    return JsonResponse({"campaigns": [_offered(campaign) for campaign in rows]})


def _offered(campaign: Campaign) -> dict[str, Any]:
    windows = list(campaign.windows.all())
    words = ", ".join(str(window) for window in windows) or "always"
    return {"name": f"{campaign.brand} / {campaign}", "windows": plain(windows), "words": words}
