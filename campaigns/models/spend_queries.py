"""Querysets with current spend: what is folded plus what is pending, in each brand's own day and month."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

from django.db.models import Field, FloatField, QuerySet

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import MATERIALIZED, NOT_MATERIALIZED, in_list, list_param
from campaigns.models.clocks import Clocks
from campaigns.models.current_spend import current_spend
from campaigns.models.derived_join import join_derived
from campaigns.models.fields import MicrosField

Ids = Sequence[int] | None
# Of a statement, each with its name and type as an annotation.
Columns = Mapping[str, tuple[str, "Field[Any, Any]"]]


class BrandSpend(TypedDict):
    spend_today: Decimal
    spend_this_month: Decimal
    # Percent of the daily budget that is spent; None without one, 100 of a budget of 0.
    percent_today: float | None


class OwnSpend(TypedDict):
    spend_today: Decimal
    # Percent of the daily spend limit, as of a brand's daily budget.
    percent_today: float | None


class CampaignSpend(OwnSpend):
    brand_spend_today: Decimal
    brand_spend_this_month: Decimal


# The annotations, each with its column in campaigns/sql/current_spend.sql.
OF_BRANDS = {"spend_today": "day_spend", "spend_this_month": "month_spend"}
OF_CAMPAIGNS = {"spend_today": "campaign_spend"}
OF_THEIR_BRANDS = {"brand_spend_today": "brand_day_spend", "brand_spend_this_month": "brand_month_spend"}


def percent_sql(limit: str, spend: str) -> str:
    """Return the SQL of the percent of a limit that is spent; a limit of 0 is reached, so all of it is."""
    return f"CASE WHEN {limit} > 0 THEN CAST({spend} AS double precision) * 100 / {limit} WHEN {limit} = 0 THEN 100 END"


# Lists sort by it: amounts of several currencies don't compare.
BRAND_PERCENT: Columns = {"percent_today": (percent_sql("daily_budget", "day_spend"), FloatField())}
CAMPAIGN_PERCENT: Columns = {"percent_today": (percent_sql("campaign_limit", "campaign_spend"), FloatField())}
PARAMETER = re.compile(r"%\((\w+)\)s")


def brands_with_spend(brands: QuerySet[Any], now: datetime, ids: Ids = None) -> QuerySet[Any]:
    """Annotate brands with BrandSpend. It's quicker if the ids of all the rows are given, here and below."""
    return brands_with(brands, {**_amounts(OF_BRANDS), **BRAND_PERCENT}, now, ids)


def brands_with(
    brands: QuerySet[Any],
    columns: Columns,
    now: datetime,
    ids: Ids = None,
    *,
    table: str = "brand",
    tables: str = "",
    calendar: Mapping[str, Callable[[ZoneInfo, datetime], int]] | None = None,
) -> QuerySet[Any]:
    """Annotate brands with columns of a table, which tables adds to those of current_spend()."""
    brand = pending = "1 = 1"
    if ids is not None:
        brand, pending = (in_list("{brand}", hashed=hashed, param="%(ids)s") for hashed in (False, True))
    return _with_spend(brands, table, columns, now, ids, brand, pending, tables=tables, calendar=calendar)


def campaigns_with_own_spend(campaigns: QuerySet[Any], now: datetime, ids: Ids = None) -> QuerySet[Any]:
    """Annotate campaigns with OwnSpend: without the brand's spend, which a list of campaigns doesn't show."""
    return _campaigns(campaigns, {**_amounts(OF_CAMPAIGNS), **CAMPAIGN_PERCENT}, now, ids)


def campaigns_with_spend(campaigns: QuerySet[Any], now: datetime, ids: Ids = None) -> QuerySet[Any]:
    """Annotate campaigns with CampaignSpend."""
    return _campaigns(campaigns, {**_amounts(OF_CAMPAIGNS | OF_THEIR_BRANDS), **CAMPAIGN_PERCENT}, now, ids)


def _amounts(columns: Mapping[str, str]) -> Columns:
    return {name: (column, MicrosField()) for name, column in columns.items()}


def _campaigns(campaigns: QuerySet[Any], columns: Columns, now: datetime, ids: Ids) -> QuerySet[Any]:
    brand = campaign = "1 = 1"
    if ids is not None:
        campaign = in_list("c.id", param="%(ids)s")
        brand = f"{{brand}} IN (SELECT c.brand_id FROM campaigns_campaign c WHERE {campaign})"
    return _with_spend(campaigns, "campaign", columns, now, ids, brand, brand, campaign)


def _with_spend(
    rows: QuerySet[Any],
    table: str,
    columns: Columns,
    now: datetime,
    ids: Ids,
    brand: str,
    pending: str,
    campaign: str = "1 = 1",
    *,
    tables: str = "",
    calendar: Mapping[str, Callable[[ZoneInfo, datetime], int]] | None = None,
) -> QuerySet[Any]:
    """Join spend to the rows by id, summed once per statement, for any number of rows.

    The pending table has no index, because each would cost its writers, so a search in it for every row would take
    seconds while it has a million rows.
    """
    clocks = Clocks((zone for (zone,) in fetch_all("SELECT DISTINCT timezone FROM campaigns_brand")), now, calendar)
    spend = current_spend(
        clocks,
        hint=NOT_MATERIALIZED if ids is None else MATERIALIZED,
        of_campaigns=table == "campaign",
        pending_in_scope=pending.format(brand="p.brand_id"),
        ahead_in_scope=brand.format(brand="p.brand_id"),
        brand_in_scope=brand.format(brand="b.id"),
        campaign_in_scope=campaign,
    )
    selected = ", ".join(f"{column} AS {name}" for name, (column, _) in columns.items())
    key = "campaign_id" if table == "campaign" else "id"
    sql = f"{spend}{tables} SELECT {key} AS id, {selected} FROM {table}"
    values = clocks.params | ({} if ids is None else {"ids": list_param(ids)})
    # Django's querysets bind parameters by position.
    params = [values[name] for name in PARAMETER.findall(sql)]
    return join_derived(rows, PARAMETER.sub("%s", sql), params, {name: field for name, (_, field) in columns.items()})
