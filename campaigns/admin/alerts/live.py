"""What holds while nothing evaluates alerts: the check is late, or beat or all workers have stopped.

Read when a page is shown, beside the recorded alerts. The first check that runs again records it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from campaigns.models import Alert
from campaigns.services.alerts.kinds import LATE
from campaigns.services.jobs.health import late_check
from campaigns.services.jobs.processes import stopped_processes
from campaigns.services.permissions import Person, sees_only_assigned_brands

UNTIL = "Campaigns won’t pause or resume until the check runs again, so budgets may be overspent."


def live_alerts(person: Person, now: datetime) -> list[Alert]:
    """Return unsaved alerts, for people who see all brands. Two queries while all is well."""
    return [] if sees_only_assigned_brands(person) else list(_found(now))


def _found(now: datetime) -> Iterator[Alert]:
    check = late_check(now=now)
    since = check.succeeded_at if check else None
    processes = stopped_processes(now=now)
    stopped = " and ".join(f"no {each.kind}" for each in processes)
    if since is not None:
        # A reset may have recorded it, while the check itself doesn't run.
        if not Alert.objects.filter(kind=LATE, resolved_at__isnull=True).exists():
            cause = f"There is {stopped}" if stopped else "Beat, worker or broker is down, or the check fails"
            headline = f"Budgets haven’t been checked since {since:%Y-%m-%d %H:%M} UTC"
            yield _alert(headline, f"{UNTIL} {cause}: see Jobs and the worker’s log.", since)
    elif stopped:
        last = max(each.seen_at for each in processes if each.seen_at)
        headline = f"There has been {stopped} since {last:%Y-%m-%d %H:%M} UTC"
        yield _alert(headline, f"{UNTIL} Start it again.", last)


def _alert(headline: str, meaning: str, since: datetime) -> Alert:
    return Alert(kind=LATE, headline=headline, meaning=meaning, opened_at=since, is_bad=True)
