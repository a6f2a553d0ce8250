"""Verification: recomputing the totals from the ledger's rows, and repairing them where they differ.

A difference is what the rows say, less what is pending, less what is folded, all read in one snapshot: it is exact
beside writers and folds. A repair adds the difference to the total, under the ledger lock, which no fold can hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

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
    group_large_amounts_separately,
    in_list,
    list_param,
    micros_sql,
    quarter_sql,
    sum_function,
)
from campaigns.database.statements import statement
from campaigns.models.brand import Brand
from campaigns.models.campaign import Campaign
from campaigns.models.clocks import segments_param, segments_sql
from campaigns.models.periods import FIRST_PERIOD
from campaigns.rules.money import DAY_TOTAL_LIMIT, MONTH_TOTAL_LIMIT, from_micros
from campaigns.rules.periods import EARLIEST, first_of_month

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
    return sum(execute(comparison.sql(then), comparison.params | LIMITS) for then in (ADD_CAMPAIGN_DAYS, ADD_PERIODS))


LIMITS = {"day_limit": DAY_TOTAL_LIMIT, "month_limit": MONTH_TOTAL_LIMIT}

ADD_CAMPAIGN_DAYS = """
INSERT INTO campaigns_campaignday (campaign_id, day, spend)
SELECT campaign_id, starts_on, lacks FROM campaign_days WHERE ABS(found) <= %(day_limit)s
ON CONFLICT (day, campaign_id) DO UPDATE SET spend = campaigns_campaignday.spend + excluded.spend
"""

ADD_PERIODS = """
INSERT INTO campaigns_brandperiod (brand_id, kind, starts_on, spend)
SELECT brand_id, kind, starts_on, lacks FROM brand_periods
WHERE ABS(found) <= CASE kind WHEN 'day' THEN %(day_limit)s ELSE %(month_limit)s END
ON CONFLICT (kind, starts_on, brand_id) DO UPDATE SET spend = campaigns_brandperiod.spend + excluded.spend
"""


class _Comparison:
    """The statement that compares rows and totals, with its parameters."""

    def __init__(self, totals: TotalsRange) -> None:
        self.in_scope = "1 = 1" if totals.brands is None else in_list("brand_id", param="%(scope)s")
        self.campaign_in_scope = "1 = 1"
        rows_from = connection.ops.adapt_datetimefield_value(_first_instant(totals.first_month))
        self.params = {"rows_from": rows_from, "first_day": totals.first_day, "first_month": totals.first_month}
        if totals.brands is not None:
            self.params["scope"] = list_param(totals.brands)
            self.campaign_in_scope = f"campaign_id IN (SELECT id FROM campaigns_campaign WHERE {self.in_scope})"
        self.params["segments"] = segments_param(self._days())

    def sql(self, then: str) -> str:
        """Return the statement that does something with the differences."""
        return statement(
            "ledger/differences",
            segments=segments_sql(),
            booked=statement("ledger/booked"),
            quarter=quarter_sql("timestamp"),
            micros=micros_sql("amount"),
            sum=sum_function(),
            group_large_amounts_separately=group_large_amounts_separately("amount", "id"),
            in_scope=self.in_scope,
            campaign_in_scope=self.campaign_in_scope,
            then=then,
        )

    def _days(self) -> dict[str, set[int]]:
        """Return the UTC days that have spend of brands in each accounting time zone."""
        sql = statement("ledger/days_of_spend", quarter=quarter_sql("timestamp"), in_scope=self.in_scope)
        days: dict[str, set[int]] = {}
        for zone, day in fetch_all(sql, self.params):
            days.setdefault(zone, set()).add(day)
        return days


def _first_instant(month: date) -> datetime:
    """Return an instant before which no row can count for the month, in any zone."""
    if month <= EARLIEST.date():
        return EARLIEST
    return datetime.combine(month, time.min, tzinfo=UTC) - FURTHEST_FROM_UTC


def _campaign_differences(comparison: _Comparison) -> Iterator[Difference]:
    rows = fetch_all(
        comparison.sql("SELECT campaign_id, starts_on, lacks FROM campaign_days ORDER BY 1, 2"),
        comparison.params,
    )
    found = Campaign.objects.filter(pk__in={row[0] for row in rows})
    about = {pk: rest for pk, *rest in found.values_list("pk", "name", "brand__currency")}
    for pk, day, lacks in rows:
        name, currency = about.get(pk, ("?", ""))
        yield Difference("campaign day", f"{name} (campaign {pk})", as_date(day), from_micros(lacks), currency)


def _brand_differences(comparison: _Comparison) -> Iterator[Difference]:
    rows = fetch_all(
        comparison.sql("SELECT brand_id, kind, starts_on, lacks FROM brand_periods ORDER BY 1, 2, 3"),
        comparison.params,
    )
    found = Brand.objects.filter(pk__in={row[0] for row in rows})
    about = {pk: rest for pk, *rest in found.values_list("pk", "name", "currency")}
    for pk, kind, starts_on, lacks in rows:
        name, currency = about.get(pk, ("?", ""))
        yield Difference(f"brand {kind}", f"{name} (brand {pk})", as_date(starts_on), from_micros(lacks), currency)
