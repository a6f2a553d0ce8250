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
        ("Imports of spend records", "upload_file", "campaigns", "spendupload"),
        ("Imports of platform reports", "assignment_returned", "campaigns", "reportimport"),
        ("Formats of platform reports", "table_view", "campaigns", "fileformat"),
        ("Jobs", "task_alt", "campaigns", "jobrun"),
    ),
    "Platforms": (
        ("Unassigned spend", "help", "campaigns", "campaignlink", "unassigned"),
        ("Accounts", "account_balance", "campaigns", "platformaccount"),
        ("Platform campaigns", "link", "campaigns", "campaignlink"),
        ("Daily totals of platforms", "functions", "campaigns", "spendtotal"),
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
    shown: list[dict[str, Any]] = [{"items": [home]}, *(group for group in groups if group["items"])]
    items = [item for group in shown for item in group["items"]]
    current = _current(request.path, [item["link"] for item in items])
    for item in items:
        item["active"] = item["link"] == current
    return shown


def _current(path: str, links: list[str]) -> str:
    """Return the link of the page or of the nearest above it; some pages are below another entry's list."""
    home = reverse("admin:index")
    above = [link for link in links if path.startswith(link) and (link != home or path == home)]
    return max(above, key=len, default="")


def _may_view(request: HttpRequest, app: str, model: str) -> bool:
    return any(request.user.has_perm(f"{app}.{what}_{model}") for what in ("view", "change"))


def _item(title: str, icon: str, app: str, model: str, page: str = "changelist") -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse(f"admin:{app}_{model}_{page}")}
