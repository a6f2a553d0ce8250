"""Why totals wait, and setting them free when that may no longer hold. Booking finds the reason that holds then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction

from campaigns.database.connection import execute, fetch_all, is_postgresql, yield_to_waiting_writers
from campaigns.database.dialects import micros_sql, rows_param, rows_sql
from campaigns.database.statements import statement
from campaigns.rules.periods import find_zone

# Why a total can't be booked, as a number of Waiting; the text of a statement that joins its account, its link, the
# campaign and the brand that it would be booked for, and a row of the account's time zone if that is known.
REASON = """CASE
    WHEN campaign.id IS NULL THEN CASE WHEN link.ignored THEN 2 ELSE 1 END
    WHEN account.id IS NULL OR account.currency <> brand.currency THEN 3
    WHEN zone.zone IS NULL THEN 4
    ELSE 0
END"""

# The campaign that a total is booked for: the one that it was booked for before, or that its link has for its day.
# Earlier campaigns of a link are looked up only if any link, of whatever account, has moved after the total's day.
ITS_CAMPAIGN = """COALESCE(
        total.booked_campaign_id,
        CASE WHEN total.day < (SELECT MAX(until) FROM campaigns_earlierlink) THEN (
            SELECT earlier.campaign_id FROM campaigns_earlierlink AS earlier
            WHERE earlier.link_id = link.id AND earlier.until > total.day ORDER BY earlier.until LIMIT 1
        ) END,
        link.campaign_id
    )"""

# In the order of its index, see ANY_TO_BOOK.
ANY_WAITING = """(
    SELECT id FROM campaigns_spendtotal WHERE waiting > 0 ORDER BY source, account, campaign, day LIMIT 1
) IS NOT NULL"""

# A total in whole millionths, as it is booked.
REPORTED = micros_sql("total.total")

# Rows that are set free in a transaction: connectors wait that long.
BATCH = 10_000

ZONE_COLUMNS = {"zone": "text"}
ACCOUNT_KEY = {"source": "text", "account": "text"}
CAMPAIGN_KEY = ACCOUNT_KEY | {"campaign": "text"}


def free_accounts(keys: Iterable[Sequence[str]]) -> int:
    """Set free what waits of accounts, given by source and id; the next check books it, or finds why not."""
    return _free("free_accounts", ACCOUNT_KEY, keys)


def free_campaigns(keys: Iterable[Sequence[str]]) -> int:
    """Set free what waits of campaigns of platforms, given by source, account and id."""
    return _free("free_campaigns", CAMPAIGN_KEY, keys)


def free_brands(brand_ids: Iterable[int]) -> int:
    """Set free what waits of the platforms' campaigns that are linked to campaigns of these brands."""
    keys = [
        key
        for brand_id in brand_ids
        for key in fetch_all(
            "SELECT account.source, account.external_id, link.external_id FROM campaigns_campaign AS campaign"
            " JOIN campaigns_campaignlink AS link ON link.campaign_id = campaign.id"
            " JOIN campaigns_platformaccount AS account ON account.id = link.account_id WHERE campaign.brand_id = %s",
            [brand_id],
        )
    ]
    return free_campaigns(keys)


def derive_waiting() -> int:
    """Set free every total whose reason to wait holds no longer, and those that failed; return how many there are.

    What SQL has changed of links, accounts and brands takes effect by this, at the next full check.
    """
    sql = statement(
        "totals/derive_waiting",
        zones=rows_sql(ZONE_COLUMNS, "%(zones)s"),
        reason=REASON,
        its_campaign=ITS_CAMPAIGN,
        skip_locked="FOR NO KEY UPDATE OF total SKIP LOCKED" if is_postgresql() else "",
    )
    params = {"zones": rows_param(ZONE_COLUMNS, [(zone,) for zone in known_account_zones()]), "most": BATCH}
    freed = 0
    while True:
        with transaction.atomic():
            batch = execute(sql, params)
        freed += batch
        if batch < BATCH:
            return freed
        yield_to_waiting_writers()


def known_account_zones() -> list[str]:
    rows = fetch_all("SELECT DISTINCT timezone FROM campaigns_platformaccount")
    return sorted(zone for (zone,) in rows if find_zone(zone) is not None)


def _free(name: str, columns: dict[str, str], keys: Iterable[Sequence[str]]) -> int:
    rows = sorted({tuple(key) for key in keys})
    if not rows:
        return 0
    sql = statement(
        f"totals/{name}",
        given=rows_sql(columns, "%(given)s"),
        locked="ORDER BY total.source, total.account, total.campaign, total.day FOR NO KEY UPDATE OF total"
        if is_postgresql()
        else "",
    )
    return execute(sql, {"given": rows_param(columns, rows)})
