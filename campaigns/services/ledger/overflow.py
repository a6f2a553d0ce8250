"""Brands whose spend is too large for their totals: nobody's spend is, but a broken sender's may be (R6).

A total has a limit, a hundred times the largest budget or more (campaigns.rules.money). Spend that would take one
beyond it stays pending, where it counts for every decision, until refunds, or corrected or deleted records, bring it
down.
"""

from __future__ import annotations

from datetime import date, timedelta

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import in_list, list_param
from campaigns.rules.money import DAY_TOTAL_LIMIT, MICROS
from campaigns.rules.periods import first_of_month

EPOCH = date(1970, 1, 1)

SUSPICIOUS = DAY_TOTAL_LIMIT // 4
"""In millionths: a total can only be passed where spend that is pending, or a total already, is larger than this."""

SUSPECTS = f"""
    SELECT brand_id FROM campaigns_pendingspend
    GROUP BY brand_id HAVING SUM(ABS(amount) / {MICROS} + 1) > {SUSPICIOUS // MICROS}
    UNION SELECT brand_id FROM campaigns_brandperiod
        WHERE {in_list("starts_on")} AND spend NOT BETWEEN -{SUSPICIOUS} AND {SUSPICIOUS}
    UNION SELECT campaign.brand_id FROM campaigns_campaignday AS day
        JOIN campaigns_campaign AS campaign ON campaign.id = day.campaign_id
        WHERE {in_list("day.day")} AND day.spend NOT BETWEEN -{SUSPICIOUS} AND {SUSPICIOUS}
    ORDER BY 1
"""


def suspects() -> list[int]:
    """Return the brands among which are all whose pending spend may take a total beyond its limit."""
    days = _local_days()
    periods = days | {first_of_month(day) for day in days}
    return [brand_id for (brand_id,) in fetch_all(SUSPECTS, [list_param(periods), list_param(days)])]


def _local_days() -> set[date]:
    """Return the days that pending spend can be of, in whatever zone: only totals of those can be passed."""
    rows = fetch_all("SELECT DISTINCT quarter / 96 FROM campaigns_pendingspend")
    return {EPOCH + timedelta(days=utc_day + offset) for (utc_day,) in rows for offset in (-1, 0, 1)}
