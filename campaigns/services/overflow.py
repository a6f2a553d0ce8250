"""Brands whose spend is too large for their totals: nobody's spend is, but a broken sender's may be (R6).

A total has a limit, a hundred times the largest budget or more (campaigns.money). Spend that would take one beyond it
stays pending, where it counts for every decision, until refunds, or corrected or deleted records, bring it down.
"""

from __future__ import annotations

from campaigns.database import among, among_param, fetch_all
from campaigns.money import DAY_TOTAL_LIMIT, MICROS

SUSPICIOUS = DAY_TOTAL_LIMIT // 4
"""In millionths: a total can only be passed where spend that is pending, or a total already, is larger than this."""

SUSPECTS = f"""
    SELECT brand_id FROM campaigns_pendingspend
    GROUP BY brand_id HAVING SUM(ABS(amount) / {MICROS} + 1) > {SUSPICIOUS // MICROS}
    UNION SELECT brand_id FROM campaigns_brandperiod WHERE spend NOT BETWEEN -{SUSPICIOUS} AND {SUSPICIOUS}
    UNION SELECT campaign.brand_id FROM campaigns_campaignday AS day
        JOIN campaigns_campaign AS campaign ON campaign.id = day.campaign_id
        WHERE day.spend NOT BETWEEN -{SUSPICIOUS} AND {SUSPICIOUS}
    ORDER BY 1
"""


def suspects() -> list[int]:
    """Return the brands among which are all whose pending spend may take a total beyond its limit."""
    return [brand_id for (brand_id,) in fetch_all(SUSPECTS)]


def names_of(brand_ids: list[int]) -> list[str]:
    sql = f"SELECT name FROM campaigns_brand WHERE {among('id')} ORDER BY name"
    return [str(name) for (name,) in fetch_all(sql, [among_param(brand_ids)])]
