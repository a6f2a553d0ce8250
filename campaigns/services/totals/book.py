"""Booking: the difference of a total to what is booked of it becomes one spend record (R16).

Triggers flag the days of accounts that have totals to book (DayToBook). Booking goes through these, newest day first,
in batches, each a transaction of its own that locks totals which nobody else has locked, notes them as booked and
writes their records. So any number of bookers at once do no harm, and a booker that dies has booked whole batches only.
A record bears the total's id and its next revision, unique together. A flag is cleared when its day has nothing left
to book: a total that another transaction has locked keeps it, and each report adds another one.

A batch that fails is halved until the bad total is alone; that one waits, with what the database said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from time import monotonic
from typing import Any

from django.db import DatabaseError, OperationalError, transaction

from campaigns.database.connection import (
    LINKS_LOCK,
    LOCK_HOLDER_TIMEOUT,
    as_date,
    execute,
    fetch_all,
    is_busy,
    is_postgresql,
    yield_to_waiting_writers,
)
from campaigns.database.dialects import (
    ids_as_text,
    in_list,
    json_rows,
    list_param,
    row_as_json,
    rows_param,
    rows_sql,
    skip_locked,
)
from campaigns.database.statements import script, statement
from campaigns.models.platforms.totals import Waiting
from campaigns.rules.clock import Clock
from campaigns.rules.periods import ONE_DAY
from campaigns.services.ledger.locks import JOB_WAIT
from campaigns.services.totals.days import DAY_COLUMNS, day_rows
from campaigns.services.totals.waiting import ITS_CAMPAIGN, REASON, REPORTED

BATCH_ON_POSTGRESQL = 10_000
# Fewer, because on SQLite no other transaction can write meanwhile.
BATCH_ON_SQLITE = 2_000
# Accounts' days that are looked through at a time: at first, and at most. After the first as many as nearly fill one
# batch, because each batch reads all totals of its days.
FIRST_DAYS = 100
DAYS = 800
# Seconds for which a part of a failed batch waits for a row that somebody has locked.
SHORT_WAIT = 0.1

DIFFERS = f"{REPORTED} <> total.booked"
TO_BOOK = f"total.waiting = 0 AND {DIFFERS}"

# REASON with what a booking already knows of the account.
REASON_HERE = (
    REASON.replace("account.id", "total.account_id")
    .replace("account.currency", "total.currency")
    .replace("brand.currency", "COALESCE(brand.currency, total.usual_currency)")
    .replace("zone.zone", "total.zone")
)

# In the order of its index, or PostgreSQL may read the table for it.
ANY_TO_BOOK = "(SELECT id FROM campaigns_daytobook ORDER BY day DESC, source, account LIMIT 1) IS NOT NULL"

# Which totals of a row of ACCOUNT_DAY_COLUMNS are meant, on PostgreSQL; on SQLite they are always given by id.
BY_ID = "total.id = ANY(CAST(account.ids AS bigint[]))"
BY_DAY = "total.source = account.source AND total.account = account.account AND total.day = account.day"

KEY_COLUMNS = {"day": "date", "source": "text", "account": "text"}
ACCOUNT_DAY_COLUMNS = KEY_COLUMNS | {"account_id": "bigint", "currency": "text", "zone": "text", "ids": "text"}

# A day of an account: its day, source and external id, its time zone, and all of ACCOUNT_DAY_COLUMNS as JSON, which
# Python hands on as it is.
AccountDay = tuple[Any, ...]
# What is reached before the first of them, which is the newest: totals' days end on 2099-12-30.
BEFORE_ALL_DAYS: AccountDay = ("2100-01-01", "", "")


@dataclass
class Booked:
    """What a booking did."""

    records: int = 0
    # Totals that wait now, by reason.
    waiting: int = 0
    failed: int = 0
    # Decreases to 0 of days that aren't over.
    zeros_today: int = 0
    # Whether the time was over before all was booked.
    unfinished: bool = False

    @property
    def totals(self) -> int:
        return self.records + self.waiting + self.failed


def book_totals(*, clock: Clock, seconds: float) -> Booked:
    """Book what differs and doesn't wait, newest day first, until the time is over.

    Decreases of finished days, and those of today to 0, wait for campaigns.services.totals.holds to judge them.
    """
    return _Booking(clock, TO_BOOK, decreases=False, until=monotonic() + seconds).run()


def book_decreases(ids: Iterable[int], *, clock: Clock) -> Booked:
    """Book decreases that were found harmless, or that a person releases; those restated meanwhile are left alone."""
    which = f"total.waiting > 0 AND total.waiting IN ({Waiting.HELD}, {Waiting.DECREASE}) AND {DIFFERS}"
    return _Booking(clock, which, decreases=True).book_these(ids)


def book_some(ids: Iterable[int], *, clock: Clock) -> Booked:
    """Book what differs and doesn't wait of these totals, as book_totals does."""
    return _Booking(clock, TO_BOOK, decreases=False).book_these(ids)


