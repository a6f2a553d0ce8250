"""Verification: recomputing the totals from the ledger's rows, and repairing them where they differ.

A difference is what the rows say, less what is pending, less what is folded, all read in one snapshot: it is exact
beside writers and folds. A repair adds the difference to the total, under the ledger lock, which no fold can hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from campaigns.database.connection import (
    as_date,
    block_truncate,
    execute,
    fetch_all,
    one_snapshot,
    plan_for_many_rows,
    take_ledger_lock,
)
from campaigns.database.dialects import (
    clamped_sum,
    group_large_amounts_separately,
    in_list,
    list_param,
    micros_sql,
    quarter_sql,
)
from campaigns.models.brand import Brand
from campaigns.models.campaign import Campaign
from campaigns.models.periods import FIRST_PERIOD
from campaigns.rules.money import DAY_TOTAL_LIMIT, MONTH_TOTAL_LIMIT, from_micros
from campaigns.rules.periods import EARLIEST, first_of_month
from campaigns.services.ledger.booking import BOOKED, PLACED, segments_param, segments_sql

FURTHEST_FROM_UTC = timedelta(days=2)


@dataclass(frozen=True)
class Difference:
    """A total that isn't what the rows say. lacks is what must be added to it; negative where it has too much."""

    total: str
    name: str
    starts_on: date
    lacks: Decimal
    currency: str


@dataclass(frozen=True)
class TotalsRange:
    """The totals to look at: of all brands or of some, from a day on and from a month on."""

    brands: tuple[int, ...] | None = None
    first_day: date = FIRST_PERIOD
    first_month: date = FIRST_PERIOD

    @classmethod
    def since(cls, day: date | None) -> TotalsRange:
        return cls() if day is None else cls(first_day=day, first_month=first_of_month(day))


def verify(*, since: date | None = None) -> list[Difference]:
    """Return the totals that differ from the rows, of all periods or of those from a day on (and its month)."""
    with one_snapshot():
        block_truncate()
        plan_for_many_rows()
        comparison = _Comparison(TotalsRange.since(since))
        return [*_campaign_differences(comparison), *_brand_differences(comparison)]


@transaction.atomic
def repair(totals: TotalsRange) -> int:
    """Make the totals what the rows say; return the number of totals that were mended.

    One that would be larger than a total can be is left as it is, for verify() to name it again.
    """
    take_ledger_lock()
    if totals.brands is None:
        plan_for_many_rows()
    comparison = _Comparison(totals)
    campaign_days = execute(
        "INSERT INTO campaigns_campaignday (campaign_id, day, spend)"
        f" {comparison.sql} SELECT campaign_id, starts_on, lacks FROM campaign_days"
        f" WHERE ABS(found) <= {DAY_TOTAL_LIMIT}"
        " ON CONFLICT (day, campaign_id) DO UPDATE SET spend = campaigns_campaignday.spend + excluded.spend",
        comparison.params,
    )
    brand_periods = execute(
        "INSERT INTO campaigns_brandperiod (brand_id, kind, starts_on, spend)"
        f" {comparison.sql} SELECT brand_id, kind, starts_on, lacks FROM brand_periods"
        f" WHERE ABS(found) <= CASE kind WHEN 'day' THEN {DAY_TOTAL_LIMIT} ELSE {MONTH_TOTAL_LIMIT} END"
        " ON CONFLICT (kind, starts_on, brand_id) DO UPDATE SET spend = campaigns_brandperiod.spend + excluded.spend",
        comparison.params,
    )
    return campaign_days + brand_periods


DAYS = """
SELECT DISTINCT zone.timezone, spent.day FROM (
    SELECT DISTINCT brand_id, {quarter} / 96 AS day
    FROM campaigns_spendrecord WHERE {brand_in_scope} AND timestamp >= %s
    UNION SELECT brand_id, quarter / 96 FROM campaigns_pendingspend WHERE {brand_in_scope}
) AS spent
JOIN campaigns_accountingtimezone AS zone ON zone.brand_id = spent.brand_id
"""

