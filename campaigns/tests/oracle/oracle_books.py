"""A brand's books as the rules say: where spend is booked (R15), and what is kept at a closing (part 4).

Like the oracle's decision, nothing of the product is used here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from campaigns.tests.oracle.oracle import BrandFacts, period_of, wall

FIRST, NEVER = date(1, 1, 1), date(9999, 12, 1)
NOTHING = Decimal(0)

# What isn't 0 of: ("campaign day", campaign id, day), ("day", brand id, day), ("month", brand id, its first day).
Totals = dict[tuple[str, int, date], Decimal]


@dataclass(frozen=True)
class Statement:
    """What is kept of a period that has ended."""

    closed_at: datetime
    spend: Decimal
    budget: Decimal | None


@dataclass(eq=False)
class Book:
    """The days, or the months, of a brand.

    zones says from which period on is booked in which zone. Budgets count from the period on in which the brand was
    created; whatever lies before closed_before has been closed once.
    """

    kind: str
    zones: list[tuple[date, str]]
    created_in: date | None = None
    closed_before: date = FIRST
    statements: dict[date, Statement] = field(default_factory=dict)

    @property
    def zone(self) -> str:
        return self.zones[-1][1]

    @property
    def segments(self) -> list[tuple[date, date, str]]:
        """Return from which period on, and before which, is booked in which zone."""
        return [(first, until, zone) for (first, zone), (until, _) in pairwise([*self.zones, (NEVER, "")])]

    def current(self, now: datetime) -> date:
        return self.period_in(self.zone, now)

    def period_in(self, zone: str, instant: datetime) -> date:
        return period_of(self.kind, wall(zone, instant).date())

    def periods(self, instant: datetime) -> Iterator[date]:
        """Give the period that an instant is booked in; around the moment of a move there may be two, or none."""
        for first, until, zone in self.segments:
            period = self.period_in(zone, instant)
            if first <= period < until:
                yield period

    def between(self, first: date, until: date) -> Iterator[date]:
        while first < until:
            yield first
            first = period_of(self.kind, first + timedelta(days=1 if self.kind == "day" else 32))


class Books:
    """Both books of a brand. The brand's facts are read, never changed."""

    def __init__(self, brand: BrandFacts, created_at: datetime) -> None:
        self.brand, self.created_at = brand, created_at
        self.books = [Book(kind, [(FIRST, brand.timezone)]) for kind in ("day", "month")]
        self.held: dict[str, Decimal | None] = {}
        """The budgets of the closing that is under way; empty where none is."""

    @property
    def has_moved(self) -> bool:
        """Whether the brand's zone is another one than it is booked in: changed by SQL and not noticed yet."""
        return any(book.zone != self.brand.timezone for book in self.books)

    def totals(self) -> Totals:
        """Return the sum of the records of each period."""
        sums: defaultdict[tuple[str, int, date], Decimal] = defaultdict(Decimal)
        for campaign in self.brand.campaigns:
            for record in campaign.records:
                for book in self.books:
                    for period in book.periods(record.timestamp):
                        sums[book.kind, self.brand.pk, period] += record.amount
                        if book.kind == "day":
                            sums["campaign day", campaign.pk, period] += record.amount
        return {key: amount for key, amount in sums.items() if amount}

    def check(self, now: datetime) -> None:
        """Do what a full check does: re-book what moved, close everything that has ended."""
        self.close(now)
        self.rebook(now)
        self._close(now, late=True)

    def close(self, now: datetime) -> None:
        """Close what has ended since the last time, with the budgets of now; a person's change begins with this."""
        self.held = {"day": self.brand.daily_budget, "month": self.brand.monthly_budget}
        self._close(now)

    def _close(self, now: datetime, *, late: bool = False) -> None:
        """late: with those periods, too, that were over already and had nothing until a record came late."""
        totals = self.totals()
        for book in self.books:
            if book.created_in is None:
                book.created_in = book.closed_before = book.current(min(self.created_at, now))
            current = book.current(now)
            ended = set(book.between(book.closed_before, current))
            if late:
                ended |= {period for kind, pk, period in totals if (kind, pk) == (book.kind, self.brand.pk)}
            for period in sorted(ended):
                statement = self._statement(book, period, now, totals)
                if period < current and (statement.spend or statement.budget is not None):
                    book.statements.setdefault(period, statement)
            book.closed_before = max(book.closed_before, current)

    def _statement(self, book: Book, period: date, now: datetime, totals: Totals) -> Statement:
        """Return what is to be kept: of a period that had neither spend nor budget when it ended, no budget."""
        assert book.created_in is not None
        spent = totals.get((book.kind, self.brand.pk, period), NOTHING)
        had_none = book.created_in <= period < book.closed_before
        return Statement(now, spent, None if had_none else self.held[book.kind])

    def rebook(self, now: datetime) -> None:
        """R15: what is open in the old zone or in the new one is booked in the new one, and is open. Close before.

        What is open again is closed with the budget that holds then (R9), even where the move is taken back.
        """
        if not self.has_moved:
            return
        new = self.brand.timezone
        for book in self.books:
            first = min(book.current(now), book.period_in(new, now))
            book.zones = [*(row for row in book.zones if row[0] < first), (first, new)]
            book.closed_before = max(first, book.period_in(new, self.created_at))
            book.statements = {period: kept for period, kept in book.statements.items() if period < first}

    def settle(self, found: dict[str, dict[date, Statement]], now: datetime) -> None:
        """End a step: take over what else was closed as it should be, for it depends on what was folded before.

        That is a period that had ended before: with a record that came late, where only a full check must look
        for those, or with records that add up to nothing.
        """
        totals = self.totals()
        for book in self.books if self.held else ():
            for period in found[book.kind].keys() - book.statements.keys():
                expected = self._statement(book, period, now, totals)
                if period < book.closed_before and found[book.kind][period] == expected:
                    book.statements[period] = expected
        self.held = {}
