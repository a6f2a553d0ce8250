"""One look: the instant, and the brands that a check looked at."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import MATERIALIZED, NOT_MATERIALIZED, in_list, list_param
from campaigns.models.clocks import Clocks
from campaigns.models.current_spend import current_spend
from campaigns.models.pace_queries import CALENDAR, pace_sql

BUDGET_MONTH, BUDGET_DAY, CAMPAIGN_LIMIT = "budget_month", "budget_day", "campaign_limit"

# That a campaigns_alertrule AS rule holds for a brand: a rule without brands holds for all.
OF_RULE = """(
    NOT EXISTS (SELECT 1 FROM campaigns_alertrule_brands AS limited WHERE limited.alertrule_id = rule.id)
    OR EXISTS (
        SELECT 1 FROM campaigns_alertrule_brands AS limited
        WHERE limited.alertrule_id = rule.id AND limited.brand_id = brand.id
    )
)"""


@dataclass(frozen=True)
class Look:
    """brands: their ids, or None for all, after a full check."""

    now: datetime
    brands: Collection[int] | None
    # When the check before succeeded, if this one comes late.
    no_check_since: datetime | None = None

    @property
    def is_full(self) -> bool:
        return self.brands is None

    def scope(self, column: str) -> str:
        """Return the condition that a column is one of the brands."""
        return "1 = 1" if self.brands is None else in_list(column, param="%(brands)s")

    @cached_property
    def params(self) -> dict[str, Any]:
        """Return the parameters of scope()."""
        return {} if self.brands is None else {"brands": list_param(sorted(self.brands))}

    @cached_property
    def zones(self) -> list[str]:
        sql = f"SELECT DISTINCT timezone FROM campaigns_brand WHERE {self.scope('id')}"
        return [zone for (zone,) in fetch_all(sql, self.params)]

    def paced(self, brands: Collection[int]) -> tuple[str, dict[str, Any]]:
        """Return the tables up to `paced`, the projections of these brands (campaigns/sql/brand_pace.sql)."""
        clocks = Clocks(self.zones, self.now, CALENDAR)
        spend = current_spend(
            clocks,
            hint=MATERIALIZED,
            pending_hint=NOT_MATERIALIZED,
            of_campaigns=False,
            pending_in_scope=in_list("p.brand_id", param="%(paced)s"),
            ahead_in_scope=in_list("p.brand_id", param="%(paced)s"),
            brand_in_scope=in_list("b.id", param="%(paced)s"),
        )
        return spend + pace_sql(), clocks.params | {"paced": list_param(brands)}
