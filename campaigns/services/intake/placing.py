"""The campaigns and brands of records that name them by ID, or by the platform's IDs that are linked to them."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import in_list, list_param, rows_param, rows_sql
from campaigns.rules.platforms import platform_id

# The platform, and the account's and the campaign's ID there.
PlatformKey = tuple[str, str, str]

LINKED = """
    WITH given AS MATERIALIZED ({given})
    SELECT given.source, given.account, given.campaign, campaign.id, brand.id, account.currency, brand.currency
    FROM given
    JOIN campaigns_platformaccount AS account
      ON account.source = given.source AND account.external_id = given.account
    JOIN campaigns_campaignlink AS link ON link.account_id = account.id AND link.external_id = given.campaign
    JOIN campaigns_campaign AS campaign ON campaign.id = link.campaign_id
    JOIN campaigns_brand AS brand ON brand.id = campaign.brand_id
"""
GIVEN = {"source": "text", "account": "text", "campaign": "text"}


ACCOUNTS = """
    WITH given AS MATERIALIZED ({given})
    SELECT given.source, given.account, account.brand_id
    FROM given
    JOIN campaigns_platformaccount AS account
      ON account.source = given.source AND account.external_id = given.account
"""
ACCOUNT = {"source": "text", "account": "text"}


class Linked(NamedTuple):
    """The campaign that a platform's campaign is linked to, and the currencies of the two, which may differ."""

    campaign_id: int
    brand_id: int
    account_currency: str
    brand_currency: str

    def other_currency(self) -> bool:
        return self.account_currency not in ("", self.brand_currency)


def platform_key(source: str, account: str, campaign: str) -> PlatformKey:
    return source, platform_id(account), platform_id(campaign)


def campaign_brands(campaign_ids: Collection[int], brands: frozenset[int] | None) -> dict[int, int]:
    """Return the brand of each campaign that exists; if brands is given, without the campaigns of others."""
    sql = f"SELECT id, brand_id FROM campaigns_campaign WHERE {in_list('id')}"
    found = fetch_all(sql, [list_param(campaign_ids)]) if campaign_ids else []
    return {campaign: brand for campaign, brand in found if brands is None or brand in brands}


def linked_campaigns(keys: Collection[PlatformKey], brands: frozenset[int] | None) -> dict[PlatformKey, Linked]:
    """Return what the platform's campaigns are linked to, likewise."""
    storable = [key for key in keys if "\0" not in "".join(key)]  # PostgreSQL has no such text, and no such link
    found = fetch_all(LINKED.format(given=rows_sql(GIVEN)), [rows_param(GIVEN, storable)])
    linked = {(source, account, campaign): Linked(*rest) for source, account, campaign, *rest in found}
    return {key: each for key, each in linked.items() if brands is None or each.brand_id in brands}


def given_accounts(keys: Collection[tuple[str, str]], brands: frozenset[int]) -> set[tuple[str, str]]:
    """Return which of the platforms' accounts are there and suggest one of the brands."""
    found = fetch_all(ACCOUNTS.format(given=rows_sql(ACCOUNT)), [rows_param(ACCOUNT, keys)])
    return {(source, account) for source, account, brand in found if brand in brands}
