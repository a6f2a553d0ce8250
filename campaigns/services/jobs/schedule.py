"""The periodic tasks that beat fires: created by migrate and when beat starts, then left to staff.

Changes by staff are kept. Everything else follows the settings and the version: if TIME_ZONE changes, the resets move
to its midnight, and new defaults replace those of an earlier version.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from celery.schedules import ParseException, crontab_parser, schedule
from django.conf import settings
from django.db import connections
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks
from django_celery_beat.tzcrontab import TzAwareCrontab

from campaigns.models import JobZone

logger = logging.getLogger(__name__)

UTC = "UTC"


@dataclass(frozen=True)
class Job:
    name: str
    task: str
    description: str
    # Minute, hour and day of the month; None for a job that runs at an interval.
    cron: tuple[str, str, str] | None

    # So that jobs that piled up are dropped and not replayed; with room for clocks that differ.
    expire_seconds: int

    # Seconds between two runs, if there is no cron.
    every: int = 0

    # Whether its cron is read in UTC; else in the application's time zone.
    in_utc: bool = False

    # What an earlier version has written.
    former_expire_seconds: int | None = None

    @property
    def run_name(self) -> str:
        """The name under which its runs are noted (JobRun)."""
        return self.task.rpartition(".")[2]

    @property
    def zone(self) -> str:
        return UTC if self.in_utc else settings.TIME_ZONE


# In UTC, because a crontab of a zone stands still for the hour by which its clocks are put back. Every zone's clock
# differs from UTC by whole quarter-hours, so the minutes divisible by five are the same in all zones.
CHECK = Job(
    "Check budgets",
    "campaigns.tasks.check_budgets",
    "Every five minutes: pauses what reached a limit, resumes what may run again, closes periods that ended.",
    ("*/5", "*", "*"),
    240,
    in_utc=True,
)
DAILY = Job(
    "Reset daily spend",
    "campaigns.tasks.reset_daily_spend",
    "At midnight: opens the new day on the dot. The check does the same if this one is missed.",
    ("0", "0", "*"),
    3600,
)
MONTHLY = Job(
    "Reset monthly spend",
    "campaigns.tasks.reset_monthly_spend",
    "On the 1st at midnight: opens the new month on the dot. The check does the same if this one is missed.",
    ("0", "0", "1"),
    3600,
)
# Beat's clock says when a message expires, and the worker's whether it has: they may differ by most of a minute. A
# longer time would let more quick checks pile up before a full check on a worker with one process.
QUICK = Job(
    "Quick check",
    "campaigns.tasks.quick_check",
    "Every ten seconds: pauses and resumes campaigns that had spend or whose next change is due.",
    None,
    expire_seconds=60,
    every=10,
    former_expire_seconds=10,
)

# Sends nothing that it isn't time for, so a run that is missed is no loss: its runs aren't noted.
SEND_ALERTS = Job(
    "Send alerts",
    "campaigns.tasks.send_alerts",
    "Every ten seconds: writes and sends the e-mails about alerts, and digests.",
    None,
    expire_seconds=60,
    every=10,
)

# Whose runs are noted, and late when they don't come.
JOBS = (CHECK, DAILY, MONTHLY, QUICK)

# No job that enforces: it isn't watched as they are.
DELIVER = Job(
    "Deliver webhooks",
    "campaigns.tasks.deliver",
    "Every five seconds: sends webhooks that are due.",
    None,
    expire_seconds=60,
    every=5,
)

PERIODIC = (*JOBS, SEND_ALERTS, DELIVER)


def ensure_periodic_tasks(using: str) -> None:
    """Add missing jobs, and correct unchanged ones; those that staff switched off, slowed or renamed stay so."""
    for job in PERIODIC:
        tasks = _tasks(using, job)
        if not tasks:
            _create(using, job)
        for task in tasks:
            _skip_no_hour(using, task)
            _expire_later(using, job, task)
        if job.cron and not job.in_utc:
            _follow_time_zone(using, job)


def _tasks(using: str, job: Job) -> list[PeriodicTask]:
    tasks = PeriodicTask.objects.using(using).filter(task=job.task)
    return list(tasks.select_related("crontab", "interval").order_by("pk"))


def _create(using: str, job: Job) -> None:
    tasks = PeriodicTask.objects.using(using)
    name_is_taken = tasks.filter(name=job.name).exists()
    tasks.get_or_create(
        name=job.task if name_is_taken else job.name,
        defaults={
            "task": job.task,
            "description": job.description,
            "expire_seconds": job.expire_seconds,
            **_when(using, job),
        },
    )


def _when(using: str, job: Job) -> dict[str, CrontabSchedule | IntervalSchedule]:
    """Return the schedule of the job's periodic task, under the name of its field."""
    if job.cron:
        return {"crontab": _crontab(using, job.cron, job.zone)}
    fields = {"every": job.every, "period": IntervalSchedule.SECONDS}
    schedules = IntervalSchedule.objects.using(using)
    return {"interval": schedules.filter(**fields).first() or schedules.create(**fields)}


