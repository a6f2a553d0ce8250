from __future__ import annotations

from typing import Any

from django.db.models import Field
from django.http import HttpRequest
from unfold.admin import TabularInline

from campaigns.admin.campaign.week import WindowFormSet
from campaigns.admin.shared.fields import ClockWidget, DaysField
from campaigns.admin.shared.forms import ConflictAwareRowForm
from campaigns.models import Campaign, DaypartingSchedule

MOST_WINDOWS = 7 * 24 * 2
"""So many has a week in which every second quarter of an hour is painted, each day at other minutes.

With all their fields, and those of as many that are taken away, they must fit DATA_UPLOAD_MAX_NUMBER_FIELDS.
"""


class WindowForm(ConflictAwareRowForm[DaypartingSchedule]):
    parent_field = "campaign"
    days_of_week = DaysField(label="Start days", initial=127)

    class Meta:
        model = DaypartingSchedule
        fields = ("days_of_week", "start_time", "end_time")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_new:
            # A row that is added and left as it is would count as an empty one and be dropped without a word.
            self.initial = {**self.initial, "start_time": None, "end_time": None}


class WindowInline(TabularInline):
    model = DaypartingSchedule
    form = WindowForm
    formset: Any = WindowFormSet
    extra = 0
    max_num = MOST_WINDOWS
    verbose_name_plural = "schedule"
    template = "campaigns/admin/windows.html"

    def get_formset(self, request: HttpRequest, obj: Campaign | None = None, **kwargs: Any) -> Any:
        # Rows that are taken away are posted too. A campaign to which SQL gave more has the action “Apply a schedule”.
        return super().get_formset(request, obj, validate_max=True, absolute_max=2 * MOST_WINDOWS, **kwargs)

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("start_time", "end_time"):
            kwargs["widget"] = ClockWidget()
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    # Whoever may change a campaign may change its schedule.
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
