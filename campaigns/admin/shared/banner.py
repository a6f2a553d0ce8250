"""The banner on every page while the budget check is late: statuses are out of date, and budgets may be overspent."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.database.clock import database_now
from campaigns.models import JobRun
from campaigns.rules.times import format_time
from campaigns.services.jobs.health import JobHealth, health, in_words, late_check, late_check_of


def banner(request: HttpRequest) -> dict[str, Any]:
    """Return the template variables of the banner; settings name this function (UNFOLD, GLOBAL_CALLBACK)."""
    if not admin.site.has_permission(request):
        return {"email_is_set_up": settings.EMAIL_IS_SET_UP}  # for the sign-in page
    now = database_now()
    shown = health(now=now) if _shows_health(request) else None
    check = late_check_of(shown) if shown else late_check(now=now)
    return {"stalled_check": _sentence(request, check) if check else "", "health": shown}


def _shows_health(request: HttpRequest) -> bool:
    """Return whether the page shows the health of all jobs: the home page does, to people who may view jobs."""
    match = request.resolver_match
    return bool(match and match.view_name == "admin:index" and request.user.has_perm("campaigns.view_jobrun"))


def _sentence(request: HttpRequest, check: JobHealth) -> SafeString:
    return format_html(
        "<strong>{}</strong> Campaigns won’t pause or resume until the check runs again. {}",
        _last_checked(check),
        _remedy(request),
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


def _remedy(request: HttpRequest) -> SafeString | str:
    if not request.user.has_perm("campaigns.view_jobrun"):
        return "Please tell an administrator."
    jobs = reverse(f"admin:{JobRun._meta.app_label}_{JobRun._meta.model_name}_changelist")
    return format_html(
        'Beat, worker or broker is down, or the check fails: see <a class="underline" href="{}">Jobs</a>, /health/jobs'
        " and the worker’s log.",
        jobs,
    )
