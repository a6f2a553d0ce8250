"""The groups of staff and their permissions: created by migrate if missing, then managed by superusers."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

VIEWERS = "Viewers"
CAMPAIGN_MANAGERS = "Campaign managers"
BRAND_MANAGERS = "Brand managers"
BRAND_VIEWERS = "Brand viewers"
OPERATORS = "Operators"

VIEW = frozenset(
    f"campaigns.view_{model}"
    for model in (
        *("brand", "campaign", "brandperiod", "statuschange", "spendrecord", "jobrun"),
        *("platformaccount", "campaignlink", "spendtotal", "alert"),
    )
)
IMPORTS = frozenset(
    f"campaigns.{name}" for name in ("add_spendupload", "view_spendupload", "view_reportimport", "view_fileformat")
)
# Linking spend that platforms report, and deciding on held decreases.
LINKS = frozenset(f"campaigns.change_{model}" for model in ("platformaccount", "campaignlink", "spendtotal"))
# Acknowledging and snoozing.
ALERTS = frozenset({"campaigns.change_alert"})
ONLY_ASSIGNED_BRANDS = VIEW - {"campaigns.view_jobrun"} | {"campaigns.only_assigned_brands"}
# Permissions by group. The permission to change a campaign includes its windows.
GROUPS = {
    VIEWERS: VIEW,
    CAMPAIGN_MANAGERS: VIEW
    | IMPORTS
    | LINKS
    | ALERTS
    | {
        "campaigns.add_brand",
        "campaigns.change_brand",
        "campaigns.add_campaign",
        "campaigns.change_campaign",
        "campaigns.delete_campaign",
    },
    BRAND_VIEWERS: ONLY_ASSIGNED_BRANDS,
    BRAND_MANAGERS: ONLY_ASSIGNED_BRANDS
    | ALERTS
    | {
        "campaigns.change_brand",
        "campaigns.add_campaign",
        "campaigns.change_campaign",
        "campaigns.delete_campaign",
    },
    OPERATORS: VIEW
    | IMPORTS
    | LINKS
    | ALERTS
    | {
        f"django_celery_beat.view_{model}"
        for model in ("periodictask", "crontabschedule", "intervalschedule", "solarschedule", "clockedschedule")
    },
}


def ensure_groups(using: str) -> None:
    """Create missing groups, without members. Existing groups stay as they are."""
    for name, permissions in GROUPS.items():
        group, is_new = Group.objects.using(using).get_or_create(name=name)
        if is_new:
            group.permissions.set(_find(using, permissions))


def _find(using: str, names: frozenset[str]) -> list[Permission]:
    wanted = Q()
    for name in names:
        app, _, codename = name.partition(".")
        wanted |= Q(content_type__app_label=app, codename=codename)
    return list(Permission.objects.using(using).filter(wanted))