class _Booking:
    def __init__(self, clock: Clock, which: str, *, decreases: bool, until: float | None = None) -> None:
        self.now = clock()
        self.which = which
        self.decreases = decreases
        self.until = until
        self.size = BATCH_ON_POSTGRESQL if is_postgresql() else BATCH_ON_SQLITE
        self.booked = Booked()
        # Rows of DAY_COLUMNS, by time zone and day; none for an unknown time zone.
        self.local_days: dict[tuple[Any, Any], list[tuple[Any, ...]]] = {}

    def run(self) -> Booked:
        """Go once through the flagged days, from the newest on: what is locked is left behind, so this ends."""
        reached, most = BEFORE_ALL_DAYS, FIRST_DAYS
        while days := self._next_days(reached, most):
            reached, before = days[-1], self.booked.totals
            there_may_be_more = True
            while there_may_be_more:
                there_may_be_more = self._book_batch(days)
                if self._time_is_over():
                    self.booked.unfinished = there_may_be_more or bool(self._next_days(reached, 1))
                    return self.booked
                yield_to_waiting_writers()
            of_these = max(self.booked.totals - before, 1)
            most = min(max(len(days) * self.size * 9 // 10 // of_these, 1), DAYS)
        return self.booked

    def book_these(self, ids: Iterable[int]) -> Booked:
        wanted = sorted(ids)
        for start in range(0, len(wanted), self.size):
            self._book_in_parts(wanted[start : start + self.size], JOB_WAIT)
        return self.booked

    def _next_days(self, reached: AccountDay, most: int) -> list[AccountDay]:
        sql = statement("totals/next_days", json=row_as_json(ACCOUNT_DAY_COLUMNS, "account_day"))
        return fetch_all(sql, dict(zip(KEY_COLUMNS, reached, strict=False)) | {"most": most})

    def _book_batch(self, days: list[AccountDay]) -> bool:
        """Book one batch of the totals of these days, by ids if it fails; return whether there may be more."""
        if is_postgresql():
            try:
                return self._book_days(days) >= self.size
            except DatabaseError as error:
                if not _may_be_of_one_row(error):
                    raise
        ids, before = self._ids_of(days), self.booked.totals
        self._book_in_parts(ids, SHORT_WAIT if is_postgresql() else JOB_WAIT)
        if len(ids) < self.size:
            self._clear(days)
            return False
        return self.booked.totals > before

    @transaction.atomic
    def _ids_of(self, days: list[AccountDay]) -> list[int]:
        given = f"SELECT day, source, account FROM ({rows_sql(KEY_COLUMNS, '%(keys)s')}) AS given"
        sql = (
            f"SELECT total.id FROM campaigns_spendtotal AS total WHERE {self.which}"
            f" AND (total.day, total.source, total.account) IN ({given})"
            " ORDER BY total.day DESC, total.id LIMIT %(most)s"
        )
        return [each for (each,) in fetch_all(sql, {"keys": _keys(days), "most": self.size})]

    def _book_in_parts(self, ids: list[int], wait: float) -> None:
        """Book these totals, by halves if that fails."""
        if not ids:
            return
        try:
            self._book_ids(ids, wait)
        except DatabaseError as error:
            if not _may_be_of_one_row(error):
                raise
            if len(ids) > 1:
                middle = (len(ids) + 1) // 2
                for half in (ids[:middle], ids[middle:]):
                    if not self._time_is_over():
                        self._book_in_parts(half, SHORT_WAIT)
            elif not is_busy(error):
                self._fail(ids[0], error)

    def _time_is_over(self) -> bool:
        return self.until is not None and monotonic() > self.until

    @transaction.atomic
    def _book_days(self, days: list[AccountDay]) -> int:
        booked = self._write(days, BY_DAY, self._begin(JOB_WAIT))
        if booked < self.size:
            self._clear(days)
        return booked

    @transaction.atomic
    def _book_ids(self, ids: list[int], wait: float) -> None:
        links = self._begin(wait)
        wanted = f"{self.which} AND {in_list('total.id', param='%(wanted)s')}"
        json = row_as_json(ACCOUNT_DAY_COLUMNS, "account_day")
        sql = statement("totals/find", which=wanted, ids=ids_as_text("id"), json=json)
        days = fetch_all(sql, {"wanted": list_param(ids)})
        if days:
            self._write(days, BY_ID, links)

    def _begin(self, wait: float) -> bool:
        """Limit waits, and plan for few rows of large tables; return whether nobody is saving links just now."""
        if not is_postgresql():
            return True
        ((*_, links),) = fetch_all(
            f"SELECT {LOCK_HOLDER_TIMEOUT}, set_config('lock_timeout', %s, true), set_config('jit', 'off', true),"
            # A hash of all campaigns takes longer than a batch, whose rows are few in tables that may be large.
            " set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),"
            # Nor is a cache of lookups worth its cost: a batch looks up few rows twice.
            " set_config('enable_mergejoin', 'off', true), set_config('enable_memoize', 'off', true),"
            " pg_try_advisory_xact_lock_shared(%s)",
            [f"{round(wait * 1000)}ms", LINKS_LOCK],
        )
        return bool(links)

    def _write(self, days: list[AccountDay], of_account: str, links: bool) -> int:
        """Book totals of these days, at most a batch; return how many now are booked or wait."""
        taken = statement("totals/taken", reported=REPORTED, of_account=of_account, which=self.which)
        judged = statement("totals/judged", reason=REASON_HERE, its_campaign=ITS_CAMPAIGN, taken=taken)
        account_days = statement(
            "totals/account_days",
            account_days=rows_sql(ACCOUNT_DAY_COLUMNS, "%(account_days)s"),
            days=rows_sql(DAY_COLUMNS, "%(days)s"),
        )
        *before, last = script("totals/book", account_days=account_days, judged=judged)
        params = {
            "account_days": json_rows(json for *_, json in days),
            "days": rows_param(DAY_COLUMNS, self._local_days(days)),
            "decreases": int(self.decreases),
            "links": int(links),
            "most": self.size,
        }
        for sql in before:
            execute(sql, params)
        return self._count(fetch_all(last, params))

    def _local_days(self, days: list[AccountDay]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of DAY_COLUMNS that there are of these days."""
        for key in {(zone, day) for day, _, _, zone, _ in days}:
            if key not in self.local_days:
                self.local_days[key] = list(day_rows([key], self.now))
            yield from self.local_days[key]

    def _clear(self, days: list[AccountDay]) -> None:
        """Clear the flags of these days, where nothing is left to book."""
        sql = statement(
            "totals/clear_days",
            given=rows_sql(KEY_COLUMNS, "%(keys)s"),
            to_book=TO_BOOK,
            skip_locked=skip_locked("flag"),
        )
        execute(sql, {"keys": _keys(days)})

    def _count(self, counts: Iterable[tuple[Any, ...]]) -> int:
        before = self.booked.totals
        for waiting, day, count in counts:
            if waiting == Waiting.NO:
                self.booked.records += count
            else:
                self.booked.waiting += count
            if waiting == Waiting.DECREASE and as_date(day) >= (self.now.astimezone(UTC) - ONE_DAY).date():
                self.booked.zeros_today += count
        return self.booked.totals - before

    @transaction.atomic
    def _fail(self, total: int, error: DatabaseError) -> None:
        problem = str(error).strip().splitlines()[0][:500] if str(error).strip() else type(error).__name__
        self.booked.failed += execute(
            "UPDATE campaigns_spendtotal AS total SET waiting = %(failed)s, problem = %(problem)s"
            f" WHERE total.id = %(id)s AND {self.which}",
            {"failed": Waiting.FAILED.value, "problem": problem, "id": total},
        )


def _may_be_of_one_row(error: DatabaseError) -> bool:
    """Return whether a batch failed for its rows: not because a session ended, or the disk is full."""
    return is_busy(error) or not isinstance(error, OperationalError)


def _keys(days: list[AccountDay]) -> str:
    return rows_param(KEY_COLUMNS, (row[: len(KEY_COLUMNS)] for row in days))
