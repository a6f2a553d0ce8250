"""What one look sees: the brands that a check looked at, and the spend of those that crossed a threshold."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from campaigns.database.connection import as_date, fetch_all
from campaigns.database.dialects import MATERIALIZED, in_list, list_param
from campaigns.models import AlertRule, Brand
from campaigns.models.clocks import Clocks
from campaigns.models.current_spend import current_spend
from campaigns.rules.money import from_micros

BUDGET_MONTH, BUDGET_DAY = "budget_month", "budget_day"

# Rounded up, as whole millionths: the least spend that reaches the percentage.
CROSSED = "({budget} > 0 AND {spend} >= ({budget} * {percent} + 99) / 100)"
NEVER = "1 = 0"

SPENT = """
SELECT id, name, currency, timezone, today, this_month, daily_budget, monthly_budget, day_spend, month_spend
FROM brand
WHERE today IS NOT NULL AND ({crossed})
ORDER BY id
"""


@dataclass(frozen=True)
class Spent:
    """A brand that has reached the lowest threshold of a budget."""

    pk: int
    name: str
    currency: str
    timezone: str
    today: date
    month: date
    daily_budget: Decimal | None
    monthly_budget: Decimal | None
    day_spend: Decimal
    month_spend: Decimal


@dataclass
class Look:
    """brands: their ids, or None for all, after a full check."""

    now: datetime
    brands: Collection[int] | None
    rules: dict[str, list[AlertRule]]
    # Of each rule that holds for some brands only.
    limited: dict[int, set[int]] = field(default_factory=dict)

    @property
    def is_full(self) -> bool:
        return self.brands is None

    def thresholds(self, kind: str) -> list[int]:
        return sorted({rule.threshold for rule in self.rules.get(kind, ())})

    def scope(self, column: str) -> tuple[str, dict[str, Any]]:
        """Return the condition that a column is one of the brands, and its parameters."""
        if self.brands is None:
            return "1 = 1", {}
        return in_list(column, param="%(brands)s"), {"brands": list_param(sorted(self.brands))}

    @cached_property
    def zones(self) -> list[str]:
        rows = Brand.objects.order_by()
        if self.brands is not None:
            rows = rows.filter(pk__in=self.brands)
        return list(rows.values_list("timezone", flat=True).distinct())

    @cached_property
    def spent(self) -> list[Spent]:
        """Return the enabled brands that have reached the lowest threshold of a day or month, in one statement."""
        crossed = [
            CROSSED.format(budget=budget, spend=spend, percent=self.thresholds(kind)[0])
            for kind, budget, spend in (
                (BUDGET_MONTH, "monthly_budget", "month_spend"),
                (BUDGET_DAY, "daily_budget", "day_spend"),
            )
            if self.rules.get(kind)
        ]
        if not crossed:
            return []
        clocks = Clocks(self.zones, self.now)
        in_scope, params = self.scope("b.id")
        sql = current_spend(
            clocks,
            hint=MATERIALIZED,
            of_campaigns=False,
            pending_in_scope=self.scope("p.brand_id")[0],
            ahead_in_scope=self.scope("p.brand_id")[0],
            brand_in_scope=f"{in_scope} AND b.enabled AND b.archived_at IS NULL",
        )
        rows = fetch_all(sql + SPENT.format(crossed=" OR ".join(crossed)), clocks.params | params)
        return [_spent(row) for row in rows]

    def rules_of(self, kind: str, threshold: int, brand_id: int | None) -> Iterable[AlertRule]:
        """Return the rules of a kind and threshold that hold for a brand."""
        for rule in self.rules.get(kind, ()):
            if rule.threshold == threshold and (rule.pk not in self.limited or brand_id in self.limited[rule.pk]):
                yield rule


def _spent(row: tuple[Any, ...]) -> Spent:
    pk, name, currency, zone, today, month, daily, monthly, day_spend, month_spend = row
    return Spent(
        pk,
        name,
        currency,
        zone,
        as_date(today),
        as_date(month),
        None if daily is None else from_micros(daily),
        None if monthly is None else from_micros(monthly),
        from_micros(day_spend),
        from_micros(month_spend),
    )
