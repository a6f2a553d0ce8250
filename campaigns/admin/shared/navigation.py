"""The sidebar: the lists that the person may view."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

GROUPS = {
    "Budgets": (
        ("Brands", "storefront", "campaigns", "brand"),
        ("Campaigns", "campaign", "campaigns", "campaign"),
        ("Alerts", "notifications", "campaigns", "alert"),
        ("Statements", "receipt_long", "campaigns", "brandperiod"),
    ),
    "Activity": (
        ("Status changes", "history", "campaigns", "statuschange"),
        ("Spend records", "payments", "campaigns", "spendrecord"),
        ("Spend imports", "upload_file", "campaigns", "spendupload"),
        ("Report imports", "assignment_returned", "campaigns", "reportimport"),
        ("Report formats", "table_view", "campaigns", "fileformat"),
        ("Jobs", "task_alt", "campaigns", "jobrun"),
    ),
    "Platforms": (
        ("Unassigned spend", "help", "campaigns", "campaignlink", "unassigned"),
        ("Accounts", "account_balance", "campaigns", "platformaccount"),
        ("Platform campaigns", "link", "campaigns", "campaignlink"),
        ("Reported totals", "functions", "campaigns", "spendtotal"),
    ),
    "Administration": (
        ("Users", "person", "auth", "user"),
        ("Groups", "group", "auth", "group"),
        ("API keys", "key", "campaigns", "apikey"),
        ("Webhooks", "webhook", "campaigns", "endpoint"),
        ("Deliveries", "outbox", "campaigns", "delivery"),
        ("Failed sign-ins", "lock_clock", "axes", "accessattempt"),
        ("Alert rules", "rule", "campaigns", "alertrule"),
        ("Alert e-mails", "mail", "campaigns", "alertemail"),
        ("Periodic tasks", "schedule", "django_celery_beat", "periodictask"),
        ("Crontabs", "calendar_month", "django_celery_beat", "crontabschedule"),
        ("Intervals", "timer", "django_celery_beat", "intervalschedule"),
    ),
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of the sidebar; settings name this function (UNFOLD, SIDEBAR)."""
    groups = [
        {"title": title, "items": [_item(*entry) for entry in entries if _may_view(request, *entry[2:4])]}
        for title, entries in GROUPS.items()
    ]
    home = {"title": "Home", "icon": "home", "link": reverse("admin:index")}
    return [{"items": [home]}, *(group for group in groups if group["items"])]


def _may_view(request: HttpRequest, app: str, model: str) -> bool:
    return any(request.user.has_perm(f"{app}.{what}_{model}") for what in ("view", "change"))


def _item(title: str, icon: str, app: str, model: str, page: str = "changelist") -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse(f"admin:{app}_{model}_{page}")}
