"""The schedule of the jobs, in the admin's theme. Only superusers change it: scheduling a task runs code."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django_celery_beat import admin as beat
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from campaigns.admin.shared.base import SuperusersOnlyMixin
from campaigns.admin.shared.lists import ScalableListMixin
from campaigns.admin.shared.times import time_column

for model in (PeriodicTask, IntervalSchedule, CrontabSchedule, SolarSchedule, ClockedSchedule):
    admin.site.unregister(model)


class TaskSelectWidget(UnfoldAdminSelectWidget, beat.TaskSelectWidget):
    pass


class PeriodicTaskForm(beat.PeriodicTaskForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "task" in self.fields:
            self.fields["task"].widget = UnfoldAdminTextInputWidget()
            self.fields["regtask"].widget = TaskSelectWidget()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(SuperusersOnlyMixin, ScalableListMixin, beat.PeriodicTaskAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    form = PeriodicTaskForm
    list_display: Any = (
        *("name", "enabled", "scheduler", "interval"),
        *(time_column("start_time", "start time"), time_column("last_run_at", "last run"), "one_off"),
    )
    # The library's template only adds an inline script, which our content security policy blocks.
    change_form_template = None  # type: ignore[assignment]  # None is Django's default


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(SuperusersOnlyMixin, ScalableListMixin, beat.IntervalScheduleAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    pass


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(SuperusersOnlyMixin, ScalableListMixin, beat.CrontabScheduleAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    pass


@admin.register(SolarSchedule)
class SolarScheduleAdmin(SuperusersOnlyMixin, ScalableListMixin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    pass


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(SuperusersOnlyMixin, ScalableListMixin, beat.ClockedScheduleAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    pass
