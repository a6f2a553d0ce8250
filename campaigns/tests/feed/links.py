"""Links of campaigns to a platform, and reports about them."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

from campaigns.models import Campaign, CampaignLink, PlatformAccount, PlatformStatus
from campaigns.services.feed.applied import Refused, Report, report_applied

ACTIVE, PAUSED = PlatformStatus.ACTIVE, PlatformStatus.PAUSED
_numbers = itertools.count(1)


def make_link(campaign: Campaign | None, **fields: Any) -> CampaignLink:
    """Link a campaign of Google Ads, in an account of its own unless one is given."""
    number = next(_numbers)
    account = fields.pop("account", None) or PlatformAccount.objects.create(
        source="google_ads", external_id=f"{number:010}"
    )
    return CampaignLink.objects.create(account=account, campaign=campaign, **{"external_id": f"c{number}"} | fields)


def key_of(link: CampaignLink) -> tuple[str, str, str]:
    return link.account.source, link.account.external_id, link.external_id


def acknowledge(
    link: CampaignLink, change: int, status: PlatformStatus, at: datetime, *, received: datetime, problem: str = ""
) -> list[Refused]:
    return report_applied([Report(1, key_of(link), status, at, change, problem)], now=received).refused


def see(link: CampaignLink, status: PlatformStatus, at: datetime, *, received: datetime) -> list[Refused]:
    return report_applied([Report(1, key_of(link), status, at)], now=received).refused
