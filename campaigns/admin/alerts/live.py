"""What holds while nothing evaluates alerts: the check is late, or beat or all workers have stopped.

Read when a page is shown, beside the recorded alerts. The first check that runs again records it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from campaigns.models import Alert
from campaigns.rules.times import utc_minute
from campaigns.services.alerts.kinds import LATE
from campaigns.services.jobs.health import Health, late_check, late_check_of
from campaigns.services.jobs.processes import missing_of, stopped_processes
from campaigns.services.permissions import Person, sees_only_assigned_brands

UNTIL = "Campaigns won’t pause or resume until the check runs again, so budgets may be overspent."


def live_alerts(person: Person, now: datetime, health: Health | None = None) -> list[Alert]:
    """Return unsaved alerts, for people who see all brands. Two queries while all is well, none of known health."""
    return [] if sees_only_assigned_brands(person) else list(_found(now, health))


def _found(now: datetime, health: Health | None) -> Iterator[Alert]:
    check = late_check_of(health) if health else late_check(now=now)
    processes = missing_of(health.processes) if health else stopped_processes(now=now)
    stopped = " and ".join(f"no {each.kind}" for each in processes)
    if check and check.succeeded_at:
        cause = f"There is {stopped}" if stopped else "Beat, worker or broker is down, or the check fails"
        headline = f"Budgets haven’t been checked since {utc_minute(check.succeeded_at)}"
        yield _alert(headline, f"{UNTIL} {cause}: see Jobs and the worker’s log.", check.succeeded_at)
    elif stopped:
        last = max(each.seen_at for each in processes if each.seen_at)
        yield _alert(f"There has been {stopped} since {utc_minute(last)}", f"{UNTIL} Start it again.", last)


def _alert(headline: str, meaning: str, since: datetime) -> Alert:
    return Alert(kind=LATE, headline=headline, meaning=meaning, opened_at=since, is_bad=True)
