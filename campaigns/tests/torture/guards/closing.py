"""Closing: what each period keeps, when, and once."""

from __future__ import annotations

from campaigns.tests.torture.guards.guard import BOTH, POSTGRESQL, Guard

CLOSE = "campaigns/services/ledger/close_periods.py"

BESIDE = "test_concurrency_locks"
CLOSING = "test_closing test_closing_by_a_save"


def _book(
    name: str, file: str, before: str, after: str, tests: str, databases: str = BOTH, *, short: bool = False
) -> Guard:
    return Guard(name, file, before, after, tests, databases, short)


GUARDS = (
    _book(
        "a period is closed once",
        CLOSE,
        "AND period.closed_at IS NULL AND period.starts_on < current.starts_on\n)",
        "AND period.starts_on < current.starts_on\n)",
        CLOSING,
        short=True,
    ),
    _book("nothing is closed beyond the database's clock", CLOSE, "    now = not_ahead(now)\n", "", "test_clock_ahead"),
    _book(
        "an open period is not closed",
        CLOSE,
        "period.closed_at IS NULL AND period.starts_on < current.starts_on",
        "period.closed_at IS NULL AND period.starts_on <= current.starts_on",
        CLOSING,
    ),
    _book(
        "a closing keeps the budget that held",
        CLOSE,
        "budget_at_close = ended.budget",
        "budget_at_close = NULL",
        CLOSING,
    ),
    _book(
        "a closing keeps the spend at that moment", CLOSE, "spend_at_close = ended.spend", "spend_at_close = 0", CLOSING
    ),
    _book(
        "a day keeps the daily budget",
        CLOSE,
        "CASE zone.kind WHEN 'day' THEN",
        "CASE zone.kind WHEN 'month' THEN",
        CLOSING,
    ),
    _book(
        "a late first record keeps no budget of today's",
        CLOSE,
        "THEN NULL\n            ELSE {BUDGET} END",
        "THEN {BUDGET}\n            ELSE {BUDGET} END",
        CLOSING,
    ),
    _book(
        "a period before the brand's opening keeps today's budget no more than its own",
        CLOSE,
        "period.starts_on >= zone.opened AND ",
        "",
        CLOSING,
    ),
    _book(
        "periods with a budget and no spend are closed",
        CLOSE,
        "ended.starts_on < book.open_from\nWHERE 1 = 1",
        "ended.starts_on < book.open_from\nWHERE 1 = 0",
        CLOSING,
    ),
    _book("periods with neither are not", CLOSE, " AND {BUDGET} IS NOT NULL", "", CLOSING),
    _book(
        "budgets count from the opening on",
        CLOSE,
        "ended.starts_on >= book.closed_before AND ",
        "",
        f"{CLOSING} test_change_time_zone",
    ),
    _book(
        "the period of the opening has its budget",
        CLOSE,
        "ended.starts_on >= book.closed_before",
        "ended.starts_on > book.closed_before",
        CLOSING,
    ),
    _book(
        "what was closed is marked",
        CLOSE,
        "        self.execute(MARK_CLOSED, [self.current])\n",
        "",
        f"{CLOSING} test_rule_09_budget_of_the_period",
    ),
    _book(
        "a mark never goes back",
        CLOSE,
        " AND zone.closed_before < current.starts_on\n",
        "\n",
        f"{CLOSING} test_concurrency",
    ),
    _book("a closing counts what is pending", CLOSE, "        fold_under_ledger_lock(self.brands)\n", "", CLOSING),
    _book("a closing holds the ledger", CLOSE, "        take_ledger_lock()\n", "", BESIDE, POSTGRESQL),
    _book("a closing is one transaction", CLOSE, "    @transaction.atomic\n", "", "test_closing test_concurrency"),
    _book(
        "a closing of a brand's is no other's",
        CLOSE,
        'self.in_scope = "1 = 1" if brands is None else in_list("zone.brand_id")',
        'self.in_scope = "1 = 1" if brands is None else f"({in_list(\'zone.brand_id\')} OR 1 = 1)"',
        CLOSING,
    ),
    _book(
        "a period that has ended is due",
        CLOSE,
        "AND {in_scope} AND period.starts_on < current.starts_on\nORDER BY",
        "AND {in_scope} AND 1 = 0\nORDER BY",
        CLOSING,
    ),
    _book(
        "a batch of a closing is no other batch",
        CLOSE,
        "due[start : start + size]",
        "due[:size]",
        CLOSING,
    ),
    _book(
        "a brand created ahead is opened now",
        CLOSE,
        "min(_as_instant(created_at), self.now)",
        "_as_instant(created_at)",
        CLOSING,
    ),
    _book("new books are opened", CLOSE, "        self.set_first_periods()\n", "", CLOSING),
    _book(
        "a closing serves the others beside a brand that somebody deletes",
        CLOSE,
        "    free = brands_open_to_references(brands)\n",
        "    free = brands\n",
        "test_locked_rows",
        POSTGRESQL,
    ),
    _book(
        "a closing tells which brands somebody deletes",
        CLOSE,
        "    left.locked_brands |= set(brands) - set(free)\n",
        "",
        "test_locked_rows",
        POSTGRESQL,
    ),
    _book(
        "a person's save closes first",
        "campaigns/services/enforcement/saving.py",
        "        close_periods(now=clock(), brands=ids)",
        "        pass",
        CLOSING,
    ),
)
