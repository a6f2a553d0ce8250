"""The decision: what is reached, when a window is open, which spend counts, and what an earlier run leaves alone."""

from __future__ import annotations

from campaigns.tests.torture.guards.guard import BOTH, POSTGRESQL, Guard

FILE = "campaigns/services/enforcement/decide.py"


def _decision(name: str, before: str, after: str, tests: str, databases: str = BOTH, *, short: bool = False) -> Guard:
    return Guard(name, FILE, before, after, tests, databases, short)


def _elsewhere(
    name: str, service: str, before: str, after: str, tests: str, databases: str = BOTH, *, short: bool = False
) -> Guard:
    return Guard(name, f"campaigns/{service}.py", before, after, tests, databases, short)


def _limit(name: str, before: str, after: str, tests: str, *, short: bool = False) -> Guard:
    return _elsewhere(name, "rules/reasons", before, after, tests, short=short)


def _spent(name: str, before: str, after: str, tests: str, databases: str = BOTH, *, short: bool = False) -> Guard:
    return Guard(name, "campaigns/sql/current_spend.sql", before, after, tests, databases, short)


def _quarters(name: str, before: str, after: str, tests: str) -> Guard:
    return _elsewhere(name, "models/current_spend", before, after, tests)


def _sql(name: str, file: str, before: str, after: str, tests: str, *, short: bool = False) -> Guard:
    return Guard(name, f"campaigns/sql/{file}.sql", before, after, tests, BOTH, short)


QUICK = "test_quick_check"
SHARDS = "test_shards"
LOCKED = "test_locked_rows"
REACHED = "test_rule_02_reached"
REASONS = "test_rule_01_reasons"
WINDOWS = "test_rule_07_dayparting"
PERIODS = "test_rule_03_period_of_spend"
NEW_PERIOD = "test_rule_03_period_of_spend test_rule_04_new_period"
AGAIN = "test_rule_06_idempotent test_rule_13_history"

QUARTERS_OF_TODAY = "p.quarter >= clock.day_from AND p.quarter < clock.day_until"
QUARTERS_OF_MONTH = "p.quarter >= clock.month_from AND p.quarter < clock.day_until"

