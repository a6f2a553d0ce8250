"""The periodic tasks that beat fires: made sure of after every migrate, then left to staff (design part 11)."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django_celery_beat.models import CrontabSchedule, PeriodicTask


@dataclass(frozen=True)
class Job:
    name: str
    task: str
    description: str
    cron: tuple[str, str, str]
    """Minute, hour and day of the month, in the application's time zone."""

    expire_seconds: int
    """Less than the time to its next turn, so that jobs that piled up are dropped and not replayed."""

    @property
    def run_name(self) -> str:
        """The name under which its runs are noted (JobRun)."""
        return self.task.rpartition(".")[2]


CHECK = Job(
    "Check budgets",
    "campaigns.tasks.check_budgets",
    "Every five minutes: pauses what reached a limit, resumes what may run again, closes periods that ended.",
    ("*/5", "*", "*"),
    240,
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


JOBS = (CHECK, DAILY, MONTHLY)


def ensure_periodic_tasks(using: str) -> None:
    """Add the jobs that are missing. What is there stays as staff left it: switched off, slower or renamed."""
    for job in JOBS:
        _ensure(using, job)


def _crontab(using: str, job: Job) -> CrontabSchedule:
    minute, hour, day_of_month = job.cron
    fields = {
        "minute": minute,
        "hour": hour,
        "day_of_month": day_of_month,
        "month_of_year": "*",
        "day_of_week": "*",
        "timezone": settings.TIME_ZONE,
    }
    schedules = CrontabSchedule.objects.using(using)
    return schedules.filter(**fields).first() or schedules.create(**fields)


def _ensure(using: str, job: Job) -> None:
    tasks = PeriodicTask.objects.using(using)
    if tasks.filter(task=job.task).exists():
        return
    name_is_taken = tasks.filter(name=job.name).exists()
    tasks.get_or_create(
        name=job.task if name_is_taken else job.name,
        defaults={
            "task": job.task,
            "description": job.description,
            "expire_seconds": job.expire_seconds,
            "crontab": _crontab(using, job),
        },
    )
