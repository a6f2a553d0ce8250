"""When the jobs look: a full check at each local midnight and every so often, and quick checkes between them."""

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

# That takes about an hour; more is most likely a timestamp with a wrong year.
MOST_CHECKS = 1_000_000


class Span(NamedTuple):
    """A stretch from one look (included) to a later one (excluded)."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Looks:
    """The intervals of the full check and of the quick check; None is no quick check."""

    check: timedelta
    quick: timedelta | None

    @property
    def shortest(self) -> timedelta:
        return self.quick or self.check

    @property
    def check_alone(self) -> Looks:
        return Looks(self.check, None)

    def check_spans(self, history: History) -> list[Span]:
        """Return the stretches between full checks: at each local midnight, as the daily reset, then every so often."""
        days, checks = history.days, len(history.days) * -(-ONE_DAY // self.check)
        if checks > MOST_CHECKS:
            raise SimulationError(
                f"The days from {days[0]} to {days[-1]} need {checks:,} checks, more than {MOST_CHECKS:,}: "
                "correct a wrong year in the file, or check less often with --check-every."
            )
        instants = [instant for day in days for instant in self._checks_of_day(history, day)]
        ends = [*instants, start_of_day(history.zone, days[-1] + ONE_DAY)]
        return [Span(start, end) for start, end in pairwise(ends)]

    def _checks_of_day(self, history: History, day: date) -> Iterator[datetime]:
        midnight, next_midnight = (start_of_day(history.zone, day + ONE_DAY * number) for number in (0, 1))
        return _instants(Span(midnight, next_midnight), self.check)

    def within(self, span: Span) -> list[Span]:
        """Cut the stretch between two full checks at the quick checkes."""
        if self.quick is None:
            return [span]
        return [Span(start, end) for start, end in pairwise([*_instants(span, self.quick), span.end])]


def _instants(span: Span, step: timedelta) -> Iterator[datetime]:
    instant = span.start
    while instant < span.end:
        yield instant
        instant += step


def rows_by_span(rows: list[Row], spans: list[Span]) -> dict[Span, list[Row]]:
    """Return the rows of each stretch that has any; both are in order."""
    found: dict[Span, list[Row]] = defaultdict(list)
    upcoming = iter(spans)
    span = next(upcoming)
    for row in rows:
        while row.timestamp >= span.end:
            span = next(upcoming)
        found[span].append(row)
    return found
