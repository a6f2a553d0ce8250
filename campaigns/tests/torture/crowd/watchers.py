"""Those who look on while a crowd is at work: is there a moment at which something is wrong, and who waits for whom?"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from campaigns.database.connection import execute, fetch_all, one_snapshot
from campaigns.models import Brand, Campaign
from campaigns.rules.reasons import PauseReason
from campaigns.services.ledger.verify import verify
from campaigns.tests.support.ledger import totals_counted, totals_of_records
from campaigns.tests.torture.crowd.people import Office

SWITCHES = """
    SELECT brand.id, brand.enabled, campaign.id, campaign.enabled, campaign.pause_reasons, campaign.status
    FROM campaigns_campaign AS campaign JOIN campaigns_brand AS brand ON brand.id = campaign.brand_id
"""


class SwitchWatcher:
    """What a person switched off stays off and paused, from the commit of the save until it is switched on again."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.seen_off = 0

    def turn(self) -> None:
        before = dict(self.office.off)
        rows = fetch_all(SWITCHES)
        after = dict(self.office.off)
        known_off = {row for row, number in before.items() if after.get(row) == number}
        for brand, brand_on, campaign, campaign_on, flags, status in rows:
            campaign_is = f"campaign {campaign} of brand {brand}: {status}, {PauseReason(flags).codes}"
            self.check(campaign_is, (Brand, brand) in known_off, bool(brand_on), PauseReason.BRAND_DISABLED, flags)
            self.check(
                campaign_is,
                (Campaign, campaign) in known_off,
                bool(campaign_on),
                PauseReason.CAMPAIGN_DISABLED,
                flags,
            )
            if (flags == 0) != (status == "active"):
                raise AssertionError(f"{campaign_is} contradicts itself")

    def check(self, campaign_is: str, known_off: bool, is_on: bool, reason: PauseReason, flags: int) -> None:
        if known_off and is_on:
            raise AssertionError(f"{campaign_is}: it is off, but the database says on")
        if is_on == bool(flags & reason):
            raise AssertionError(f"{campaign_is}: the switch is {'on' if is_on else 'off'}")
        self.seen_off += known_off


# Apart from the product: PostgreSQL's own zone data, no quarter-hours but those of the pending rows, no triggers.
TOTALS_IN_SQL = """
    WITH spent AS (
        SELECT brand_id, campaign_id, timestamp AS at, amount FROM campaigns_spendrecord
        UNION ALL
        SELECT brand_id, campaign_id, to_timestamp(quarter * 900.0), -amount / 1000000.0 FROM campaigns_pendingspend
    ),
    booked AS (
        SELECT kind, brand_id, campaign_id, starts_on, amount
        FROM spent JOIN campaigns_accountingtimezone AS zone USING (brand_id)
        CROSS JOIN LATERAL (SELECT date_trunc(kind, at AT TIME ZONE timezone)::date AS starts_on) AS period
        WHERE starts_on >= zone.first AND starts_on < zone.until
    ),
    sides AS (
        SELECT 'campaign day' AS total, campaign_id AS id, starts_on, amount FROM booked WHERE kind = 'day'
        UNION ALL
        SELECT 'campaign day', campaign_id, day, -spend / 1000000.0 FROM campaigns_campaignday
        UNION ALL
        SELECT kind, brand_id, starts_on, amount FROM booked
        UNION ALL
        SELECT kind, brand_id, starts_on, -spend / 1000000.0 FROM campaigns_brandperiod
    )
    SELECT total, id, starts_on, SUM(amount) FROM sides GROUP BY 1, 2, 3 HAVING SUM(amount) <> 0
"""

# A brand whose zone was changed by SQL is left out until it is booked in it: that takes effect at the next check.
SPEND_IN_PLAIN_SQL = """
    WITH local AS (
        SELECT campaign_id, brand.id AS brand_id, amount,
            (timestamp AT TIME ZONE timezone)::date AS day, (%(now)s AT TIME ZONE timezone)::date AS today
        FROM campaigns_spendrecord JOIN campaigns_brand AS brand ON brand.id = brand_id
        WHERE timestamp > %(now)s - interval '33 days'
    ),
    of_campaign AS (SELECT campaign_id, SUM(amount) AS today FROM local WHERE day = today GROUP BY 1),
    of_brand AS (
        SELECT brand_id, SUM(amount) FILTER (WHERE day = today) AS today,
            SUM(amount) FILTER (WHERE day BETWEEN date_trunc('month', today) AND today) AS this_month
        FROM local GROUP BY 1
    )
    SELECT campaign.id, COALESCE(of_campaign.today, 0), COALESCE(of_brand.today, 0), COALESCE(of_brand.this_month, 0)
    FROM campaigns_campaign AS campaign
    JOIN campaigns_brand AS brand ON brand.id = campaign.brand_id
    LEFT JOIN of_campaign ON of_campaign.campaign_id = campaign.id
    LEFT JOIN of_brand ON of_brand.brand_id = campaign.brand_id
    WHERE NOT EXISTS (
        SELECT 1 FROM campaigns_accountingtimezone AS zone
        WHERE zone.brand_id = brand.id AND zone.until = '9999-12-01' AND zone.timezone <> brand.timezone
    )
"""


