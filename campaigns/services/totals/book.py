"""Booking: the difference of a total to what is booked of it becomes one spend record (R16).

It goes in batches, newest day first, each a transaction of its own: lock totals that nobody else has locked, then in
one statement write their records and note them as booked. So any number of bookers at once do no harm, and a booker
that dies has booked whole batches only. A record bears the total's id and its next revision, unique together.

A batch that fails is halved until the bad total is alone; that one waits, with what the database said.
"""

from __future__ import annotations

import json
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
from campaigns.database.dialects import ids_as_text, in_list, list_param, row_locator, rows_param, rows_sql
from campaigns.database.statements import script, statement
from campaigns.models.platforms.totals import Waiting
from campaigns.rules.clock import Clock
from campaigns.rules.periods import ONE_DAY
from campaigns.services.ledger.locks import JOB_WAIT
from campaigns.services.totals.days import DAY_COLUMNS, day_rows
from campaigns.services.totals.waiting import ITS_CAMPAIGN, REASON, REPORTED

BATCH_ON_POSTGRESQL = 5_000
# Fewer, because on SQLite no other transaction can write meanwhile.
BATCH_ON_SQLITE = 2_000
# Seconds for which a part of a failed batch waits for a row that somebody has locked.
SHORT_WAIT = 0.1

DIFFERS = "CAST(ROUND(total * 1000000) AS bigint) <> booked"
# The condition of the index spend_total_to_book, word for word.
TO_BOOK = f"waiting = 0 AND {DIFFERS}"

# In the order of its index, or PostgreSQL, which believes that most totals differ, reads the table for it.
ANY_TO_BOOK = f"(SELECT id FROM campaigns_spendtotal WHERE {TO_BOOK} ORDER BY day DESC, id LIMIT 1) IS NOT NULL"

BATCH_COLUMNS = DAY_COLUMNS | {"id": "bigint", "currency": "text", "addresses": "text"}


@dataclass
class Booked:
    """What a booking did."""

    records: int = 0
    # Totals that wait now, by reason.
    waiting: int = 0
    failed: int = 0
    # Totals whose campaign somebody has locked, or that may have a link that is being saved: the next check books them.
    locked: int = 0
    # Decreases to 0 of days that aren't over.
    zeros_today: int = 0
    # Whether the time was over before all was booked.
    unfinished: bool = False


def book_totals(*, clock: Clock, seconds: float) -> Booked:
    """Book what differs and doesn't wait, newest day first, until the time is over.

    Decreases of finished days, and those of today to 0, wait for campaigns.services.totals.holds to judge them.
    """
    return _Booking(clock, TO_BOOK, decreases=False, until=monotonic() + seconds).run()


def book_decreases(ids: Iterable[int], *, clock: Clock) -> Booked:
    """Book decreases that were found harmless, or that a person releases; those restated meanwhile are left alone."""
    which = f"waiting > 0 AND waiting IN ({Waiting.HELD}, {Waiting.DECREASE}) AND {DIFFERS}"
    return _Booking(clock, which, decreases=True).book_these(ids)


def book_some(ids: Iterable[int], *, clock: Clock) -> Booked:
    """Book what differs and doesn't wait of these totals, as book_totals does."""
    return _Booking(clock, TO_BOOK, decreases=False).book_these(ids)


@dataclass(frozen=True)
class _Batch:
    """Totals that are locked."""

    # Lists as the database writes them.
    ids: list[str]
    # Day, id, currency and time zone of the account, and the addresses of its totals of that day.
    accounts: list[tuple[Any, ...]]
    first_bookings: int
    # The last total, where the next batch goes on.
    position: tuple[Any, int]


