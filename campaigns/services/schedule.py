"""The periodic tasks that beat fires: made sure of after every migrate, then left to staff (design part 11)."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask


@dataclass(frozen=True)
class Job:
    name: str
    task: str
    description: str
    cron: tuple[str, str, str] | None
    """Minute, hour and day of the month, in the application's time zone; None: every so many seconds."""

    expire_seconds: int
    """Not more than the time to its next turn, so that jobs that piled up are dropped and not replayed."""

    every: int = 0
    """Seconds between two turns, where there is no cron."""

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
QUICK = Job(
    "Quick pass",
    "campaigns.tasks.quick_pass",
    "Every ten seconds: pauses and resumes what had spend and what time has reached. The check does the same, later.",
    None,
    expire_seconds=10,
    every=10,
)


JOBS = (CHECK, DAILY, MONTHLY, QUICK)


def ensure_periodic_tasks(using: str) -> None:
    """Add the jobs that are missing. What is there stays as staff left it: switched off, slower or renamed."""
    for job in JOBS:
        _ensure(using, job)


def _when(using: str, job: Job) -> dict[str, CrontabSchedule | IntervalSchedule]:
    """Return the schedule of the job's periodic task, under the name of its field."""
    if job.cron:
        return {"crontab": _crontab(using, *job.cron)}
    fields = {"every": job.every, "period": IntervalSchedule.SECONDS}
    schedules = IntervalSchedule.objects.using(using)
    return {"interval": schedules.filter(**fields).first() or schedules.create(**fields)}


def _crontab(using: str, minute: str, hour: str, day_of_month: str) -> CrontabSchedule:
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
            **_when(using, job),
        },
    )
