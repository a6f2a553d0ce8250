"""The schedule of the jobs, in the admin's looks; only superusers change it, for to schedule a task is to run code."""

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
class PeriodicTaskAdmin(SuperusersOnlyMixin, beat.PeriodicTaskAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    form = PeriodicTaskForm
    # Its own only adds a script to the page, which our policy doesn't run.
    change_form_template = None  # type: ignore[assignment]  # as Django's own classes have it


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(SuperusersOnlyMixin, beat.IntervalScheduleAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    pass


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(SuperusersOnlyMixin, beat.CrontabScheduleAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    pass


@admin.register(SolarSchedule)
class SolarScheduleAdmin(SuperusersOnlyMixin):
    pass


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(SuperusersOnlyMixin, beat.ClockedScheduleAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    pass
