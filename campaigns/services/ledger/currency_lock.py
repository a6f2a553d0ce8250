"""A brand keeps its currency once something was spent in it, or a statement was closed in it.

The database refuses the change itself (a trigger, campaigns/sql); here it is found out before, to say so in a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import in_list, list_param
from campaigns.database.write_column import in_pieces

# The order and the limit let a planner look one record up by the index of each campaign: it could read all of the
# ledger for the first record of a campaign that has none.
KEPT = """
SELECT brand.id FROM campaigns_brand AS brand
WHERE {in_scope} AND (
    EXISTS (
        SELECT 1 FROM campaigns_brandperiod AS period
        WHERE period.brand_id = brand.id AND (period.closed_at IS NOT NULL OR period.spend <> 0)
    ) OR EXISTS (
        SELECT 1 FROM campaigns_campaign AS campaign
        WHERE campaign.brand_id = brand.id AND (
            SELECT record.id FROM campaigns_spendrecord AS record
            WHERE record.campaign_id = campaign.id ORDER BY record.external_id LIMIT 1
        ) IS NOT NULL
    )
)
"""


def brands_that_keep_their_currency(brand_ids: Iterable[int]) -> set[int]:
    """Return those of the brands that have spend or closed statements."""
    sql = KEPT.format(in_scope=in_list("brand.id"))
    pieces = in_pieces(sorted(set(brand_ids)))
    return {pk for piece in pieces for (pk,) in fetch_all(sql, [list_param(piece)])}


def currency_is_kept(name: str, currency: str) -> str:
    """Return the sentence that refuses another currency for the brand of this name."""
    return (
        f"“{name}” has spend or closed statements in {currency}, so its currency can't change. Turn the brand off and"
        " add a new one for the other currency."
    )
