"""/health/live, /health/ready and /health/jobs, for load balancers and monitoring: JSON, 200 or 503.

They are answered before all other middleware, because a probe uses plain HTTP, an address that isn't in ALLOWED_HOSTS,
and no session. The answers reveal no host, user or customer names; details are in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import ProgrammingError, connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from budget_manager.launcher import broker
from campaigns.database import session_settings
from campaigns.database.clock import SKEW, database_now, difference_in_words, machine_ahead
from campaigns.database.connection import fetch_all, is_postgresql, separate_connection
from campaigns.services.feed.drift import drift_warning
from campaigns.services.jobs.dead_rows import dead_rows_warning
from campaigns.services.jobs.health import JobHealth, PendingHealth, health
from campaigns.services.jobs.processes import Processes
from campaigns.services.totals.counted_twice import counted_twice_warning
from campaigns.services.totals.held import held_warning
from campaigns.services.totals.silence import silence_warning
from campaigns.services.webhooks.overdue import failing_emails_warning, overdue

logger = logging.getLogger(__name__)

# Timeout of the database, and then of the broker.
SECONDS = 3

OK = "ok"


class HealthMiddleware:
    """Answers the paths of PROBES; passes every other request on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = PROBES.get(request.path_info)
        return answer(request, probe) if probe else self.get_response(request)


def answer(request: HttpRequest, probe: Callable[[], tuple[bool, dict[str, Any]]]) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    healthy, facts = probe()
    body = {"status": OK if healthy else "failing", **facts}
    response = JsonResponse(body, status=200 if healthy else 503, headers={"Cache-Control": "no-store"})
    response["Content-Length"] = len(response.content)  # Django's middleware that adds it isn't reached
    return response


def live() -> tuple[bool, dict[str, Any]]:
    """This process answers. Database and broker aren't checked, because a restart wouldn't repair them."""
    return True, {}


def ready() -> tuple[bool, dict[str, Any]]:
    """Database, migrations and broker are ready to serve requests."""
    checks = {**_database_checks(), "broker": _broker_check()}
    return all(check == OK for check in checks.values()), {"checks": checks}


def _database_checks() -> dict[str, str]:
    try:
        with separate_connection(SECONDS):
            checks = {"database": _writable_check()}
            missing = missing_migrations()
    except ProgrammingError as error:  # no tables
        logger.warning("health: the database: %s", " ".join(str(error).split()))
        return {"database": "The database isn't set up yet: run `python manage.py migrate`."}
    except AnyDatabaseError as error:
        logger.warning("health: the database: %s", " ".join(str(error).split()))
        return {"database": f"The database doesn't answer within {SECONDS} seconds; the log has details."}
    count = "1 migration is" if len(missing) == 1 else f"{len(missing)} migrations are"
    return checks | {"migrations": f"{count} missing: run `python manage.py migrate`." if missing else OK}


def _writable_check() -> str:
    if is_postgresql() and fetch_all("SELECT current_setting('transaction_read_only')") != [("off",)]:
        return "The database is read-only: DATABASE_URL names a standby or a read-only server."
    return OK


def missing_migrations() -> set[tuple[str, str]]:
    """Return the migrations of this code that aren't applied; those of newer code are ignored."""
    applied = {(app, name) for app, name in fetch_all("SELECT app, name FROM django_migrations")}
    return {
        migration
        for migration, replaced in _migrations().items()
        if migration not in applied and not (replaced and replaced <= applied)
    }


@cache
def _migrations() -> dict[tuple[str, str], set[tuple[str, str]]]:
    """Return this code's migrations, each with those that it replaces. Cached, because files don't change."""
    loader = MigrationLoader(None)
    return {migration: set(loader.graph.nodes[migration].replaces) for migration in loader.graph.nodes}


def _broker_check() -> str:
    problem = broker.problem(settings.REDIS_URL, seconds=SECONDS)
    if problem is None:
        return OK
    logger.warning("health: the broker: %s", problem)
    return f"The broker doesn't answer within {SECONDS} seconds; the log has details."