GUARDS = (
    # R2
    _limit("reached at the limit", "{spend} >= {limit}", "{spend} > {limit}", REACHED, short=True),
    _limit("a limit of 0 is reached", "({limit} = 0 OR {spend} >= {limit})", "({spend} >= {limit})", REACHED),
    # R1
    _decision("the campaign's switch", '"NOT campaign_enabled"', '"1 = 0"', REASONS),
    _decision("the brand's switch", '"NOT brand_enabled"', '"1 = 0"', REASONS),
    _decision("the day of the start is included", '"today < starts_on"', '"today <= starts_on"', REASONS),
    _decision("the day of the end is included", '"today > ends_on"', '"today >= ends_on"', REASONS),
    _decision("the start", '"today < starts_on"', '"1 = 0"', REASONS),
    _decision("the end", '"today > ends_on"', '"1 = 0"', REASONS),
    _decision("the windows", '"is_open = 0"', '"1 = 0"', REASONS),
    _decision("the limits", "reached_sql(limit.limit_column, limit.spend_column)", '"1 = 0"', REASONS),
    # R7
    _decision("a window's start is included", "b.local_time >= w.start_time", "b.local_time > w.start_time", WINDOWS),
    _decision(
        "a window's end is excluded",
        "(b.local_time < w.end_time OR",
        "(b.local_time <= w.end_time OR",
        WINDOWS,
    ),
    _decision("an end of 00:00 is the end of the day", " OR w.end_time <= w.start_time)", ")", WINDOWS),
    _decision("00:00 to 00:00 is the whole day", "w.end_time <= w.start_time)", "w.end_time < w.start_time)", WINDOWS),
    _decision(
        "a window past midnight is open after it",
        "w.end_time < w.start_time\n            AND b.local_time < w.end_time THEN 1",
        "w.end_time < w.start_time\n            AND b.local_time < w.end_time THEN 0",
        WINDOWS,
    ),
    _decision(
        "the end of a window past midnight is excluded",
        "w.start_time\n            AND b.local_time < w.end_time THEN 1",
        "w.start_time\n            AND b.local_time <= w.end_time THEN 1",
        WINDOWS,
    ),
    _decision(
        "a window that does not pass midnight ends on its day",
        "<> 0 AND w.end_time < w.start_time\n",
        "<> 0\n",
        WINDOWS,
    ),
    _decision("the day on which a window starts", "(w.days_of_week & b.weekday_bit) <> 0 AND", "", WINDOWS),
    _decision("the day on which it started", "(w.days_of_week & b.yesterday_bit) <> 0 AND", "", WINDOWS),
    _decision("one open window of several is enough", 'f"MAX({WINDOW_IS_OPEN})"', 'f"MIN({WINDOW_IS_OPEN})"', WINDOWS),
    _decision("a look at all windows finds closed ones", " WHEN closed.id IS NOT NULL THEN 0", "", WINDOWS),
    _decision("a campaign counts once", "COUNT(DISTINCT campaign_id)", "COUNT(campaign_id)", WINDOWS),
    # R3, R4
    _quarters(
        "pending spend of today is today's",
        f'TODAY = "CASE WHEN {QUARTERS_OF_TODAY}',
        f'TODAY = "CASE WHEN {QUARTERS_OF_TODAY.replace(">=", ">")}',
        NEW_PERIOD,
    ),
    _quarters(
        "pending spend of tomorrow is not today's",
        f'TODAY = "CASE WHEN {QUARTERS_OF_TODAY}',
        f'TODAY = "CASE WHEN {QUARTERS_OF_TODAY.replace("< clock", "<= clock")}',
        NEW_PERIOD,
    ),
    _quarters(
        "pending spend of the month's first day is the month's",
        f'THIS_MONTH = "CASE WHEN {QUARTERS_OF_MONTH}',
        f'THIS_MONTH = "CASE WHEN {QUARTERS_OF_MONTH.replace(">=", ">")}',
        NEW_PERIOD,
    ),
    _quarters(
        "pending spend of tomorrow is not yet the month's",
        f'THIS_MONTH = "CASE WHEN {QUARTERS_OF_MONTH}',
        f'THIS_MONTH = "CASE WHEN {QUARTERS_OF_MONTH.replace("< clock", "<= clock")}',
        NEW_PERIOD,
    ),
    _spent("a campaign's pending spend", " + COALESCE({campaign_today}, 0)", "", PERIODS),
    _spent("a brand's pending spend of the day", " + COALESCE({brand_today}, 0)", "", PERIODS),
    _spent("a brand's pending spend of the month", " + COALESCE({brand_this_month}, 0)", "", PERIODS),
    _spent("a campaign's folded spend", "COALESCE(own_day.spend, 0)", "0", PERIODS),
    _spent("a brand's folded spend of the day", "COALESCE(brand_day.spend, 0)", "0", PERIODS),
    _spent("a brand's folded spend of the month", "COALESCE(brand_month.spend, 0)", "0", PERIODS),
    _spent("what is dated ahead counts when its day comes", " - COALESCE(ahead.amount, 0)", "", PERIODS),
    _spent(
        "what is dated ahead begins tomorrow",
        "AND p.starts_on > clock.today",
        "AND p.starts_on >= clock.today",
        PERIODS,
    ),
    _spent("what is dated ahead ends with the month", " AND p.starts_on < clock.next_month", "", PERIODS),
    _spent(
        "the 1st of the next month is none of this month's days ahead",
        "p.starts_on < clock.next_month",
        "p.starts_on <= clock.next_month",
        PERIODS,
    ),
    _spent("a campaign's day is today", " AND own_day.day = b.today", "", PERIODS),
    _spent("a brand's day is today", " AND brand_day.starts_on = clock.today", "", PERIODS),
    _spent("a brand's month is this month", " AND brand_month.starts_on = clock.this_month", "", PERIODS),
    # R6
    _sql(
        "in an unknown zone nothing resumes",
        "decide",
        "CASE WHEN today IS NULL THEN reasons_before | ({switches}) ELSE",
        "CASE WHEN today IS NULL THEN ({switches}) ELSE",
        "test_rule_06_bad_rows",
    ),
    _sql(
        "in an unknown zone switches pause",
        "decide",
        "THEN reasons_before | ({switches}) ELSE",
        "THEN reasons_before ELSE",
        "test_rule_06_bad_rows",
    ),
    _elsewhere(
        "unknown zones are told",
        "models/clocks",
        "if find_zone(name) is None)",
        "if False)",
        "test_rule_06_bad_rows",
    ),
    _sql(
        "only what differs is written",
        "decide",
        "decision WHERE reasons_after <> reasons_before)",
        "decision)",
        AGAIN,
        short=True,
    ),
    _sql(
        "a campaign is written only where something differs",
        "campaign_updates",
        "\n    AND (c.pause_reasons <> next_change.reasons OR c.next_change_minute <> next_change.minute)",
        "",
        "test_upcoming",
    ),
    _sql(
        "the next change is written where the reasons stay",
        "campaign_updates",
        " OR c.next_change_minute <> next_change.minute",
        "",
        "test_upcoming",
    ),
    # Between two checks
    _elsewhere("a window opens", "services/enforcement/next_change", "w.start_time > b.local_time", "1 = 0", QUICK),
    _elsewhere(
        "a window closes",
        "services/enforcement/next_change",
        "w.end_time > b.local_time",
        "1 = 0",
        QUICK,
        short=True,
    ),
    _sql("clocks change", "next_change", "COALESCE(next_dst_change, {never})", "{never}", QUICK),
    _sql("a campaign begins", "next_change", "WHEN starts_on > today", "WHEN 1 = 0", QUICK),
    _sql("a campaign ends", "next_change", "WHEN ends_on >= today", "WHEN 1 = 0", QUICK),
    _sql("a daily limit ends with the day", "next_change", "{limits_of_day}) <> 0", "{limits_of_day}) < 0", QUICK),
    _sql("a monthly one with the month", "next_change", "{limits_of_month}) <> 0", "{limits_of_month}) < 0", QUICK),
    _elsewhere("a pass forgets its marks", "services/jobs/quick_check", "    clear_due(marks)\n", "", QUICK),
    _elsewhere(
        "a pass looks at what had spend",
        "services/jobs/quick_check",
        "    marks = due_rows(now=now)\n",
        "    marks = due_rows(now=now, most=0)\n",
        QUICK,
    ),
    _elsewhere(
        "a pass looks at what time has reached",
        "services/jobs/quick_check",
        "    _enforce(done, Scope.of_campaigns(due), due, clock, actor)\n",
        "",
        QUICK,
    ),
    _elsewhere(
        "a pass looks at what is pending",
        "services/jobs/quick_check",
        "sorted(pending.union(marks.brands))",
        "marks.brands",
        QUICK,
    ),
    _elsewhere(
        "a pass decides before it folds",
        "services/jobs/quick_check",
        "    decided_at = None\n",
        "    decided_at = None\n    folding.run()\n",
        "test_quick",
    ),
    _elsewhere(
        "a pass folds what it had seen before it decided",
        "services/jobs/quick_check",
        "            done.folded = folding.run(decided_at=decided_at)",
        "            done.folded = plan_fold(most_batches=MOST_BATCHES).run(decided_at=decided_at)",
        "test_quick",
    ),
    _elsewhere(
        "a pass that couldn't decide marks all that it folds",
        "services/jobs/quick_check",
        "    decided_at = None\n",
        "    decided_at = clock()\n",
        "test_quick",
    ),
    _elsewhere(
        "an error with brands keeps no campaigns waiting that time has reached",
        "services/jobs/quick_check",
        "    finally:\n        try:\n            _enforce_campaigns",
        "    except ZeroDivisionError:\n        pass\n    else:\n        try:\n            _enforce_campaigns",
        "test_quick",
    ),
    _elsewhere(
        "a pass leaves what can't be re-booked",
        "services/jobs/quick_check",
        "leave=rebooked.left",
        "leave=()",
        LOCKED,
        POSTGRESQL,
    ),
    _elsewhere(
        "a brand with a negative id is in a shard",
        "services/scope",
        'f"({brand} %% %(shards)s + %(shards)s) %% %(shards)s = %(shard)s"',
        'f"{brand} %% %(shards)s = %(shard)s"',
        SHARDS,
    ),
    _elsewhere(
        "a shard leaves what can't be re-booked",
        "services/jobs/shards",
        "actor=shard.job, leave=left",
        "actor=shard.job",
        LOCKED,
        POSTGRESQL,
    ),
    _elsewhere(
        "a shard has its own brands",
        "services/scope",
        'f"({brand} %% %(shards)s + %(shards)s) %% %(shards)s = %(shard)s"',
        '"1 = 1"',
        SHARDS,
    ),
    _elsewhere(
        "a check ends with its last shard",
        "services/jobs/shards",
        "all(each.finished_at for each in shards)",
        "True",
        SHARDS,
        short=True,
    ),
    _spent(
        "a decision stays in its scope",
        "    WHERE {campaign_in_scope}\n",
        "    WHERE {campaign_in_scope} OR 1 = 1\n",
        "test_rule_08_at_once",
    ),
    _sql(
        "history is written in the order of campaigns",
        "history_lines",
        "FROM differences ORDER BY campaign_id",
        "FROM differences ORDER BY -campaign_id",
        AGAIN,
    ),
    _decision(
        "changes are told by brand and campaign",
        "FROM differences ORDER BY brand, campaign",
        "FROM differences ORDER BY brand DESC, campaign DESC",
        "test_enforce_dry_run test_enforce_command",
    ),
    _elsewhere(
        "what was written is told by brand and campaign",
        "services/enforcement/status_changes",
        "ORDER BY b.name, c.name",
        "ORDER BY b.name DESC, c.name",
        "test_enforce_command",
    ),
    _decision(
        "brands are taken in the order of their ids",
        "GROUP BY brand_id ORDER BY brand_id",
        "GROUP BY brand_id ORDER BY -brand_id",
        "test_rule_06_idempotent test_concurrency",
    ),
)
