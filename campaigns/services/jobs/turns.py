"""When beat fires a job next, by the periodic tasks as staff have them; and what is wrong if it never does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from celery.schedules import ParseException, schedule
from django_celery_beat.models import PeriodicTask
from django_celery_beat.tzcrontab import TzAwareCrontab

from campaigns.services.jobs.schedule import Job


@dataclass(frozen=True)
class Turns:
    """A job's turns: the schedules by which beat fires it again and again, and what is wrong if there is none."""

    job: Job
    schedules: tuple[Any, ...]
    problem: str

    def after(self, instant: datetime) -> datetime:
        """Return the next turn after an instant; without any schedule, by the job's original one."""
        schedules = self.schedules or (_original(self.job),)
        return min(instant + _remaining(each, instant) for each in schedules)


def turns_of(jobs: Iterable[Job], *, now: datetime) -> dict[Job, Turns]:
    """Return the turns of each job, in one query."""
    wanted = {job.task: job for job in jobs}
    found: dict[Job, list[PeriodicTask]] = {job: [] for job in wanted.values()}
    for task in PeriodicTask.objects.filter(task__in=wanted).select_related("crontab", "interval"):
        found[wanted[task.task]].append(task)
    return {job: _turns(job, tasks, now) for job, tasks in found.items()}


def _turns(job: Job, tasks: list[PeriodicTask], now: datetime) -> Turns:
    schedules = tuple(found for task in tasks if (found := _schedule(task, now)))
    return Turns(job, schedules, "" if schedules else _why_none(job, tasks))


def _schedule(task: PeriodicTask, now: datetime) -> Any:
    """Return the schedule by which beat fires the task again and again; None if it doesn't."""
    begun = task.start_time is None or task.start_time <= now
    ended = task.expires is not None and task.expires <= now
    repeats = (task.interval or task.crontab) and not task.one_off
    if not (task.enabled and begun and not ended and repeats):
        return None
    try:
        return task.schedule
    except (ValueError, ParseException):  # a crontab of 31 February, or of nonsense
        return None


def _why_none(job: Job, tasks: list[PeriodicTask]) -> str:
    if not tasks:
        return f"No periodic task runs {job.run_name}: run `manage.py migrate`, which adds it."
    if not any(task.enabled for task in tasks):
        return f"The periodic task of {job.run_name} is switched off: enable it in the admin, under Periodic tasks."
    return (
        f"The periodic task of {job.run_name} has ended, hasn't begun, or has no schedule that repeats: correct it in"
        " the admin, under Periodic tasks."
    )


def _remaining(turns: Any, instant: datetime) -> timedelta:
    turns.nowfun = lambda: instant
    remaining: timedelta = turns.remaining_estimate(instant)
    return remaining


def _original(job: Job) -> Any:
    if job.cron is None:
        return schedule(timedelta(seconds=job.every))
    minute, hour, day_of_month = job.cron
    return TzAwareCrontab(  # type: ignore[no-untyped-call]
        minute, hour, day_of_month=day_of_month, tz=ZoneInfo(job.zone)
    )
