"""The banner on every page while the budget check is late, or before that, as soon as beat or all workers have stopped:
statuses are out of date, and budgets may be overspent.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.database.clock import database_now
from campaigns.models import Heartbeat, JobRun
from campaigns.rules.times import format_time
from campaigns.services.jobs.health import (
    JobHealth,
    health,
    in_words,
    late_check,
    late_check_of,
)
from campaigns.services.jobs.processes import Processes, stopped_processes


def banner(request: HttpRequest) -> dict[str, Any]:
    """Return the template variables of the banner; settings name this function (UNFOLD, GLOBAL_CALLBACK)."""
    if not admin.site.has_permission(request):
        return {"email_is_set_up": settings.EMAIL_IS_SET_UP}  # for the sign-in page
    now = database_now()
    shown = health(now=now) if _shows_health(request) else None
    check = late_check_of(shown) if shown else late_check(now=now)
    if check:
        return {"stalled_check": _sentence(request, check), "health": shown}
    # The home page begins with them by itself.
    stopped = [] if shown else stopped_processes(now=now)
    return {"stalled_check": _stopped(request, stopped, now) if stopped else "", "health": shown}


def _shows_health(request: HttpRequest) -> bool:
    """Return whether the page shows the health of all jobs: the home page does, to people who may view jobs."""
    match = request.resolver_match
    return bool(match and match.view_name == "admin:index" and request.user.has_perm("campaigns.view_jobrun"))


def _sentence(request: HttpRequest, check: JobHealth) -> SafeString:
    return format_html(
        "<strong>{}</strong> Campaigns won’t pause or resume until the check runs again. {}",
        _last_checked(check),
        _remedy(request, "Beat, worker or broker is down, or the check fails"),
    )


def _stopped(request: HttpRequest, stopped: list[Processes], now: datetime) -> SafeString:
    kinds = " and ".join("beat" if each.kind == Heartbeat.Kind.BEAT else "the worker" for each in stopped)
    last = max(each.seen_at for each in stopped if each.seen_at)
    return format_html(
        "<strong>{} stopped: last seen {} ago, at {}.</strong> Campaigns won’t pause or resume until {} again. {}",
        f"{kinds[0].upper()}{kinds[1:]}",
        in_words(now - last),
        format_time(last, ZoneInfo(settings.TIME_ZONE), seconds=False),
        "it runs" if len(stopped) == 1 else "they run",
        _remedy(request, "Start it again" if len(stopped) == 1 else "Start them again"),
    )


def _last_checked(check: JobHealth) -> str:
    if check.succeeded_at is None:
        return "Budgets have never been checked."
    shown = format_time(check.succeeded_at, ZoneInfo(settings.TIME_ZONE), seconds=False)
    now = database_now()
    if check.succeeded_at > now:
        return f"The last budget check is in the future, at {shown}: check the servers’ clocks."
    ago = in_words(now - check.succeeded_at)
    return f"Budgets were last checked {ago} ago, at {shown}."


def _remedy(request: HttpRequest, cause: str) -> SafeString | str:
    if not request.user.has_perm("campaigns.view_jobrun"):
        return "Please tell an administrator."
    jobs = reverse(f"admin:{JobRun._meta.app_label}_{JobRun._meta.model_name}_changelist")
    return format_html(
        '{}: see <a class="underline" href="{}">Jobs</a>, /health/jobs and the worker’s log.',
        cause,
        jobs,
    )
