"""What brands and campaigns have spent today and this month, in SQL: one statement for decisions, lists and pages."""

from __future__ import annotations

from dataclasses import dataclass

from campaigns.database.dialects import MATERIALIZED, clamped, each_worker, exact_sum, sum_of_sums
from campaigns.database.statements import statement
from campaigns.models.clocks import Clocks

# Of pending spend p, with the clock of its brand's zone.
TODAY = "CASE WHEN p.quarter >= clock.day_from AND p.quarter < clock.day_until THEN p.amount ELSE 0 END"
THIS_MONTH = "CASE WHEN p.quarter >= clock.month_from AND p.quarter < clock.day_until THEN p.amount ELSE 0 END"


@dataclass(frozen=True)
class Windows:
    """How a statement reads the windows of a campaign c of a brand b.

    is_open is 1 or 0, or NULL for a campaign without windows; next_boundary is the least of an expression over them.
    """

    is_open: str
    next_boundary: str = "CAST(NULL AS integer)"
    joins: str = ""


NO_WINDOWS = Windows("CAST(NULL AS integer)")


def current_spend(
    clocks: Clocks,
    *,
    hint: str,
    pending_hint: str = "",
    campaign_hint: str = "",
    full_scan: bool = False,
    of_campaigns: bool = True,
    windows: Windows = NO_WINDOWS,
    pending_in_scope: str = "1 = 1",
    ahead_in_scope: str = "1 = 1",
    brand_in_scope: str = "1 = 1",
    campaign_in_scope: str = "1 = 1",
) -> str:
    """Return the CTEs `brand` and `campaign`, which a statement continues; see campaigns/sql/current_spend.sql.

    A statement that reads no `campaign` isn't of_campaigns: a million pending rows are grouped in half the time then.
    The conditions are on p.brand_id, p.brand_id, b.id, and c.brand_id and c.id. Parameters are clocks.params, and what
    the conditions name.
    """
    return statement(
        "current_spend",
        clocks=clocks.sql,
        clock_hint=each_worker() if full_scan else MATERIALIZED,
        hint=hint,
        pending_campaign="p.campaign_id" if of_campaigns else "CAST(NULL AS bigint)",
        pending_hint=pending_hint or hint,
        campaign_hint=campaign_hint or hint,
        pending_today=exact_sum(TODAY, "today"),
        pending_this_month=exact_sum(THIS_MONTH, "this_month"),
        sum_today=sum_of_sums("today"),
        sum_this_month=sum_of_sums("this_month"),
        campaign_today=clamped("pending.today"),
        brand_today=clamped("brand_pending.today"),
        brand_this_month=clamped("brand_pending.this_month"),
        is_open=windows.is_open,
        next_boundary=windows.next_boundary,
        window_joins=windows.joins,
        pending_in_scope=pending_in_scope,
        ahead_in_scope=ahead_in_scope,
        brand_in_scope=brand_in_scope,
        campaign_in_scope=campaign_in_scope,
    )
