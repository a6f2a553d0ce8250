"""The oracle's facts as rows of the database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from campaigns.models import Campaign, DaypartingSchedule, SpendRecord
from campaigns.tests.oracle.oracle import BrandFacts, CampaignFacts, Record, Window
from campaigns.tests.support.factories import make_brand, make_campaign


def store_brand(brand: BrandFacts, created_at: datetime) -> None:
    """Store a brand without its campaigns."""
    row = make_brand(
        timezone=brand.timezone,
        enabled=brand.enabled,
        daily_budget=brand.daily_budget,
        monthly_budget=brand.monthly_budget,
        created_at=created_at,
    )
    brand.pk = row.pk


def store_campaign(brand: BrandFacts, campaign: CampaignFacts) -> None:
    """Store a campaign with its windows and without its spend."""
    row = make_campaign(
        brand_id=brand.pk,
        enabled=campaign.enabled,
        daily_spend_limit=campaign.daily_spend_limit,
        starts_on=campaign.starts_on,
        ends_on=campaign.ends_on,
    )
    campaign.pk = row.pk
    store_windows(campaign, campaign.windows)


def store_windows(campaign: CampaignFacts, windows: Iterable[Window]) -> None:
    """Put these windows in the place of those that the campaign has."""
    DaypartingSchedule.objects.filter(campaign=campaign.pk).delete()
    DaypartingSchedule.objects.bulk_create(
        DaypartingSchedule(campaign_id=campaign.pk, days_of_week=row.days, start_time=row.start, end_time=row.end)
        for row in windows
    )


def spend_row(brand: BrandFacts, campaign: CampaignFacts, record: Record) -> SpendRecord:
    """Return a record as a row that isn't saved yet."""
    return SpendRecord(
        brand_id=brand.pk,
        campaign_id=campaign.pk,
        amount=record.amount,
        timestamp=record.timestamp,
        external_id=record.external_id,
    )


def name_of(campaign: CampaignFacts) -> tuple[str, str]:
    """Return the names of its brand and of itself."""
    row = Campaign.objects.select_related("brand").get(pk=campaign.pk)
    return row.brand.name, row.name
