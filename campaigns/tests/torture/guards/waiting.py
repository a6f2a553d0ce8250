"""Waiting: locks, their order, transactions, and what is read again once the locks are held."""

from __future__ import annotations

from campaigns.tests.torture.guards.guard import BOTH, POSTGRESQL, SQLITE, Guard

DATABASE = "campaigns/database.py"
LOCKS = "campaigns/services/locks.py"
ENFORCEMENT = "campaigns/services/enforcement.py"
SETTINGS = "budget_manager/settings.py"
CHANGES = "campaigns/services/changes.py"

WAITS = "test_concurrency_locks"
DECIDE_AND_WRITE = (
    "    newest = newest_line() if with_changes else 0\n"
    "    clocks = Clocks(scope, clock())\n"
    "    written = write_changes(scope, clocks, actor)\n"
)


def _waiting(
    name: str,
    file: str,
    before: str,
    after: str,
    tests: str = WAITS,
    databases: str = POSTGRESQL,
    *,
    short: bool = False,
) -> Guard:
    return Guard(name, file, before, after, tests, databases, short)


GUARDS = (
    _waiting(
        "the ledger lock",
        DATABASE,
        "pg_advisory_xact_lock(%s)",
        "%s",
    ),
    _waiting(
        "the ledger lock needs a transaction",
        DATABASE,
        "if not connection.in_atomic_block:",
        "if False:",
        "test_concurrency test_folding",
        BOTH,
    ),
    _waiting("verification reads one snapshot", DATABASE, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "BEGIN"),
    _waiting(
        "verification reads one snapshot on SQLite",
        DATABASE,
        '"BEGIN DEFERRED"',
        '"SELECT 1"',
        f"{WAITS} test_verify",
        SQLITE,
    ),
    _waiting("the brand lock", LOCKS, "    if is_postgresql():", "    if False:", short=True),
    _waiting("the brand lock lets spend in", LOCKS, "FOR NO KEY UPDATE", "FOR UPDATE"),
    _waiting("the brand lock is exclusive", LOCKS, "FOR NO KEY UPDATE", "FOR SHARE"),
    _waiting("brands are locked in the order of their ids", LOCKS, " ORDER BY id", ""),
    _waiting("a batch holds its brands", ENFORCEMENT, "    lock_brands(brand_ids)\n", ""),
    _waiting(
        "a batch decides again under the lock",
        ENFORCEMENT,
        f"    lock_brands(brand_ids)\n{DECIDE_AND_WRITE}",
        f"{DECIDE_AND_WRITE}    lock_brands(brand_ids)\n",
    ),
    _waiting(
        "a batch is one transaction",
        ENFORCEMENT,
        "@transaction.atomic\ndef _write(",
        "def _write(",
        "test_rule_13_history test_concurrency",
        BOTH,
    ),
    _waiting(
        "a batch writes its own brands only",
        ENFORCEMENT,
        "scope.within(brand_ids)",
        "scope",
        "test_rule_06_idempotent test_concurrency",
        BOTH,
    ),
    _waiting(
        "a batch that can't be written stops none of the others",
        ENFORCEMENT,
        "            problems.append(problem)\n            continue\n",
        "            raise\n",
        "test_rule_06_batches",
        BOTH,
    ),
    _waiting(
        "a batch that can't be written is tried again",
        ENFORCEMENT,
        "    for _ in range(ATTEMPTS - 1):",
        "    for _ in range(0):",
        "test_rule_06_batches",
        BOTH,
    ),
    _waiting(
        "a person's change holds the brand",
        CHANGES,
        "    lock_brands(ids)\n",
        "",
        "test_concurrency_locks test_concurrency test_admin_at_once",
    ),
    _waiting(
        "a transaction begins by writing on SQLite",
        SETTINGS,
        '"transaction_mode": "IMMEDIATE",',
        "",
        "test_concurrency",
        SQLITE,
        short=True,
    ),
    _waiting(
        "a writer waits its turn on SQLite",
        SETTINGS,
        '"timeout": 20,',
        '"timeout": 0,',
        "test_concurrency test_admin_at_once",
        SQLITE,
    ),
    _waiting(
        "readers don't wait for writers on SQLite",
        SETTINGS,
        "PRAGMA journal_mode=WAL; ",
        "PRAGMA journal_mode=DELETE; ",
        "test_concurrency",
        SQLITE,
    ),
)
