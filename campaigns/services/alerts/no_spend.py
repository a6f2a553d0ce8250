"""Alerts about active brands that spend nothing in hours in which they usually do.

The ledger has no index by time, so once an hour a look compares the month's spend with that of the last look. What
counts are the brand's own hours: of weekdays on which it usually spends, those in which a campaign of it may run. A
brand whose spend comes once a day is quiet for a day as usual, so the longest such stretch is remembered; it fades.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import Min

from campaigns.database.connection import execute, fetch_all
from campaigns.database.dialects import greatest, least, minute_text, quarter_sql
from campaigns.database.statements import statement
from campaigns.models import AlertRule
from campaigns.models.clocks import Clocks
from campaigns.rules.pace import DAYS_FOR_PROJECTION
from campaigns.rules.periods import minute_of
from campaigns.services.alerts.differences import Found, Query, Said
from campaigns.services.alerts.look import OF_RULE, Look

NO_SPEND = "no_spend"

# Minutes between two looks at a brand, also where its accounts are silent and nothing more is known.
EVERY = 60
# Open minutes of today up to a minute of the day, of the brand's profile.
OPEN = """CAST(substr(open_minutes, {minute} / 60 * 4 + 1, 4) AS integer)
    + (CAST(substr(open_minutes, {minute} / 60 * 4 + 5, 4) AS integer)
        - CAST(substr(open_minutes, {minute} / 60 * 4 + 1, 4) AS integer)) * ({minute} %% 60) / 60"""
# In a new month spend begins at 0: what was spent before says nothing.
HAS_SPENT = """(CASE WHEN campaigns_brandquiet.month = excluded.month
    THEN campaigns_brandquiet.spend <> excluded.spend ELSE excluded.spend <> 0 END)"""
# What was usual fades by a quarter on each day on which the brand spends.
FADED = """(campaigns_brandquiet.longest - campaigns_brandquiet.longest / 4
    * CASE WHEN excluded.since_minute / 1440 > campaigns_brandquiet.since_minute / 1440 THEN 1 ELSE 0 END)"""
# The longest usual stretch of a brand of which nothing is known yet, in minutes: it fades in eight days.
AT_FIRST = 960

# A look at a brand without today's profile would store nothing, so it waits for that.
DUE = """
WITH clock AS MATERIALIZED ({clocks})
SELECT brand.id FROM campaigns_brand AS brand
JOIN clock ON clock.zone = brand.timezone
JOIN campaigns_brandpace AS profile ON profile.brand_id = brand.id AND profile.days >= %(days)s
    AND profile.day = clock.today
LEFT JOIN campaigns_brandquiet AS quiet ON quiet.brand_id = brand.id
WHERE brand.enabled AND brand.archived_at IS NULL
    AND (quiet.looked_minute IS NULL OR quiet.looked_minute NOT BETWEEN %(now)s - %(every)s + 1 AND %(now)s)
"""


def look_at_spend(look: Look) -> int:
    """Note for how long brands have spent nothing; return how many were looked at."""
    hours = AlertRule.objects.filter(kind=NO_SPEND, enabled=True).aggregate(least=Min("threshold"))["least"]
    if hours is None:
        return 0
    now = minute_of(look.now)
    clocks = Clocks(look.zones, look.now)
    params = {"clocks": clocks.params["clocks"], "days": DAYS_FOR_PROJECTION, "now": now, "every": EVERY}
    due = [pk for (pk,) in fetch_all(DUE.format(clocks=clocks.sql), params)]
    if not due:
        return 0
    insert = statement(
        "alerts/look_at_spend",
        least=least(),
        greatest=greatest(),
        reported_quarter=quarter_sql("account.reported_until"),
        open_from=OPEN.format(minute="from_minute"),
        open_until=OPEN.format(minute="until_minute"),
        has_spent=HAS_SPENT,
        faded=FADED,
        fires=str(hours * 60),
        at_first=str(AT_FIRST),
    )
    tables, params = look.paced(due)
    return execute(tables + insert, params | {"now": now})


def _held(look: Look) -> tuple[str, dict[str, Any]]:
    return statement("alerts/no_spend", kind=NO_SPEND, since=minute_text("quiet.since_minute"), of_rule=OF_RULE), {}


def _say(found: Found, row: Mapping[str, Any]) -> Said:
    since, known = (datetime.fromtimestamp(row[name] * 60, UTC) for name in ("since_minute", "known_minute"))
    hours = row["minutes"] // 60
    return Said(
        f"{row['brand']} has spent nothing since {since:%Y-%m-%d %H:%M} UTC, for {hours}"
        f" hour{'' if hours == 1 else 's'} in which it usually spends",
        f"Spend is known up to {known:%Y-%m-%d %H:%M} UTC. Its campaigns are active here: look whether they run on the"
        " platform, and whether its spend still arrives.",
        {"minutes": row["minutes"], "since": since.isoformat(), "known_until": known.isoformat()},
        is_bad=True,
    )


NO_SPEND_HOURS = Query((NO_SPEND,), _held, ("brand", "minutes", "since_minute", "known_minute"), _say, look_at_spend)
