"""Health of the jobs, derived from what they record in the database.

A worker that answers a ping may do nothing, so what counts is the last success of each job against the schedule that
staff gave it. A check that is late is a problem: campaigns run past their limits. A reset or a quick check that is late
or missing is a warning, because the next check does its work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Max

from campaigns.models import JobRun, PendingSpend
from campaigns.rules.times import utc_minute
from campaigns.services.jobs.processes import Processes, processes
from campaigns.services.jobs.schedule import CHECK, JOBS, QUICK, Job
from campaigns.services.jobs.turns import Turns, turns_of
from campaigns.services.ledger.fold import oldest_foldable

# A job is late this long after its scheduled time: longer than a run may take (CELERY_TASK_TIME_LIMIT).
GRACE = timedelta(minutes=5)
# Shorter: a late quick check is only a warning. Still longer than it may run, or wait before it expires.
GRACE_OF_QUICK_CHECK = timedelta(minutes=1)

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class JobHealth:
    """A job's last success, and the instant by which the next one must have come."""

    name: str
    succeeded_at: datetime | None
    expected_by: datetime
    late: bool
    problem: str = ""
    warning: str = ""


@dataclass(frozen=True)
class PendingHealth:
    """When the oldest pending row arrived, and the instant by which a check must have folded it."""

    oldest_at: datetime | None
    expected_by: datetime | None = None
    problem: str = ""
    warning: str = ""


@dataclass(frozen=True)
class Health:
    """The health of the jobs at an instant."""

    now: datetime
    jobs: list[JobHealth]
    pending: PendingHealth
    processes: list[Processes]

    @property
    def problems(self) -> list[str]:
        """Problems that need action now, a sentence each."""
        jobs, there = [job.problem for job in self.jobs], [process.problem for process in self.processes]
        return [problem for problem in (*jobs, *there, self.pending.problem) if problem]

    @property
    def warnings(self) -> list[str]:
        """Warnings that affect no decision, a sentence each."""
        jobs, there = [job.warning for job in self.jobs], [process.warning for process in self.processes]
        return [warning for warning in (*jobs, *there, self.pending.warning) if warning]


def health(*, now: datetime) -> Health:
    """Return the health of the jobs, in five queries; one more if a pending row is overdue."""
    installed_at = _installed_at(now)
    turns = turns_of(JOBS, now=now)
    runs = JobRun.objects.in_bulk()
    return Health(
        now=now,
        jobs=_jobs(turns, runs, installed_at, now),
        pending=_pending(turns[CHECK], now),
        processes=processes(now=now, installed_at=installed_at),
    )


def late_check(*, now: datetime) -> JobHealth | None:
    """Return the check if it is late, else None: one query while it succeeds, two more otherwise."""
    run = JobRun.objects.filter(name=CHECK.run_name).first()
    if run and run.succeeded_at and timedelta(0) <= now - run.succeeded_at <= GRACE:
        return None
    check = _job(turns_of([CHECK], now=now)[CHECK], run, _installed_at(now), now)
    return check if check.late else None


def no_check_since(*, now: datetime) -> datetime | None:
    """Return when the last check succeeded, if the next one is late. A time in the future is of a wrong clock."""
    check = late_check(now=now)
    return check.succeeded_at if check and check.succeeded_at and check.succeeded_at < now else None


def late_check_of(known: Health) -> JobHealth | None:
    """Return the check if it is late, else None, of what is known already."""
    return next((job for job in known.jobs if job.name == CHECK.run_name and job.late), None)


def in_words(duration: timedelta) -> str:
    """Return "25 minutes" and the like, for people."""
    minutes = int(duration.total_seconds()) // 60
    for least, size, unit in ((2880, 1440, "days"), (120, 60, "hours")):
        if minutes >= least:
            return f"{minutes // size} {unit}"
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def _installed_at(now: datetime) -> datetime:
    """Return when our tables were last migrated: what hasn't happened since then may still come in time."""
    migrations = MigrationRecorder.Migration.objects.filter(app="campaigns")
    applied: datetime | None = migrations.aggregate(last=Max("applied"))["last"]
    return applied or now


def _jobs(
    turns: Mapping[Job, Turns], runs: Mapping[str, JobRun], installed_at: datetime, now: datetime
) -> list[JobHealth]:
    return [_job(turns[job], runs.get(job.run_name), installed_at, now) for job in JOBS]


def _job(turns: Turns, run: JobRun | None, installed_at: datetime, now: datetime) -> JobHealth:
    name = turns.job.run_name
    succeeded_at = run.succeeded_at if run else None
    grace = GRACE_OF_QUICK_CHECK if turns.job is QUICK else GRACE
    is_ahead = succeeded_at is not None and succeeded_at > now + grace
    expected_by = now if is_ahead else turns.after(succeeded_at or installed_at) + grace
    late = is_ahead or now > expected_by
    is_check = turns.job is CHECK
    wrong = [turns.problem, _lateness(name, run, expected_by, now) if late and is_check else ""]
    missed = _missed(turns.job) if late and not is_check else ""
    undone = f"{name} finished with errors: see Jobs in the admin." if run and run.problem else ""
    problem = " ".join(filter(None, wrong))
    warning = " ".join(filter(None, [missed, undone]))
    if not is_check:
        problem, warning = "", " ".join(filter(None, [problem, warning]))
    return JobHealth(name, succeeded_at, expected_by, late, problem, warning)


def _missed(job: Job) -> str:
    if job is QUICK:
        return f"{job.run_name} is late: until it runs, only the full check enforces budgets, schedules and dates."
    return f"{job.run_name} missed its turn: the next check does its work."


def _lateness(name: str, run: JobRun | None, expected_by: datetime, now: datetime) -> str:
    if run is None or run.succeeded_at is None:
        sentence = f"{name} has never succeeded, and should have by {utc_minute(expected_by)}"
    elif run.succeeded_at > now:
        sentence = (
            f"{name} last succeeded at {utc_minute(run.succeeded_at)}, by a clock that was ahead: since it was set"
            " right, no run has succeeded"
        )
    else:
        ago = in_words(now - run.succeeded_at)
        sentence = f"{name} last succeeded {ago} ago, at {utc_minute(run.succeeded_at)}"
    if run and run.started_at and run.started_at > (run.succeeded_at or _LONG_AGO):
        return f"{sentence}; a run began at {utc_minute(run.started_at)} and did not succeed: see the worker's log."
    return f"{sentence}, and no run has begun since: start beat, worker and broker, or see their logs."


def _pending(turns: Turns, now: datetime) -> PendingHealth:
    """Return how long pending spend waits. Keys ascend nearly in the order of arrival."""
    oldest: datetime | None = PendingSpend.objects.order_by("id").values_list("recorded_at", flat=True).first()
    if oldest is None:
        return PendingHealth(None)
    expected_by = turns.after(oldest) + GRACE
    if now <= expected_by:
        return PendingHealth(oldest, expected_by)
    foldable = oldest_foldable()
    if foldable and now > turns.after(foldable) + GRACE:
        age = in_words(now - foldable)
        return PendingHealth(oldest, expected_by, problem=f"Pending spend waits {age} for a check to fold it.")
    age = in_words(now - oldest)
    return PendingHealth(
        oldest,
        expected_by,
        warning=f"Pending spend waits {age} for a brand in an unknown time zone: correct it in the admin.",
    )