DIFFERENCES = """
WITH segment AS MATERIALIZED ({segments}),
spent AS MATERIALIZED (
    SELECT brand_id, campaign_id, quarter, SUM(amount) AS amount FROM (
        SELECT id, brand_id, campaign_id, {quarter} AS quarter, {micros} AS amount
        FROM campaigns_spendrecord WHERE {brand_in_scope} AND timestamp >= %s
        UNION ALL
        SELECT id, brand_id, campaign_id, quarter, -amount FROM campaigns_pendingspend WHERE {brand_in_scope}
    ) AS changes
    GROUP BY brand_id, campaign_id, quarter{group_large_amounts_separately}
),
placed AS ({placed}),
booked AS MATERIALIZED ({booked}),
campaign_days AS (
    SELECT campaign_id, starts_on, {amount_sum} AS lacks, {found_sum} AS found FROM (
        SELECT campaign_id, starts_on, amount, amount AS found FROM booked WHERE kind = 'day'
        UNION ALL
        SELECT campaign_id, day, -spend, 0 FROM campaigns_campaignday WHERE {campaign_in_scope}
    ) AS both_sides
    WHERE starts_on >= %s AND campaign_id IN (SELECT id FROM campaigns_campaign)
    GROUP BY campaign_id, starts_on HAVING {amount_sum} <> 0
),
brand_periods AS (
    SELECT brand_id, kind, starts_on, {amount_sum} AS lacks, {found_sum} AS found FROM (
        SELECT brand_id, kind, starts_on, amount, amount AS found FROM booked
        UNION ALL
        SELECT brand_id, kind, starts_on, -spend, 0 FROM campaigns_brandperiod WHERE {brand_in_scope}
    ) AS both_sides
    WHERE ((kind = 'day' AND starts_on >= %s) OR (kind = 'month' AND starts_on >= %s))
        AND brand_id IN (SELECT id FROM campaigns_brand)
    GROUP BY brand_id, kind, starts_on HAVING {amount_sum} <> 0
)
"""


class _Comparison:
    """The statement that compares rows and totals, with its parameters."""

    def __init__(self, totals: TotalsRange) -> None:
        in_scope = "1 = 1" if totals.brands is None else in_list("brand_id")
        scope: list[Any] = [] if totals.brands is None else [list_param(totals.brands)]
        self.rows_from = connection.ops.adapt_datetimefield_value(_first_instant(totals.first_month))
        self.sql = DIFFERENCES.format(
            segments=segments_sql(),
            quarter=quarter_sql("timestamp"),
            micros=micros_sql("amount"),
            amount_sum=clamped_sum("amount"),
            found_sum=clamped_sum("found"),
            group_large_amounts_separately=group_large_amounts_separately("amount", "id"),
            placed=PLACED.format(
                spent="spent", books="campaigns_accountingtimezone", of="spent.brand_id, spent.campaign_id"
            ),
            booked=BOOKED.format(placed="placed", of="placed.brand_id, placed.campaign_id"),
            brand_in_scope=in_scope,
            campaign_in_scope="1 = 1"
            if totals.brands is None
            else f"campaign_id IN (SELECT id FROM campaigns_campaign WHERE {in_scope})",
        )
        segments = segments_param(self._days(in_scope, scope))
        self.params: list[Any] = [
            *(segments, *scope, self.rows_from, *scope),
            *(*scope, totals.first_day),
            *(*scope, totals.first_day, totals.first_month),
        ]

    def _days(self, in_scope: str, scope: Iterable[Any]) -> dict[str, set[int]]:
        """Return the UTC days that have spend of brands booked in each zone."""
        sql = DAYS.format(quarter=quarter_sql("timestamp"), brand_in_scope=in_scope)
        days: dict[str, set[int]] = {}
        for zone, day in fetch_all(sql, [*scope, self.rows_from, *scope]):
            days.setdefault(zone, set()).add(day)
        return days


def _first_instant(month: date) -> datetime:
    """Return an instant before which no row can count for the month, in whatever zone."""
    if month <= EARLIEST.date():
        return EARLIEST
    return datetime.combine(month, time.min, tzinfo=UTC) - FURTHEST_FROM_UTC


def _campaign_differences(comparison: _Comparison) -> Iterator[Difference]:
    rows = fetch_all(
        f"{comparison.sql} SELECT campaign_id, starts_on, lacks FROM campaign_days ORDER BY 1, 2",
        comparison.params,
    )
    found = Campaign.objects.filter(pk__in={row[0] for row in rows})
    about = {pk: rest for pk, *rest in found.values_list("pk", "name", "brand__currency")}
    for pk, day, lacks in rows:
        name, currency = about.get(pk, ("?", ""))
        yield Difference("campaign day", f"{name} (campaign {pk})", as_date(day), from_micros(lacks), currency)


def _brand_differences(comparison: _Comparison) -> Iterator[Difference]:
    rows = fetch_all(
        f"{comparison.sql} SELECT brand_id, kind, starts_on, lacks FROM brand_periods ORDER BY 1, 2, 3",
        comparison.params,
    )
    found = Brand.objects.filter(pk__in={row[0] for row in rows})
    about = {pk: rest for pk, *rest in found.values_list("pk", "name", "currency")}
    for pk, kind, starts_on, lacks in rows:
        name, currency = about.get(pk, ("?", ""))
        yield Difference(f"brand {kind}", f"{name} (brand {pk})", as_date(starts_on), from_micros(lacks), currency)
