"""The schedule on a campaign's form: the inline with its week grid, and schedules of other campaigns to copy from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Field
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils import timezone
from unfold.admin import TabularInline

from campaigns.admin.shared.fields import ClockWidget, DaysField, is_key
from campaigns.admin.shared.forms import ConflictAwareFormSet, ConflictAwareRowForm
from campaigns.admin.shared.search import campaigns_named
from campaigns.models import Campaign, DaypartingSchedule
from campaigns.rules.periods import find_zone
from campaigns.services.bulk.schedules import PRESETS, WindowValue, value_of
from campaigns.services.permissions import visible_to

# Maximum number of suggested campaigns to copy from; typing more of the name finds others.
MAX_SUGGESTIONS = 20

# The number of windows if every second quarter-hour is selected, at different minutes each day. With all their
# fields, and those of as many removed ones, they must fit DATA_UPLOAD_MAX_NUMBER_FIELDS.
MAX_WINDOWS = 7 * 24 * 2

MINUTES_OF_A_DAY = 1440


@dataclass(frozen=True)
class Week:
    """The week as the grid shows it: the time zone, the current minute of the week in it, and the windows."""

    zone: str
    now: int | None
    windows: str
    descriptions: list[str]
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
            descriptions=[str(window) for window in windows],
            presets={name: json.dumps(schedule) for name, schedule in PRESETS.items()},
            copy_url=f"{reverse('admin:campaigns_campaign_schedules')}?but={campaign.pk or ''}",
        )


class WindowForm(ConflictAwareRowForm[DaypartingSchedule]):
    days_of_week = DaysField(label="Start days", initial=127)

    class Meta:
        model = DaypartingSchedule
        fields = ("days_of_week", "start_time", "end_time")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_new:
            # With initial times, a row that is added and not edited would count as empty and be dropped silently.
            self.initial = {**self.initial, "start_time": None, "end_time": None}


class WindowInline(TabularInline):
    model = DaypartingSchedule
    form = WindowForm
    formset: Any = WindowFormSet
    extra = 0
    max_num = MAX_WINDOWS
    verbose_name_plural = "schedule"
    template = "campaigns/admin/windows.html"

    def get_formset(self, request: HttpRequest, obj: Campaign | None = None, **kwargs: Any) -> Any:
        # Removed rows are posted too. For a campaign with more windows, written by SQL, there is “Apply a schedule”.
        return super().get_formset(request, obj, validate_max=True, absolute_max=2 * MAX_WINDOWS, **kwargs)

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("start_time", "end_time"):
            kwargs["widget"] = ClockWidget()
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    # People who may change a campaign may change its schedule.
    def has_view_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return bool(self._may(request, "view") or self._may(request, "change"))

    def has_add_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return self._may(request, "change") or self._may(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return self._may(request, "change")

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return self._may(request, "change")

    def _may(self, request: HttpRequest, what: str) -> bool:
        return request.user.has_perm(f"campaigns.{what}_campaign")


def minute_of_week(zone_name: str, now: datetime) -> int | None:
    """Return the current minute of the week in the time zone, from Monday 00:00 on; None if the zone is unknown."""
    zone = find_zone(zone_name)
    if zone is None:
        return None
    wall = now.astimezone(zone)
    return wall.weekday() * MINUTES_OF_A_DAY + wall.hour * 60 + wall.minute


def plain(windows: Iterable[DaypartingSchedule]) -> list[WindowValue]:
    """Return windows as the grid's scripts read them."""
    return list(map(value_of, windows))


def schedules(request: HttpRequest) -> JsonResponse:
    """Return the schedules of campaigns whose names match, among those that the person sees."""
    if not any(request.user.has_perm(f"campaigns.{what}_campaign") for what in ("view", "change")):
        raise PermissionDenied
    found = campaigns_named(
        request.GET.get("q", ""), visible_to(request.user, Campaign.objects.not_archived(), "brand")
    )
    but = request.GET.get("but", "")
    if is_key(but):
        found = found.exclude(pk=int(but))
    rows = found.select_related("brand").prefetch_related("windows").order_by("brand__name", "name")[:MAX_SUGGESTIONS]
    return JsonResponse({"campaigns": [_suggestion(campaign) for campaign in rows]})


def _suggestion(campaign: Campaign) -> dict[str, Any]:
    windows = list(campaign.windows.all())
    words = ", ".join(str(window) for window in windows) or "always"
    return {"name": f"{campaign.brand} / {campaign}", "windows": plain(windows), "words": words}
