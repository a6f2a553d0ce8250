"""The periodic tasks that beat fires: created by migrate and when beat starts, then left to staff.

Changes by staff are kept. Everything else follows the settings and the version: if TIME_ZONE changes, the resets move
to its midnight, and new defaults replace those of an earlier version.
"""

from __future__ import annotations

import logging

from celery.schedules import ParseException, crontab_parser
from django.db import connections
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks

from campaigns.models import JobZone
from campaigns.services.jobs.schedule import PERIODIC, UTC, Job

logger = logging.getLogger(__name__)


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
