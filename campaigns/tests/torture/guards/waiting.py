"""Waiting: locks, their order, transactions, and what is read again once the locks are held."""

from __future__ import annotations

from campaigns.tests.torture.guards.guard import BOTH, POSTGRESQL, SQLITE, Guard

DATABASE = "campaigns/database/connection.py"
LOCKS = "campaigns/services/ledger/locks.py"
ENFORCEMENT = "campaigns/services/enforcement/enforce.py"
JOBS = "campaigns/services/jobs/full_check.py"
FOLD = "campaigns/services/ledger/fold.py"
CLOSE = "campaigns/services/ledger/close_periods.py"
SETTINGS = "budget_manager/settings.py"
CHANGES = "campaigns/services/enforcement/saving.py"

WAITS = "test_concurrency_locks"
LOCKED = "test_locked_rows"
LIMITS = "test_lock_waits"
LOCK_BRANDS = (
    "        free = lock_brands(brand_ids, by_job=not self.in_caller) if wait else lock_free_brands(brand_ids)\n"
)
DECIDE_AND_WRITE = """        locked_brands = sorted(set(brand_ids) - set(free))
        if not free:
            return _Batch(ChangeCounts(), [], locked_brands, [])
        scope, locked_campaigns = self.scope.within(free), list[int]()
        if self.skip_campaigns:
            campaigns, locked_campaigns = lock_free_campaigns(scope)
            scope = Scope(brands=tuple(free), campaigns=tuple(campaigns))
        last = last_history_id() if self.on_changes else 0
        written = write_changes(scope, Clocks(free.values(), self.clock()), self.actor)
"""


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
    _waiting(
        "the brand lock",
        LOCKS,
        '{_settings(wait)}", lock) if is_postgresql()',
        '{_settings(wait)}", lock) if False',
        short=True,
    ),
    _waiting("the brand lock lets spend in", LOCKS, 'SAVE_WAIT, "FOR NO KEY UPDATE"', 'SAVE_WAIT, "FOR UPDATE"'),
    _waiting("the brand lock is exclusive", LOCKS, 'SAVE_WAIT, "FOR NO KEY UPDATE"', 'SAVE_WAIT, "FOR SHARE"'),
    _waiting("brands are locked in the order of their ids", LOCKS, ' ORDER BY id {lock}"', ' ORDER BY -id {lock}"'),
    _waiting(
        "a batch holds its brands",
        ENFORCEMENT,
        "if wait else lock_free_brands(brand_ids)\n",
        "if wait else brands_of(Scope.of_brands(brand_ids))\n",
        "test_concurrency test_concurrency_locks",
    ),
    _waiting(
        "a batch decides again under the lock",
        ENFORCEMENT,
        f"{LOCK_BRANDS}{DECIDE_AND_WRITE}",
        f"        free = brands_of(Scope.of_brands(brand_ids))\n{DECIDE_AND_WRITE}        lock_brands(brand_ids)\n",
        "test_concurrency test_concurrency_locks",
    ),
    _waiting(
        "a batch is one transaction",
        ENFORCEMENT,
        "    @transaction.atomic\n    def write(",
        "    def write(",
        "test_rule_13_history test_concurrency",
        BOTH,
    ),
    _waiting(
        "a batch writes its own brands only",
        ENFORCEMENT,
        "self.scope.within(free)",
        "self.scope",
        "test_rule_06_idempotent test_concurrency",
        BOTH,
    ),
    _waiting(
        "a batch that can't be written stops none of the others",
        ENFORCEMENT,
        "                    self.problems.append(problem)\n",
        "                    raise\n",
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
    # What somebody else has locked
    _waiting(
        "a job skips locked brands",
        LOCKS,
        'JOB_WAIT, "FOR NO KEY UPDATE SKIP LOCKED"',
        'JOB_WAIT, "FOR NO KEY UPDATE"',
        LOCKED,
    ),
    _waiting(
        "a job skips locked campaigns",
        LOCKS,
        '{campaigns} FOR NO KEY UPDATE SKIP LOCKED"',
        '{campaigns} FOR NO KEY UPDATE"',
        LOCKED,
    ),
    _waiting("brands that somebody deletes are skipped", LOCKS, "FOR KEY SHARE SKIP LOCKED", "FOR KEY SHARE", LOCKED),
    _waiting(
        "a locked campaign is skipped",
        ENFORCEMENT,
        "                if is_lock_timeout(error) and not self.skip_campaigns:\n",
        "                if False:\n",
        LOCKED,
    ),
    _waiting(
        "a locked table ends no check",
        ENFORCEMENT,
        "                if is_lock_timeout(problem):",
        "                if False:",
        LOCKED,
    ),
    _waiting(
        "what is locked is marked for the next quick check",
        ENFORCEMENT,
        "            self.mark_what_is_left()\n",
        "            pass\n",
        LOCKED,
    ),
    _waiting(
        "the brand of a locked campaign is marked",
        ENFORCEMENT,
        "left.locked_brands.union(of_campaigns)",
        "left.locked_brands",
        LOCKED,
    ),
    _waiting(
        "locked brands are told",
        ENFORCEMENT,
        "        self.done.unfinished.locked_brands |= set(self.batches(_batches(rest), wait=False))\n",
        "        self.batches(_batches(rest), wait=False)\n",
        LOCKED,
    ),
    _waiting(
        "locked campaigns are told",
        ENFORCEMENT,
        "        self.done.unfinished.locked_campaigns |= set(batch.locked_campaigns)\n",
        "",
        LOCKED,
    ),
    _waiting(
        "a second look is in batches", ENFORCEMENT, "_batches([(pk, counts[pk]) for pk in locked])", "[locked]", LOCKED
    ),
    _waiting("what can't be re-booked is not decided", ENFORCEMENT, " if brand[0] not in leave]", "]", LOCKED),
    _waiting("what can't be re-booked is told", ENFORCEMENT, "locked_brands=set(leave)", "locked_brands=set()", LOCKED),
    _waiting("a check leaves what can't be re-booked", JOBS, ", leave=rebooked.left", "", LOCKED),
    # How long somebody waits
    _waiting("a wait for a row has an end", LOCKS, ", set_config('lock_timeout', '{wait}s', true)", "", LIMITS),
    _waiting("a job waits less than a person", LOCKS, "JOB_WAIT if by_job else SAVE_WAIT", "SAVE_WAIT", LIMITS),
    _waiting("a person waits longer than a job", LOCKS, "JOB_WAIT if by_job else SAVE_WAIT", "JOB_WAIT", LIMITS),
    _waiting(
        "a job that skips brands waits for nothing long",
        LOCKS,
        'JOB_WAIT, "FOR NO KEY UPDATE SKIP LOCKED"',
        'SAVE_WAIT, "FOR NO KEY UPDATE SKIP LOCKED"',
        LIMITS,
    ),
    _waiting(
        "a job waits for the ledger for a while", LOCKS, "    limit_lock_waits(LEDGER_WAIT)\n", "    pass\n", LIMITS
    ),
    _waiting("a fold's waits have an end", FOLD, "            limit_job_waits()\n", "            pass\n", LIMITS),
    _waiting("a closing's waits have an end", CLOSE, "            limit_job_waits()\n", "            pass\n", LIMITS),
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
