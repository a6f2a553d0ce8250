"""The jobs that beat starts, and when: what a new installation's periodic tasks say."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

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