def watch_totals_in_sql() -> None:
    """Folded + pending is what the rows say, at every moment: one statement sees one moment."""
    differences = fetch_all(TOTALS_IN_SQL)
    if differences:
        raise AssertionError(f"folded + pending isn't what the rows say: {differences[:5]}")


def watch_totals_in_python() -> None:
    """The same for whatever database; slow where there are many rows."""
    with one_snapshot():
        counted, expected = totals_counted(), totals_of_records()
    if counted != expected:
        differing = {key for key in counted | expected if counted.get(key) != expected.get(key)}
        raise AssertionError(f"folded + pending isn't what the rows say: {sorted(differing)[:5]}")


def watch_verify() -> None:
    """The product's own comparison finds nothing."""
    differences = verify()
    if differences:
        raise AssertionError(f"verify() finds {differences[:5]}")


def watch_spend() -> None:
    """What decisions are made on, and the admin shows, is what the rows of today and of this month say."""
    with transaction.atomic():
        execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        now = timezone.now()
        shown = {row.pk: row for row in Campaign.objects.with_spend(now)}
        expected = _spend_in_plain_sql(now)
    for campaign, sums in expected.items():
        row = shown[campaign]
        found = (row.spend_today, row.brand_spend_today, row.brand_spend_this_month)
        if found != sums:
            raise AssertionError(f"campaign {campaign}: {found} instead of {sums} at {now}")


def _spend_in_plain_sql(now: datetime) -> dict[int, tuple[Decimal, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(SPEND_IN_PLAIN_SQL, {"now": now})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return {campaign: tuple(sums) for campaign, *sums in rows}


# A loop inside the database, which no thread of ours holds up.
WATCH_WAITS = """
    CREATE FUNCTION pg_temp.watch_waits(samples integer)
    RETURNS TABLE (waiter text, blocker text, lock text, statement text) LANGUAGE plpgsql AS $$
    BEGIN
        FOR sample IN 1..samples LOOP
            PERFORM pg_stat_clear_snapshot();
            RETURN QUERY
                SELECT a.application_name, b.application_name, a.wait_event, left(a.query, 200)
                FROM pg_stat_activity AS a
                CROSS JOIN LATERAL unnest(pg_blocking_pids(a.pid)) AS blocking(pid)
                JOIN pg_stat_activity AS b ON b.pid = blocking.pid
                WHERE a.datname = current_database() AND a.wait_event_type = 'Lock';
            PERFORM pg_sleep(0.005);
        END LOOP;
    END $$
"""
SAMPLES = 100

# Who never waits for whom.
NEVER = {
    ("writer", "enforcer"),
    ("writer", "person"),
    ("writer", "importer"),
    ("enforcer", "writer"),
    ("person", "writer"),
}

# PostgreSQL's own locks, held for microseconds while a page is added to a file.
BRIEF = {"extend"}


class WaitWatcher:
    """Writers never wait for an enforcer, a person or an importer, and neither of those waits for a writer."""

    def __init__(self) -> None:
        self.samples = 0
        self.waits: Counter[str] = Counter()
        self.is_ready = False

    def turn(self) -> None:
        if not self.is_ready:
            execute(WATCH_WAITS)
            self.is_ready = True
        for waiter, blocker, lock, statement in fetch_all("SELECT * FROM pg_temp.watch_waits(%s)", [SAMPLES]):
            pair = (_role(waiter), _role(blocker))
            self.waits[f"{pair[0]} for {pair[1]}"] += 1
            if pair in NEVER and lock not in BRIEF:
                raise AssertionError(f"{waiter} waits for {blocker} ({lock}): {statement}")
        self.samples += SAMPLES


def _role(name: str) -> str:
    return name.split(" ")[0]
