"""Querysets with current spend: what is folded plus what is pending, in each brand's own day and month."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypedDict
from zoneinfo import ZoneInfo

from django.db.models import Field, FloatField, QuerySet, Value

from campaigns.database.connection import fetch_all, is_postgresql
from campaigns.database.dialects import MATERIALIZED, NOT_MATERIALIZED, clamped, in_list, list_param
from campaigns.database.statements import statement
from campaigns.models.clocks import Clocks
from campaigns.models.current_spend import current_spend
from campaigns.models.derived_join import join_derived
from campaigns.models.fields import MicrosField
from campaigns.rules.periods import ONE_DAY

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


class CampaignMonth(OwnSpend):
    spend_this_month: Decimal
    # The instant that the figures are of, so that what a page adds to them needn't read the clock for each row.
    figures_at: datetime


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
# What a list of dates is bound as, by whether the database is PostgreSQL.
DATES = {True: "date[]", False: "text"}
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


def campaigns_with_month(campaigns: QuerySet[Any], now: datetime, ids: Ids = None) -> QuerySet[Any]:
    """Annotate campaigns with OwnSpend and CampaignMonth.

    The month is the sum of the campaign's folded days, at most 31 look-ups in the index of days for each of the ids,
    and of its pending spend. Without ids the days of all campaigns are read.
    """
    amounts = _amounts(OF_CAMPAIGNS | {"spend_this_month": "campaign_month_spend"})
    found = _campaigns(campaigns, {**amounts, **CAMPAIGN_PERCENT}, now, ids, with_month=True)
    annotated: QuerySet[Any] = found.annotate(figures_at=Value(now))
    return annotated


def _amounts(columns: Mapping[str, str]) -> Columns:
    return {name: (column, MicrosField()) for name, column in columns.items()}


def _campaigns(
    campaigns: QuerySet[Any], columns: Columns, now: datetime, ids: Ids, *, with_month: bool = False
) -> QuerySet[Any]:
    brand = campaign = of_day = "1 = 1"
    if ids is not None:
        campaign, of_day = (in_list(column, param="%(ids)s") for column in ("c.id", "d.campaign_id"))
        brand = f"{{brand}} IN (SELECT c.brand_id FROM campaigns_campaign c WHERE {campaign})"
    table, tables = "campaign", ""
    if with_month:
        table = "campaign_month"
        days = in_list("d.day", param="%(days)s").replace("%(days)s", f"CAST(%(days)s AS {DATES[is_postgresql()]})")
        tables = statement(
            "campaign_month",
            days_in_scope=f"{days} AND {of_day}",
            pending_this_month=clamped("pending.this_month"),
        )
    return _with_spend(campaigns, table, columns, now, ids, brand, brand, campaign, tables=tables)


def days_of_months(first: str, last: str) -> list[str]:
    """Return the days from one to another; none where no zone is known. Listed one by one, each is looked up."""
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return [(start + ONE_DAY * number).isoformat() for number in range((end - start).days + 1)]


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
    is_of_campaigns = table in ("campaign", "campaign_month")
    spend = current_spend(
        clocks,
        hint=NOT_MATERIALIZED if ids is None else MATERIALIZED,
        of_campaigns=is_of_campaigns,
        pending_in_scope=pending.format(brand="p.brand_id"),
        ahead_in_scope=brand.format(brand="p.brand_id"),
        brand_in_scope=brand.format(brand="b.id"),
        campaign_in_scope=campaign,
    )
    selected = ", ".join(f"{column} AS {name}" for name, (column, _) in columns.items())
    key = "campaign_id" if is_of_campaigns else "id"
    sql = f"{spend}{tables} SELECT {key} AS id, {selected} FROM {table}"
    values = clocks.params | ({} if ids is None else {"ids": list_param(ids)})
    values["days"] = list_param(days_of_months(values["first_month"], values["last_day"]))
    return join_derived(rows, *bound_by_position(sql, values), {name: field for name, (_, field) in columns.items()})


def bound_by_position(sql: str, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Return a statement whose parameters have names as Django's querysets bind them, by position."""
    return PARAMETER.sub("%s", sql), [values[name] for name in PARAMETER.findall(sql)]
