"""Guards in Python that no mutation of an operator or a number takes away: SQL in strings, and calls.

What `make mutants` changes stands in .ci/mutants.txt and not here. A statement that moves to a .sql file gets labels
there, and its rows move to campaigns.tests.torture.guards.labels.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from campaigns.tests.torture.guards.guard import BOTH, POSTGRESQL, SQLITE, Change, Guard, replace_once

BRANDS, SPEND, WINDOWS = "test_guards_brand_campaign", "test_guards_spend", "test_guards_windows"
REASONS, REACHED, OPEN = "test_rule_01_reasons", "test_rule_02_reached", "test_rule_07_dayparting"
PERIODS, BAD_ROWS = "test_rule_03_period_of_spend test_rule_04_new_period", "test_rule_06_bad_rows"
AGAIN, QUICK = "test_rule_06_idempotent test_rule_13_history", "test_quick_check"
CLOSING, REBOOKING = "test_closing test_closing_by_a_save", "test_change_time_zone test_lost_time_zones"
FOLDING, DUE, VERIFY, IMPORT = (
    "test_folding test_folding_batches",
    "test_due_brands",
    "test_verify",
    "test_import_spend",
)
LOCKS, LOCKED, WAITS = "test_concurrency_locks", "test_locked_rows", "test_lock_waits"

# By file: what stands there, what else, tests, and databases if not both.
SQL: dict[str, tuple[tuple[str, ...], ...]] = {
    # Forms of values
    "models/checks": (
        ("({x} >= '0001-01-01 00:00:00+00' AND ", "(", SPEND, POSTGRESQL),
        (" AND {x} < '10000-01-01 00:00:00+00')", ")", SPEND, POSTGRESQL),
        ("{x} BETWEEN '0001-01-01' AND '9999-12-31'", "{x} >= '0001-01-01'", BRANDS, POSTGRESQL),
        ("{x} BETWEEN '0001-01-01' AND '9999-12-31'", "{x} <= '9999-12-31'", BRANDS, POSTGRESQL),
        ("{x} < '24:00' AND ", "", WINDOWS, POSTGRESQL),
        (" AND EXTRACT(SECOND FROM {x}) = 0", "", WINDOWS, POSTGRESQL),
        ('postgresql = "(ROUND({x}, 6) <> 0)"', 'postgresql = "true"', SPEND, POSTGRESQL),
        ("%%H:%%M:%%S', substr({x}, 1, 19), '+0 days')", "%%H:%%M:%%S', substr({x}, 1, 19))", SPEND, SQLITE),
        ("\" AND {x} >= '0001-01-01 00:00:00'\"", '""', SPEND, SQLITE),
        (" AND substr({x}, 21) NOT GLOB '*[^0-9]*'", "", SPEND, SQLITE),
        ("\" AND substr({x}, 20, 1) = '.'", '"', SPEND, SQLITE),
        ("BETWEEN 21 AND 26", "BETWEEN 21 AND 27", SPEND, SQLITE),
        ("BETWEEN 21 AND 26", "BETWEEN 20 AND 26", SPEND, SQLITE),
        ("(length(CAST({x} AS blob)) = 19 OR", "(length({x}) = 19 OR", SPEND, SQLITE),
        ("strftime('%%Y-%%m-%%d', {x}, '+0 days') IS {x}", "strftime('%%Y-%%m-%%d', {x}) IS {x}", BRANDS, SQLITE),
        ("strftime('%%Y-%%m-%%d', {x}, '+0 days') IS {x} AND ", "", BRANDS, SQLITE),
        (" AND {x} >= '0001-01-01'))", "))", BRANDS, SQLITE),
        ("'%%H:%%M:00'", "'%%H:%%M:%%S'", WINDOWS, SQLITE),
        ('sqlite = "(ROUND({x}, 6) <> 0)"', 'sqlite = "(1)"', SPEND, SQLITE),
        ("(typeof({x}) = 'integer')", "(1)", f"{BRANDS} {WINDOWS}", SQLITE),
    ),
    # R2
    "rules/reasons": (
        ("OR {spend} >= {limit})", "OR {spend} > {limit})", REACHED),
        ("({limit} = 0 OR {spend} >= {limit})", "({spend} >= {limit})", REACHED),
    ),
    "services/enforcement/decide": (
        # R1
        ('"NOT campaign_enabled"', '"1 = 0"', REASONS),
        ('"NOT brand_enabled"', '"1 = 0"', REASONS),
        ('"today < starts_on"', '"today <= starts_on"', REASONS),
        ('"today < starts_on"', '"1 = 0"', REASONS),
        ('"today > ends_on"', '"today >= ends_on"', REASONS),
        ('"today > ends_on"', '"1 = 0"', REASONS),
        ('"is_open = 0"', '"1 = 0"', REASONS),
        # R7
        ("b.local_time >= w.start_time", "b.local_time > w.start_time", OPEN),
        ("(b.local_time < w.end_time OR", "(b.local_time <= w.end_time OR", OPEN),
        (" OR w.end_time <= w.start_time)", ")", OPEN),
        ("w.end_time <= w.start_time)", "w.end_time < w.start_time)", OPEN),
        ("w.start_time\n            AND b.local_time < w.end_time THEN 1", "w.start_time THEN 0", OPEN),
        ("w.start_time\n            AND b.local_time < w.end_time THEN 1", "w.start_time THEN 1", OPEN),
        ("<> 0 AND w.end_time < w.start_time\n", "<> 0\n", OPEN),
        ("(w.days_of_week & b.weekday_bit) <> 0 AND", "", OPEN),
        ("(w.days_of_week & b.yesterday_bit) <> 0 AND", "", OPEN),
        ('f"MAX({WINDOW_IS_OPEN})"', 'f"MIN({WINDOW_IS_OPEN})"', OPEN),
    ),
    # R3, R4
    "models/current_spend": (
        ("p.quarter >= clock.day_from", "p.quarter > clock.day_from", PERIODS),
        ("p.quarter >= clock.month_from", "p.quarter > clock.month_from", PERIODS),
    ),
    # R6
    "services/enforcement/status_changes": (
        ("w.start_time > b.local_time", "1 = 0", QUICK),
        ("w.end_time > b.local_time", "1 = 0", QUICK),
    ),
    # R11
    "services/intake/staging": (
        ("    ON CONFLICT (campaign_id, external_id) DO NOTHING", "", IMPORT),
        ("\n       OR there.timestamp <> incoming.timestamp", "", IMPORT),
        ("    WHERE amount <> 0\n    ORDER BY place\n", "    WHERE amount <> 0\n    ORDER BY -place\n", IMPORT),
        ("    WHERE amount <> 0\n", "    WHERE true\n", "test_spend_cases"),
    ),
    # R12
    "database/dialects": (
        ("ROUND({column} * 1000000)", "{column} * 1000000", f"test_rule_12_exact_money {VERIFY}", SQLITE),
    ),
    # R6: locks, and who waits for whom
    "database/connection": (
        ("pg_advisory_xact_lock({LEDGER_LOCK})", "1", LOCKS, POSTGRESQL),
        ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "BEGIN", LOCKS, POSTGRESQL),
        ('"BEGIN DEFERRED"', '"SELECT 1"', f"{LOCKS} {VERIFY}", SQLITE),
    ),
    "services/ledger/locks": (
        ('SAVE_WAIT, "FOR NO KEY UPDATE"', 'SAVE_WAIT, "FOR UPDATE"', LOCKS, POSTGRESQL),
        ('SAVE_WAIT, "FOR NO KEY UPDATE"', 'SAVE_WAIT, "FOR SHARE"', LOCKS, POSTGRESQL),
        (' ORDER BY id {lock}"', ' ORDER BY -id {lock}"', LOCKS, POSTGRESQL),
        ('JOB_WAIT, "FOR NO KEY UPDATE SKIP LOCKED"', 'JOB_WAIT, "FOR NO KEY UPDATE"', LOCKED, POSTGRESQL),
        ('{campaigns} FOR NO KEY UPDATE SKIP LOCKED"', '{campaigns} FOR NO KEY UPDATE"', LOCKED, POSTGRESQL),
        ("FOR KEY SHARE SKIP LOCKED", "FOR KEY SHARE", LOCKED, POSTGRESQL),
        (", set_config('lock_timeout', '{wait}s', true)", "", WAITS, POSTGRESQL),
    ),
}

# Calls that a file makes for nothing but their effect: (what is called, tests, databases).
CALLS = {
    "services/ledger/fold": (
        ("take_ledger_lock", LOCKS, POSTGRESQL),
        ("limit_job_waits", WAITS, POSTGRESQL),
    ),
    "services/ledger/close_periods": (
        ("take_ledger_lock", LOCKS, POSTGRESQL),
        ("limit_job_waits", WAITS, POSTGRESQL),
        ("fold_under_ledger_lock", CLOSING, BOTH),
    ),
    "services/ledger/change_time_zone": (
        ("lock_brands", LOCKS, POSTGRESQL),
        ("take_ledger_lock", f"{LOCKS} test_change_time_zone", POSTGRESQL),
        ("close_periods", "test_change_time_zone", BOTH),
        ("repair", REBOOKING, BOTH),
    ),
    "services/ledger/verify": (("take_ledger_lock", f"{LOCKS} {VERIFY}", POSTGRESQL),),
    "services/ledger/locks": (("limit_lock_waits", WAITS, POSTGRESQL),),
    "services/enforcement/saving": (
        ("lock_brands", f"{LOCKS} test_concurrency test_admin_at_once", POSTGRESQL),
        ("lock_rows_that_go", LOCKED, POSTGRESQL),
        ("fold_under_ledger_lock", f"{DUE} test_moved_campaign", BOTH),
        ("close_periods", CLOSING, BOTH),
        ("apply_zone_changes", "test_change_time_zone test_rule_08_at_once", BOTH),
    ),
    "services/enforcement/enforce": (("self.mark_what_is_left", LOCKED, POSTGRESQL),),
    "services/jobs/quick_check": (("clear_due", QUICK, BOTH),),
    "services/intake/placement": (("lock_brands", "test_import_beside_people", POSTGRESQL),),
    "admin/shared/enforce_on_save": (("self._begin_save", "test_admin_at_once test_admin_saving", BOTH),),
}

IN_A_SHORT_TORTURE = ("OR {spend} >= {limit})", "decision WHERE reasons_after <> reasons_before)")


def python_guards() -> Iterator[Guard]:
    for file, rows in SQL.items():
        for before, after, tests, *databases in rows:
            name, short = f"{file}: {before.strip()} → {after.strip()}", before in IN_A_SHORT_TORTURE
            change, where = replace_once(before, after), " ".join(databases) or BOTH
            yield Guard(name, f"campaigns/{file}.py", change, tests, where, short)
    for file, calls in CALLS.items():
        for called, tests, where in calls:
            yield Guard(f"{file} calls {called}", f"campaigns/{file}.py", _without_calls(called), tests, where)


def _without_calls(called: str) -> Change:
    def change(text: str) -> str:
        lines = text.splitlines(keepends=True)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Expr) and ast.unparse(node.value).startswith(f"{called}("):
                start, end = node.lineno - 1, node.end_lineno or node.lineno
                lines[start:end] = [f"{' ' * node.col_offset}pass\n", *["\n"] * (end - start - 1)]
        return "".join(lines)

    return change
