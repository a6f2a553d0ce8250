"""A brand keeps its currency once something was spent in it, or a statement was closed in it.

The database refuses the change itself (a trigger, campaigns/sql); here it is found out before, to say so in a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import in_list, list_param
from campaigns.database.statements import statement
from campaigns.database.write_column import in_pieces


def brands_that_keep_their_currency(brand_ids: Iterable[int]) -> set[int]:
    """Return those of the brands that have spend or final statements."""
    sql = statement("ledger/brands_with_spend", in_scope=in_list("brand.id", param="%(brands)s"))
    pieces = in_pieces(sorted(set(brand_ids)))
    return {pk for piece in pieces for (pk,) in fetch_all(sql, {"brands": list_param(piece)})}


def currency_is_kept(name: str, currency: str) -> str:
    """Return the sentence that refuses another currency for the brand of this name."""
    return (
        f"“{name}” has spend or final statements in {currency}, so its currency can't change. Turn the brand off and"
        " add a new one for the other currency."
    )
