"""Thousands of campaigns, made, turned and looked at by plain SQL on any connection.

Every turn gives each campaign one row of spend: those of three brands in four change their status with it, in more than
one batch of enforcement, so that there is a middle in which a process can be killed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from campaigns.rules.reasons import PauseReason
from campaigns.tests.support.factories import zone_at_noon
from campaigns.tests.support.outside import Row, by_vendor, utc_text

# Runs a statement, its parameters written %s, commits it, and returns its rows.
Sql = Callable[..., list[Row]]

BRANDS = 120
CAMPAIGNS_OF_EACH = 100
DAYS_TO_CLOSE = 10
CHANGING = BRANDS * 3 // 4 * CAMPAIGNS_OF_EACH
PAUSED = int(PauseReason.BRAND_DAILY_BUDGET)

NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s)"
AS_TEXT = by_vendor(postgresql="CAST(n AS text)", sqlite="n")
MAKE_BRANDS = f"""
    INSERT INTO campaigns_brand (name, timezone, daily_budget, created_at)
    {NUMBERS} SELECT %s || {AS_TEXT}, %s, CASE WHEN n / 4 * 4 = n THEN %s ELSE %s END, %s FROM numbers
"""
MAKE_CAMPAIGNS = f"""
    INSERT INTO campaigns_campaign (brand_id, name)
    {NUMBERS} SELECT campaigns_brand.id, {AS_TEXT} FROM campaigns_brand, numbers WHERE campaigns_brand.name LIKE %s
"""
SPEND = (
    "INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount) SELECT brand_id, id, %s FROM campaigns_campaign"
)
REASONS = """
    SELECT b.daily_budget > %s, c.pause_reasons, COUNT(*)
    FROM campaigns_campaign c JOIN campaigns_brand b ON b.id = c.brand_id GROUP BY 1, 2 ORDER BY 1, 2
"""
# Each finds campaigns or brands of which only a part of something was written.
PARTIAL = {
    "campaigns whose reasons aren't what their last line of history says": """
        SELECT c.id FROM campaigns_campaign c
        LEFT JOIN (SELECT campaign_id, MAX(id) AS id FROM campaigns_statuschange GROUP BY campaign_id) last
            ON last.campaign_id = c.id
        LEFT JOIN campaigns_statuschange line ON line.id = last.id
        WHERE c.pause_reasons <> COALESCE(line.reasons_after, 0)""",
    "lines of history that don't begin where the one before ended": """
        SELECT id FROM (
            SELECT id, reasons_before, LAG(reasons_after, 1, 0) OVER (PARTITION BY campaign_id ORDER BY id) AS was
            FROM (
                SELECT id, campaign_id, CAST(reasons_before AS integer) AS reasons_before,
                    CAST(reasons_after AS integer) AS reasons_after
                FROM campaigns_statuschange
            ) AS lines
        ) AS chain WHERE reasons_before <> was""",
    "lines of history that change nothing": """
        SELECT id FROM campaigns_statuschange WHERE reasons_before = reasons_after""",
    "days closed after a day that is open": """
        SELECT later.id FROM campaigns_brandperiod later JOIN campaigns_brandperiod earlier
            ON earlier.brand_id = later.brand_id AND earlier.kind = later.kind AND earlier.starts_on < later.starts_on
        WHERE later.closed_at IS NOT NULL AND earlier.closed_at IS NULL""",
}


def partly_written(run_sql: Sql) -> dict[str, int]:
    """Return what is there only in part: how many of what; empty is right."""
    found = {what: len(run_sql(sql)) for what, sql in PARTIAL.items()}
    return {what: count for what, count in found.items() if count}


class Many:
    """The campaigns, and what must be so of them."""

    def __init__(self, run_sql: Sql) -> None:
        self.run_sql = run_sql
        self.turns = 0
        self.brands = 0
        self.lines_before = 0
        self.make_brands("Many ", BRANDS)
        run_sql(MAKE_CAMPAIGNS, CAMPAIGNS_OF_EACH, "Many %")

    def make_brands(self, name: str, count: int) -> None:
        created = utc_text(f"{datetime.now(UTC) - timedelta(days=DAYS_TO_CLOSE):%Y-%m-%d %H:%M:%S}")
        never, budget = 100 * CAMPAIGNS_OF_EACH, CAMPAIGNS_OF_EACH
        self.run_sql(MAKE_BRANDS, count, name, zone_at_noon(), never, budget, created)
        self.brands += count

    def turn(self) -> None:
        """Spend what pauses three quarters of the campaigns, or take it back; and add brands with days to close."""
        self.lines_before = self.lines()
        self.turns += 1
        self.run_sql(SPEND, "1" if self.turns % 2 else "-1")
        self.make_brands(f"Late {self.turns}-", 20)

    def lines(self) -> int:
        return self.count("SELECT COUNT(*) FROM campaigns_statuschange")

    def changed(self) -> int:
        """Return how many campaigns have changed in this turn."""
        return self.lines() - self.lines_before

    def count(self, sql: str) -> int:
        ((count,),) = self.run_sql(sql)
        return int(count)

    def what_is_wrong(self) -> dict[str, object]:
        """Return all that isn't as it must be once a check has run after the turn; empty is right."""
        paused = PAUSED if self.turns % 2 else 0
        of_brands = [(bool(high), int(reasons), int(count)) for high, reasons, count in self.reasons()]
        pending = self.count("SELECT COUNT(*) FROM campaigns_pendingspend")
        closed = self.count("SELECT COUNT(*) FROM campaigns_brandperiod WHERE closed_at IS NOT NULL")
        right_reasons = [(False, paused, CHANGING), (True, 0, BRANDS * CAMPAIGNS_OF_EACH - CHANGING)]
        found = {
            "partly written": (partly_written(self.run_sql), {}),
            "reasons": (of_brands, right_reasons),
            "lines of this turn": (self.changed(), CHANGING),
            "rows left pending": (pending, 0),
            "closed days": (closed, self.brands * DAYS_TO_CLOSE),
        }
        return {what: seen for what, (seen, right) in found.items() if seen != right}

    def reasons(self) -> list[Row]:
        return self.run_sql(REASONS, CAMPAIGNS_OF_EACH)

    def last_success(self) -> object:
        """Return when the check last succeeded, in the database's form."""
        found = self.run_sql("SELECT succeeded_at FROM campaigns_jobrun WHERE name = 'check_budgets'")
        return found[0][0] if found else None