class _Booking:
    def __init__(self, clock: Clock, which: str, *, decreases: bool, until: float | None = None) -> None:
        self.now = clock()
        self.which = which
        self.decreases = decreases
        self.until = until
        self.size = BATCH_ON_POSTGRESQL if is_postgresql() else BATCH_ON_SQLITE
        self.booked = Booked()
        # The batch that is being booked, for when that fails.
        self.batch: _Batch | None = None

    def run(self) -> Booked:
        """Go once through the totals, from the newest day on: what is locked is left behind, so this ends."""
        position: tuple[Any, int] | None = None
        while True:
            beyond, params = self._beyond(position)
            batch = self._try(f"{self.which}{beyond}", params)
            if batch is None:
                return self.booked
            position = batch.position
            if self._time_is_over():
                self.booked.unfinished = True
                return self.booked
            yield_to_waiting_writers()

    def book_these(self, ids: Iterable[int]) -> Booked:
        wanted, which = sorted(ids), f"{self.which} AND {in_list('id', param='%(wanted)s')}"
        for start in range(0, len(wanted), self.size):
            self._try(which, {"wanted": list_param(wanted[start : start + self.size])})
        return self.booked

    def _beyond(self, position: tuple[Any, int] | None) -> tuple[str, dict[str, Any]]:
        if position is None:
            return "", {}
        day, last = position
        return " AND day <= %(day)s AND (day < %(day)s OR id > %(last)s)", {"day": day, "last": last}

    def _try(self, which: str, params: dict[str, Any]) -> _Batch | None:
        """Book one batch, by halves if it fails; return it, or None if there is none."""
        self.batch = None
        try:
            return self._book(which, params, JOB_WAIT)
        except DatabaseError as error:
            if self.batch is None or not _may_be_of_one_row(error):
                raise
        batch: _Batch = self.batch
        self._by_halves(sorted(json.loads(_joined(batch.ids).replace("{", "[").replace("}", "]"))))
        return batch

    def _by_halves(self, ids: list[int]) -> None:
        middle = (len(ids) + 1) // 2
        for half in (ids[:middle], ids[middle:]):
            if not half:
                continue
            if self._time_is_over():
                self.booked.locked += len(half)
                continue
            wanted = f"{self.which} AND {in_list('id', param='%(wanted)s')}"
            try:
                self._book(wanted, {"wanted": list_param(half)}, SHORT_WAIT)
            except DatabaseError as error:
                if not _may_be_of_one_row(error):
                    raise
                if len(half) > 1:
                    self._by_halves(half)
                elif is_busy(error):
                    self.booked.locked += 1
                else:
                    self._fail(half[0], error)

    def _time_is_over(self) -> bool:
        return self.until is not None and monotonic() > self.until

    @transaction.atomic
    def _book(self, which: str, params: dict[str, Any], wait: float) -> _Batch | None:
        links = self._begin(wait)
        batch = self._lock(which, params)
        if batch is None:
            return None
        self._count(self._write(batch, links))
        if not links:
            self.booked.locked += batch.first_bookings
        return batch

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

    def _lock(self, which: str, params: dict[str, Any]) -> _Batch | None:
        sql = statement(
            "totals/lock_next",
            which=which,
            address=row_locator(),
            ids=ids_as_text("id"),
            addresses=ids_as_text("address"),
            skip_locked="FOR NO KEY UPDATE SKIP LOCKED" if is_postgresql() else "",
        )
        rows = fetch_all(sql, params | {"most": self.size})
        if not rows:
            return None
        oldest = min(row[0] for row in rows)
        self.batch = _Batch(
            ids=[row[3] for row in rows],
            first_bookings=sum(row[1] for row in rows),
            accounts=[(day, *account, addresses) for day, _, _, _, addresses, *account in rows],
            position=(oldest, max(row[2] for row in rows if row[0] == oldest)),
        )
        return self.batch

    def _write(self, batch: _Batch, links: bool) -> list[tuple[Any, ...]]:
        """Write records and what is booked; return how many totals of each day now wait for each reason, or none."""
        judged = statement(
            "totals/judged",
            address=row_locator(),
            reported=REPORTED,
            reason=REASON.replace("zone.zone", "account.zone"),
            its_campaign=ITS_CAMPAIGN,
            each_address="LATERAL unnest(CAST(account.addresses AS tid[])) AS given(value)"
            if is_postgresql()
            else "json_each(account.addresses) AS given",
        )
        params = {
            "days": rows_param(BATCH_COLUMNS, self._rows(batch)),
            "decreases": int(self.decreases),
            "links": int(links),
        }
        *before, last = script("totals/book", days=rows_sql(BATCH_COLUMNS, "%(days)s"), judged=judged)
        for sql in before:
            execute(sql, params)
        return fetch_all(last, params)

    def _rows(self, batch: _Batch) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of BATCH_COLUMNS; without an account, or in an unknown time zone, there is no day."""
        days = {(zone, day) for day, _, _, zone, _ in batch.accounts}
        known = {key: next(day_rows([key], self.now), (None,) * len(DAY_COLUMNS)) for key in days}
        for day, account, currency, zone, addresses in batch.accounts:
            yield *known[zone, day], account, currency, addresses

    def _count(self, counts: Iterable[tuple[Any, ...]]) -> None:
        for waiting, day, count in counts:
            if waiting == Waiting.NO:
                self.booked.records += count
            else:
                self.booked.waiting += count
            if waiting == Waiting.DECREASE and as_date(day) >= (self.now.astimezone(UTC) - ONE_DAY).date():
                self.booked.zeros_today += count

    @transaction.atomic
    def _fail(self, total: int, error: DatabaseError) -> None:
        problem = str(error).strip().splitlines()[0][:500] if str(error).strip() else type(error).__name__
        sql = "UPDATE campaigns_spendtotal SET waiting = %(failed)s, problem = %(problem)s WHERE id = %(id)s"
        self.booked.failed += execute(
            f"{sql} AND {self.which}",
            {"failed": Waiting.FAILED.value, "problem": problem, "id": total},
        )


def _may_be_of_one_row(error: DatabaseError) -> bool:
    """Return whether a batch failed for its rows: not because a session ended, or the disk is full."""
    return is_busy(error) or not isinstance(error, OperationalError)


def _joined(lists: list[str]) -> str:
    """Return lists that the database has written, {1,2} or [1,2], as one."""
    return lists[0][0] + ",".join(each[1:-1] for each in lists) + lists[0][-1]
