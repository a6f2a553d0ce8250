"""The times of checks: a full check at each local midnight and at intervals, and quick checks between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from campaigns.rules.periods import ONE_DAY, start_of_day
from campaigns.services.intake.csv_reader import Row
from campaigns.services.simulation import SimulationError
from campaigns.services.simulation.history import History

# These take about an hour; more are usually caused by a timestamp with a wrong year.
MAX_CHECKS = 1_000_000


class Span(NamedTuple):
    """The time from one check (included) to a later one (excluded)."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class CheckTimes:
    """The intervals of the full check and of the quick check, if there is one."""

    check: timedelta
    quick: timedelta | None

    @property
    def shortest(self) -> timedelta:
        return self.quick or self.check

    @property
    def check_alone(self) -> CheckTimes:
        return CheckTimes(self.check, None)

    def check_spans(self, history: History) -> list[Span]:
        """Return the spans between full checks, which start at each local midnight, as the daily reset."""
        days, checks = history.days, len(history.days) * -(-ONE_DAY // self.check)
        if checks > MAX_CHECKS:
            raise SimulationError(
                f"The days from {days[0]} to {days[-1]} need {checks:,} checks, more than {MAX_CHECKS:,}: "
                "correct a wrong year in the file, or check less often with --check-every."
            )
        instants = [instant for day in days for instant in self._checks_of_day(history, day)]
        ends = [*instants, start_of_day(history.zone, days[-1] + ONE_DAY)]
        return [Span(start, end) for start, end in pairwise(ends)]

    def _checks_of_day(self, history: History, day: date) -> Iterator[datetime]:
        midnight, next_midnight = (start_of_day(history.zone, day + ONE_DAY * number) for number in (0, 1))
        return _instants(Span(midnight, next_midnight), self.check)

    def within(self, span: Span) -> list[Span]:
        """Split the span between two full checks at the quick checks."""
        if self.quick is None:
            return [span]
        return [Span(start, end) for start, end in pairwise([*_instants(span, self.quick), span.end])]


def _instants(span: Span, step: timedelta) -> Iterator[datetime]:
    instant = span.start
    while instant < span.end:
        yield instant
        instant += step


def rows_by_span(rows: list[Row], spans: list[Span]) -> dict[Span, list[Row]]:
    """Return the rows by span, without empty spans; both are in order."""
    found: dict[Span, list[Row]] = defaultdict(list)
    remaining = iter(spans)
    span = next(remaining)
    for row in rows:
        while row.timestamp >= span.end:
            span = next(remaining)
        found[span].append(row)
    return found
