"""The lists below a brand's form: its campaigns with spend and status, and their latest changes."""

from __future__ import annotations

from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.admin.bulk.archive import with_archived
from campaigns.admin.ledger.history import change_chips, format_spend_of_limit
from campaigns.admin.shared.display import history_address, link_to, link_to_list, spend_bar, status_chips, table
from campaigns.admin.shared.times import local_time
from campaigns.models import Brand, Campaign, StatusChange
from campaigns.models.spend_queries import campaigns_with_own_spend
from campaigns.services.history.actors import actor_name
from campaigns.services.history.timeline import STILL_PAUSED

MAX_CAMPAIGNS, MAX_CHANGES = 20, 20


def campaigns_of(brand: Any, add_address: str) -> SafeString:
    """Return the brand's first campaigns by name, with links to all and to a new one.

    In three queries, however many there are.
    """
    shown_ones = Campaign.objects.filter(brand=brand.pk, archived_at__isnull=True)
    ids = list(shown_ones.order_by("name").values_list("pk", flat=True)[:MAX_CAMPAIGNS])
    spending: Any = campaigns_with_own_spend(Campaign.objects.filter(pk__in=ids), timezone.now(), ids)
    rows = [
        [
            link_to(campaign),
            campaign.pk,
            status_chips(campaign.reasons),
            spend_bar(campaign.spend_today, campaign.daily_spend_limit, brand.currency, of="daily spend limit"),
        ]
        for campaign in sorted(spending, key=lambda campaign: ids.index(campaign.pk))
    ]
    headers = ("Campaign", "ID", "Status", "Spent today")
    shown = table(headers, rows, numbers=(1,), empty="No campaigns yet.", label="Campaigns")
    more = brand.campaign_count > MAX_CAMPAIGNS
    every = f"View all {brand.campaign_count:,} campaigns" if more else "View in the campaign list"
    return format_html(
        '{}<p class="campaigns-more">{}{}</p>',
        shown,
        link_to_list(Campaign, every, brand__id__exact=brand.pk, **with_archived(brand)),
        format_html(' <a class="text-link" href="{}">Add campaign</a>', add_address) if add_address else "",
    )


def history_of(brand: Brand) -> SafeString:
    """Return the latest changes of the brand's campaigns, in two queries that stay fast with a long history.

    The latest changes are among those of the campaigns that changed last; the index on campaign and id finds these.
    """
    entries = StatusChange.objects.exclude(STILL_PAUSED).order_by("-id")
    last = entries.filter(campaign=OuterRef("pk")).values("pk")[:1]
    changed = Campaign.objects.filter(brand=brand.pk).annotate(last=Subquery(last)).filter(last__isnull=False)
    recent = list(changed.order_by("-last").values_list("pk", flat=True)[:MAX_CHANGES])
    changes = entries.filter(campaign__in=recent).select_related("campaign")[:MAX_CHANGES] if recent else []
    rows = [
        [
            local_time(change.at, brand.timezone),
            link_to(change.campaign),
            # On a phone it has the line below for itself.
            format_html('<div class="campaigns-why">{}</div>', change_chips(change)),
            actor_name(change.actor),
            format_spend_of_limit(change.campaign_spend, change.campaign_limit, brand.currency),
        ]
        for change in changes
    ]
    headers = (
        "When",
        "Campaign",
        "Before → after",
        "By",
        f"Campaign's daily spend ({brand.currency})",
    )
    shown = table(headers, rows, numbers=(4,), empty="No status changes yet.", label="Changes")
    every = format_html(
        '<a class="text-link" href="{}">{}</a>', history_address(brand), "Change history, with settings and notes"
    )
    return format_html('{}<p class="campaigns-more">{}</p>', shown, every)
