"""The usual implementation: a loop over campaigns that sums each one's spend by a query, and saves each.

It is kind to the loop: a brand's spend is added up from its campaigns' in Python, windows come with one query for all,
and the statuses that it ends with are the same as ours. Without pending spend, closing, history, locks and months
that aren't the calendar's of one zone, it does much less.
"""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.db.models import Q, Sum

from campaigns.models import Brand, Campaign, DaypartingSchedule, SpendRecord
from campaigns.rules.periods import first_of_month, start_of_day
from campaigns.rules.reasons import PauseReason

CHUNK = 500


def loop(now: datetime) -> int:
    """Check every campaign at an instant; return how many there are."""
    count = 0
    brands = Brand.objects.order_by("id").prefetch_related("campaigns__windows")
    for brand in brands.iterator(chunk_size=CHUNK):
        campaigns = list(brand.campaigns.all())
        spent = [spend_of(campaign, brand, now) for campaign in campaigns]
        today, this_month = (sum(amounts) for amounts in zip(*spent, strict=True))
        for campaign, (own, _) in zip(campaigns, spent, strict=True):
            campaign.pause_reasons = reasons(campaign, brand, now, (own, today, this_month))
            campaign.save(update_fields=["pause_reasons"])
        count += len(campaigns)
    return count


def spend_of(campaign: Campaign, brand: Brand, now: datetime) -> tuple[float, float]:
    """Return what a campaign has spent today and this month, by one query over its records."""
    zone = ZoneInfo(brand.timezone)
    today = now.astimezone(zone).date()
    day, month = start_of_day(zone, today), start_of_day(zone, first_of_month(today))
    sums = SpendRecord.objects.filter(campaign=campaign, timestamp__gte=month, timestamp__lte=now).aggregate(
        today=Sum("amount", filter=Q(timestamp__gte=day)), this_month=Sum("amount")
    )
    return float(sums["today"] or 0), float(sums["this_month"] or 0)


def reasons(campaign: Campaign, brand: Brand, now: datetime, spent: tuple[float, float, float]) -> int:
    local = now.astimezone(ZoneInfo(brand.timezone)).time()
    windows = list(campaign.windows.all())
    conditions = {
        PauseReason.CAMPAIGN_DISABLED: not campaign.enabled,
        PauseReason.BRAND_DISABLED: not brand.enabled,
        PauseReason.OUTSIDE_SCHEDULE: bool(windows) and not any(is_open(window, local) for window in windows),
        PauseReason.CAMPAIGN_DAILY_LIMIT: spent[0] >= float(campaign.daily_spend_limit or "inf"),
        PauseReason.BRAND_DAILY_BUDGET: spent[1] >= float(brand.daily_budget or "inf"),
        PauseReason.BRAND_MONTHLY_BUDGET: spent[2] >= float(brand.monthly_budget or "inf"),
    }
    return sum(int(reason) for reason, holds in conditions.items() if holds)


def is_open(window: DaypartingSchedule, local: time) -> bool:
    """Of a window of every day."""
    if window.start_time < window.end_time:
        return window.start_time <= local < window.end_time
    return local >= window.start_time or local < window.end_time
