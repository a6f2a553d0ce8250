"""The bare statements that ours are measured against: the same rows and columns, and no rules."""

from __future__ import annotations

from django.db import transaction

from benchmarks.world import World, instant
from campaigns.database.connection import execute, fetch_all
from campaigns.rules.periods import NEVER, first_of_month, minute_of
from campaigns.rules.reasons import PauseReason

JOIN = """
SELECT SUM(num_nulls(c.id, c.brand_id, c.pause_reasons, c.next_change_minute, c.enabled, c.starts_on, c.ends_on,
    c.daily_spend_limit, b.enabled, b.timezone, b.daily_budget, b.monthly_budget, w.days_of_week, w.start_time,
    w.end_time, own_day.spend, brand_day.spend, brand_month.spend))
FROM campaigns_campaign c
JOIN campaigns_brand b ON b.id = c.brand_id
LEFT JOIN campaigns_daypartingschedule w ON w.campaign_id = c.id
LEFT JOIN campaigns_campaignday own_day ON own_day.campaign_id = c.id AND own_day.day = %s
LEFT JOIN campaigns_brandperiod brand_day
    ON brand_day.brand_id = b.id AND brand_day.kind = 'day' AND brand_day.starts_on = %s
LEFT JOIN campaigns_brandperiod brand_month
    ON brand_month.brand_id = b.id AND brand_month.kind = 'month' AND brand_month.starts_on = %s
"""

BUDGET = int(PauseReason.BRAND_DAILY_BUDGET)
MINUTES_OF_A_DAY = 1440

INSERT_HISTORY = f"""
INSERT INTO campaigns_statuschange (campaign_id, at, reasons_before, reasons_after, actor, campaign_spend,
    campaign_limit, brand_day_spend, brand_daily_budget, brand_month_spend, brand_monthly_budget)
SELECT id, %s, pause_reasons, pause_reasons | {BUDGET}, 'bench', 10000000, 1000000000000, 100000000, 50000000,
    3000000000, 100000000000000
FROM campaigns_campaign WHERE brand_id %% 2 = 0
"""
# Those without windows had nothing to wait for since; those with windows wait for the same as a day before.
UPDATE_CAMPAIGNS = f"""
UPDATE campaigns_campaign SET
    pause_reasons = CASE WHEN brand_id %% 2 = 0 THEN pause_reasons | {BUDGET} ELSE pause_reasons END,
    next_change_minute = CASE WHEN next_change_minute = {NEVER} THEN %s ELSE next_change_minute - {MINUTES_OF_A_DAY} END
WHERE brand_id %% 2 = 0 OR id %% 2 = 0
"""

DAY = "DATE '1970-01-01' + quarter / 96"
ADD_CAMPAIGN_DAYS = f"""
INSERT INTO campaigns_campaignday (campaign_id, day, spend)
SELECT campaign_id, {DAY}, CAST(SUM(amount) AS bigint) FROM campaigns_pendingspend GROUP BY 1, 2
ON CONFLICT (day, campaign_id) DO UPDATE SET spend = campaigns_campaignday.spend + excluded.spend
"""
ADD_BRAND_PERIODS = """
INSERT INTO campaigns_brandperiod (brand_id, kind, starts_on, spend)
SELECT brand_id, '{kind}', {first}, CAST(SUM(amount) AS bigint) FROM campaigns_pendingspend GROUP BY 1, 3
ON CONFLICT (kind, starts_on, brand_id) DO UPDATE SET spend = campaigns_brandperiod.spend + excluded.spend
"""


def join(world: World) -> None:
    """Read, of every campaign, what a decision reads: each column is looked at, and nothing else is done with it."""
    today = world.today.isoformat()
    fetch_all(JOIN, [today, today, first_of_month(world.today).isoformat()])


@transaction.atomic
def pause_half(world: World) -> int:
    """Write what a check at the next noon has written, back to the state of noon, and as many status changes.

    Half of the campaigns change their reasons, of those with windows the time changes at which the next one opens or
    closes. Return how many rows that is.
    """
    execute(INSERT_HISTORY, [instant(world.noon)])
    return execute(UPDATE_CAMPAIGNS, [minute_of(world.noon) + MINUTES_OF_A_DAY // 2])


@transaction.atomic
def add_up_pending() -> None:
    """Group what is pending, and add it to the totals; quarters of noon, when it is the same day in all zones."""
    execute(ADD_CAMPAIGN_DAYS)
    execute(ADD_BRAND_PERIODS.format(kind="day", first=DAY))
    execute(ADD_BRAND_PERIODS.format(kind="month", first=f"CAST(date_trunc('month', {DAY}) AS date)"))
