"""The campaigns and brands of records that name them by ID, or by the platform's IDs that are linked to them."""

from __future__ import annotations

from collections.abc import Collection

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import in_list, list_param, rows_param, rows_sql

# The platform, and the account's and the campaign's ID there.
PlatformKey = tuple[str, str, str]

LINKED = """
    WITH given AS MATERIALIZED ({given})
    SELECT given.source, given.account, given.campaign, campaign.id, campaign.brand_id
    FROM given
    JOIN campaigns_platformaccount AS account
      ON account.source = given.source AND account.external_id = given.account
    JOIN campaigns_campaignlink AS link ON link.account_id = account.id AND link.external_id = given.campaign
    JOIN campaigns_campaign AS campaign ON campaign.id = link.campaign_id
"""
GIVEN = {"source": "text", "account": "text", "campaign": "text"}


def platform_key(source: str, account: str, campaign: str) -> PlatformKey:
    return source, _platform_id(account), _platform_id(campaign)


def _platform_id(text: str) -> str:
    return text.lower().replace(" ", "").replace("-", "")


def campaign_brands(campaign_ids: Collection[int], brands: frozenset[int] | None) -> dict[int, int]:
    """Return the brand of each campaign that exists; if brands is given, without the campaigns of others."""
    sql = f"SELECT id, brand_id FROM campaigns_campaign WHERE {in_list('id')}"
    found = fetch_all(sql, [list_param(campaign_ids)]) if campaign_ids else []
    return {campaign: brand for campaign, brand in found if brands is None or brand in brands}


def linked_campaigns(
    keys: Collection[PlatformKey], brands: frozenset[int] | None
) -> dict[PlatformKey, tuple[int, int]]:
    """Return the campaign and brand that the platform's campaigns are linked to, likewise."""
    found = fetch_all(LINKED.format(given=rows_sql(GIVEN)), [rows_param(GIVEN, keys)])
    return {
        (source, account, campaign): (campaign_id, brand_id)
        for source, account, campaign, campaign_id, brand_id in found
        if brands is None or brand_id in brands
    }
