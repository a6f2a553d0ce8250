"""One batch of a fold: rows of pending spend are taken away and booked, in one transaction under the ledger lock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from campaigns.database.connection import execute, fetch_all, is_postgresql
from campaigns.database.dialects import (
    clamped_sum,
    ctid_in,
    group_large_amounts_separately,
    in_list,
    in_subquery_by_index,
    in_text_list,
    list_param,
)
from campaigns.services.ledger.booking import BOOKED, PLACED, segments_sql

PREFIX = f"""
WITH segment AS MATERIALIZED ({{segments}}),
book AS MATERIALIZED (
    SELECT brand_id, kind, timezone, first, until FROM campaigns_accountingtimezone
    WHERE {{of_brands}}
),
bookable AS (
    SELECT brand_id FROM book GROUP BY brand_id HAVING COUNT(*) = COUNT(CASE WHEN {{known}} THEN 1 END)
),
taken AS {{take}},
spent AS (
    SELECT brand_id, quarter, SUM(amount) AS amount FROM taken
    GROUP BY brand_id, quarter{group_large_amounts_separately("amount", "id")}
),
placed AS MATERIALIZED ({PLACED.format(spent="spent", books="book", of="spent.brand_id")}),
booked AS MATERIALIZED ({BOOKED.format(placed="placed", of="placed.brand_id, placed.quarter")}),
day AS (SELECT DISTINCT brand_id, quarter, starts_on FROM booked WHERE kind = 'day')
"""

TAKEN = """
    {ctid_in} AND id + 0 <= %s AND {covered_day} AND brand_id IN (SELECT brand_id FROM bookable)
"""
"""What was planned, and can be booked still: in days and zones of which there are segments.

SQLite is not to find them by the key (+ 0): nearly all that is pending lies below the newest.
"""

ADD_CAMPAIGN_DAYS = f"""
INSERT INTO campaigns_campaignday (campaign_id, day, spend)
WITH total AS MATERIALIZED (
    SELECT taken.campaign_id, day.starts_on, {clamped_sum("taken.amount")} AS spend
    FROM taken JOIN day ON day.brand_id = taken.brand_id AND day.quarter = taken.quarter
    GROUP BY 1, 2
)
SELECT campaign_id, starts_on, spend FROM total
WHERE campaign_id IN (
    SELECT id FROM campaigns_campaign WHERE {in_subquery_by_index("id", "SELECT campaign_id FROM total")}
)
ON CONFLICT (day, campaign_id) DO UPDATE SET spend = campaigns_campaignday.spend + excluded.spend
"""

ADD_BRAND_PERIODS = f"""
INSERT INTO campaigns_brandperiod (brand_id, kind, starts_on, spend)
WITH total AS MATERIALIZED (
    SELECT brand_id, kind, starts_on, {clamped_sum("amount")} AS spend FROM booked GROUP BY 1, 2, 3
)
SELECT brand_id, kind, starts_on, spend FROM total
WHERE brand_id IN (SELECT id FROM campaigns_brand WHERE {in_subquery_by_index("id", "SELECT brand_id FROM total")})
ON CONFLICT (kind, starts_on, brand_id) DO UPDATE SET spend = campaigns_brandperiod.spend + excluded.spend
"""

MARK_BRANDS = """
INSERT INTO campaigns_duebrand (brand_id, due_quarter) SELECT DISTINCT brand_id, day_from FROM booked
WHERE day_from >= %s
"""
"""One mark for each local day: due at once where the day has begun, otherwise when it does (R3).

Days that begin before a quarter need none if everything that is moved was there at a decision in that quarter.
"""

MARK_ALL = 0


@dataclass(frozen=True)
class Planned:
    """Rows that one batch is to move: where they are, their brands and UTC days."""

    count: int
    addresses: str
    brands: str
    days: range


def move(rows: Planned, *, newest: int, zones: Iterable[str], segments: str, mark_from: int) -> int:
    """Take these rows, up to the newest, and book them; return how many there still were.

    Brands are marked for their days that begin in the quarter mark_from or later.

    What has other UTC days or brands, or is booked in other zones, stays: no segments are given for it.
    """
    taken = [rows.addresses, newest, list_param(rows.days)]
    params = [segments, rows.brands, list_param(zones), *taken]
    return _move_on_postgresql(params, mark_from) if is_postgresql() else _move_on_sqlite(params, mark_from)


def _prefix(take: str) -> str:
    taken = TAKEN.format(ctid_in=ctid_in(), covered_day=in_list("quarter / 96"))
    return PREFIX.format(
        segments=segments_sql(),
        of_brands=in_text_list("brand_id"),
        known=in_list("timezone"),
        take=take.format(taken=taken),
    )


def _move_on_postgresql(params: Sequence[Any], mark_from: int) -> int:
    """Take and book in one statement: rows that are committed while it runs are neither taken nor booked."""
    take = """(
    DELETE FROM campaigns_pendingspend WHERE {taken}
    RETURNING id, brand_id, campaign_id, quarter, amount
)"""
    sql = f"""{_prefix(take)},
campaign_days AS ({ADD_CAMPAIGN_DAYS}),
brand_periods AS ({ADD_BRAND_PERIODS}),
marks AS ({MARK_BRANDS})
SELECT COUNT(*) FROM taken"""
    ((count,),) = fetch_all(sql, [*params, mark_from])
    return int(count)


def _move_on_sqlite(params: Sequence[Any], mark_from: int) -> int:
    """Book, then take away the same rows: nobody else writes during the transaction."""
    prefix = _prefix(
        """MATERIALIZED (
    SELECT id, brand_id, campaign_id, quarter, amount FROM campaigns_pendingspend WHERE {taken}
)"""
    )
    for statement in (ADD_CAMPAIGN_DAYS, ADD_BRAND_PERIODS):
        execute(prefix + statement, params)
    execute(prefix + MARK_BRANDS, [*params, mark_from])
    return execute(f"{prefix} DELETE FROM campaigns_pendingspend WHERE id IN (SELECT id FROM taken)", params)