def jobs() -> tuple[bool, dict[str, Any]]:
    """The last success of each job, pending spend, beat and workers."""
    try:
        with separate_connection(SECONDS):
            found = health(now=database_now())
            leaving = overdue(now=found.now)
            ahead = machine_ahead()
            dead_rows = dead_rows_warning()
            unsuitable = session_settings.problem(connection)
            forgotten = prepared_transactions_warning()
            others = [
                silence_warning(now=found.now),
                held_warning(),
                drift_warning(now=found.now),
                counted_twice_warning(),
                failing_emails_warning(now=found.now),
            ]
    except AnyDatabaseError as error:
        logger.warning("health: the database: %s", " ".join(str(error).split()))
        return False, {"problems": ["The database can't be asked: /health/ready says more."], "warnings": []}
    unsent = leaving.delivery_problem, leaving.email_problem
    problems = [*found.problems, *filter(None, [*unsent, unsuitable])]
    return not problems, {
        "problems": problems,
        "warnings": [*found.warnings, *filter(None, [_clock_warning(ahead), dead_rows, forgotten, *others])],
        "jobs": {job.name: _job(job, found.now) for job in found.jobs},
        "pending": _pending(found.pending, found.now),
        "deliveries": _leaving(leaving.delivery_problem, leaving.deliveries, found.now),
        "alert_emails": _leaving(leaving.email_problem, leaving.emails, found.now),
        "zone_data": str(settings.ZONE_DATA),
        **{process.kind: _processes(process, found.now) for process in found.processes},
    }


def prepared_transactions_warning(min_age: timedelta = timedelta(minutes=5)) -> str:
    """Return a warning about old prepared transactions, which keep their locks even through restarts."""
    if not is_postgresql():
        return ""
    ((count,),) = fetch_all(
        "SELECT COUNT(*) FROM pg_prepared_xacts WHERE database = current_database() AND prepared <= now() - %s",
        [min_age],
    )
    if not count:
        return ""
    have = "transaction has" if count == 1 else "transactions have"
    return (
        f"{count} prepared {have} held locks for more than 5 minutes: end each in pg_prepared_xacts with COMMIT"
        " PREPARED or ROLLBACK PREPARED."
    )


def _clock_warning(ahead: timedelta) -> str:
    if abs(ahead) <= SKEW:
        return ""
    return f"The clock of the web server is {difference_in_words(ahead)} the database's: synchronize the clocks."


def _job(job: JobHealth, now: datetime) -> dict[str, Any]:
    return {
        "status": job.problem or job.warning or OK,
        "last_success": _iso(job.succeeded_at),
        "age_seconds": _seconds(job.succeeded_at, now),
        "limit_seconds": _seconds(job.succeeded_at, job.expected_by),
    }


def _pending(pending: PendingHealth, now: datetime) -> dict[str, Any]:
    return {
        "status": pending.problem or pending.warning or OK,
        "oldest": _iso(pending.oldest_at),
        "age_seconds": _seconds(pending.oldest_at, now),
        "limit_seconds": _seconds(pending.oldest_at, pending.expected_by),
    }


def _leaving(problem: str, since: datetime | None, now: datetime) -> dict[str, Any]:
    return {"status": problem or OK, "oldest": _iso(since), "age_seconds": _seconds(since, now)}


def _processes(processes: Processes, now: datetime) -> dict[str, Any]:
    return {
        "status": processes.problem or OK,
        "running": processes.running,
        "last_seen": _iso(processes.seen_at),
        "age_seconds": _seconds(processes.seen_at, now),
    }


def _seconds(start: datetime | None, end: datetime | None) -> int | None:
    return None if start is None or end is None else round((end - start).total_seconds())


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(UTC).isoformat(timespec="seconds")


PROBES = {"/health/live": live, "/health/ready": ready, "/health/jobs": jobs}