def _crontab(using: str, cron: tuple[str, str, str], zone: str) -> CrontabSchedule:
    minute, hour, day_of_month = cron
    fields = {
        "minute": minute,
        "hour": hour,
        "day_of_month": day_of_month,
        "month_of_year": "*",
        "day_of_week": "*",
        "timezone": zone,
    }
    schedules = CrontabSchedule.objects.using(using)
    return schedules.filter(**fields).first() or schedules.create(**fields)


def _change(using: str, task: PeriodicTask, **fields: object) -> None:
    """Change a task and let a running beat know; its own save() would refuse one that staff left inconsistent."""
    PeriodicTask.objects.using(using).filter(pk=task.pk).update(**fields)
    PeriodicTasks.objects.using(using).update_or_create(ident=1, defaults={"last_update": timezone.now()})


def _skip_no_hour(using: str, task: PeriodicTask) -> None:
    """Read a crontab of every hour in UTC, if that makes no difference but when clocks are put back."""
    crontab = task.crontab
    if crontab is None or str(crontab.timezone) == UTC or not _is_the_same_in_all_zones(crontab):
        return
    logger.info("“%s” goes by UTC now: its turns are the same, but for the hour that comes twice.", task.name)
    _change(using, task, crontab=_crontab(using, (crontab.minute, "*", "*"), UTC))


def _is_the_same_in_all_zones(crontab: CrontabSchedule) -> bool:
    """Return whether the crontab means the same in UTC: it runs every hour, and zones differ by quarter-hours."""
    if {crontab.hour, crontab.day_of_month, crontab.month_of_year, crontab.day_of_week} != {"*"}:
        return False
    try:
        minutes = set(crontab_parser(60).parse(crontab.minute))
    except (ValueError, ParseException):
        return False
    return {(minute + 15) % 60 for minute in minutes} == minutes


def _expire_later(using: str, job: Job, task: PeriodicTask) -> None:
    interval = task.interval
    is_ours = interval and (interval.every, interval.period) == (job.every, IntervalSchedule.SECONDS)
    if is_ours and task.expire_seconds == job.former_expire_seconds:
        _change(using, task, expire_seconds=job.expire_seconds)


def _follow_time_zone(using: str, job: Job) -> None:
    """Move the job's crontab into TIME_ZONE, unless staff chose another zone than we gave it, or other times.

    Where no zone is noted it is an earlier version's.
    """
    if JobZone._meta.db_table not in connections[using].introspection.table_names():
        return  # migrated back, or not so far yet
    zones = JobZone.objects.using(using)
    given = zones.filter(task=job.task).values_list("timezone", flat=True).first()
    for task in _tasks(using, job):
        zone = _zone_of_original(job, task)
        if zone and zone != job.zone and given in (None, zone):
            logger.info("“%s” goes by %s now, as TIME_ZONE says; before by %s.", task.name, job.zone, zone)
            _change(using, task, crontab=_when(using, job)["crontab"])
    if job.zone in {_zone_of_original(job, task) for task in _tasks(using, job)}:
        zones.update_or_create(task=job.task, defaults={"timezone": job.zone})


def _zone_of_original(job: Job, task: PeriodicTask) -> str:
    """Return the zone of the task's crontab, where its times are those that we gave it; else nothing."""
    crontab = task.crontab
    if crontab is None:
        return ""
    at = crontab.minute, crontab.hour, crontab.day_of_month
    is_original = at == job.cron and crontab.month_of_year == crontab.day_of_week == "*"
    return str(crontab.timezone) if is_original else ""


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
