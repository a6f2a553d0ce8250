"""Which campaigns are near their daily spend limit, for the list filter."""

from __future__ import annotations

from datetime import datetime

from campaigns.database.connection import analytic_query, fetch_all
from campaigns.database.dialects import NOT_MATERIALIZED
from campaigns.models import Brand
from campaigns.models.clocks import Clocks
from campaigns.models.current_spend import current_spend
from campaigns.rules.reasons import near_sql


def campaigns_near_their_limit(*, now: datetime) -> list[int]:
    """Return the ids of all campaigns that are near their limit and haven't reached it, without archived ones.

    Two queries.
    """
    clocks = Clocks(Brand.objects.order_by().values_list("timezone", flat=True).distinct(), now)
    spend = current_spend(
        clocks,
        hint=NOT_MATERIALIZED,
        full_scan=True,
        campaign_in_scope="c.daily_spend_limit > 0 AND c.archived_at IS NULL",
    )
    near = f"{spend} SELECT campaign_id FROM campaign WHERE {near_sql('campaign_limit', 'campaign_spend')}"
    with analytic_query(few_rows=True):
        return [pk for (pk,) in fetch_all(near, clocks.params)]
