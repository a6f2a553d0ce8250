"""What brands have spent by day, and when their campaigns may run; read for many brands at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any

from campaigns.database.connection import as_date, fetch_all
from campaigns.database.dialects import in_list, list_param, micros_sql
from campaigns.rules.open_hours import ALWAYS, Windows
from campaigns.rules.pace import HISTORY_DAYS
from campaigns.rules.periods import first_of_month, next_month

BUDGETS = f"""
SELECT id, {micros_sql("daily_budget")}, {micros_sql("monthly_budget")} FROM campaigns_brand
WHERE {{in_brands}}
"""

PERIODS = """
SELECT brand_id, kind, starts_on, spend, closed_at IS NOT NULL, budget_at_close,
    closed_at IS NOT NULL AND budget_at_close > 0 AND spend_at_close >= budget_at_close
FROM campaigns_brandperiod
WHERE {in_brands} AND starts_on >= %(since)s AND starts_on < %(until)s
"""

# Campaigns that are on, and run today or begin this month; the whole day for those without windows.
WINDOWS = """
SELECT DISTINCT campaign.brand_id, dayparting.days_of_week, dayparting.start_time, dayparting.end_time
FROM campaigns_campaign AS campaign
LEFT JOIN campaigns_daypartingschedule AS dayparting ON dayparting.campaign_id = campaign.id
WHERE {in_brands} AND campaign.enabled
    AND (campaign.starts_on IS NULL OR campaign.starts_on < %(next_month)s)
    AND (campaign.ends_on IS NULL OR campaign.ends_on >= %(today)s)
"""


@dataclass
class History:
    """A brand's daily spend in millionths, and the budgets of its months by their first days."""

    daily_budget: int | None
    monthly_budget: int | None
    spend: dict[date, int] = field(default_factory=dict)
    closed_budgets: dict[date, int | None] = field(default_factory=dict)
    # Finished days on which the daily budget was reached, as in the statements.
    reached_days: set[date] = field(default_factory=set)

    def monthly_budgets(self, today: date) -> dict[date, int | None]:
        """Return the budgets of closed months as they were, and of the current one."""
        return self.closed_budgets | {first_of_month(today): self.monthly_budget}


def read_histories(brands: Sequence[int], *, first: date, until: date) -> dict[int, History]:
    """Return the histories of brands in whole months, from HISTORY_DAYS before one day up to another, excluded."""
    params: dict[str, Any] = {
        "brands": list_param(brands),
        "since": first_of_month(first - timedelta(days=HISTORY_DAYS)).isoformat(),
        "until": until.isoformat(),
    }
    rows = fetch_all(BUDGETS.format(in_brands=in_list("id", param="%(brands)s")), params)
    found = {pk: History(daily, monthly) for pk, daily, monthly in rows}
    periods = PERIODS.format(in_brands=in_list("brand_id", param="%(brands)s"))
    for brand, kind, starts_on, spend, is_closed, budget, is_reached in fetch_all(periods, params):
        history = found.get(brand)
        if history and kind == "day":
            history.spend[as_date(starts_on)] = spend
            if is_reached:
                history.reached_days.add(as_date(starts_on))
        elif history and is_closed:
            history.closed_budgets[as_date(starts_on)] = budget
    return found


def read_windows(brands: Iterable[int], today: date) -> dict[int, Windows]:
    """Return the windows of all campaigns of each brand that run on a day or later in its month, as one set."""
    sql = WINDOWS.format(in_brands=in_list("campaign.brand_id", param="%(brands)s"))
    params = {
        "brands": list_param(brands),
        "today": today.isoformat(),
        "next_month": next_month(first_of_month(today)).isoformat(),
    }
    found: defaultdict[int, set[Any]] = defaultdict(set)
    for brand, days, start, end in fetch_all(sql, params):
        found[brand].add(ALWAYS if days is None else (days, _as_time(start), _as_time(end)))
    return {brand: frozenset({ALWAYS} if ALWAYS in windows else windows) for brand, windows in found.items()}


def _as_time(value: time | str) -> time:
    """Return the time of day in a value from the database: on SQLite it is text."""
    return time.fromisoformat(value) if isinstance(value, str) else value
