"""Where a brand's month leads: what its profile expects, as campaigns/sql/brand_pace.sql computes it.

What is expected is an estimate, in the brand's currency.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from campaigns.models.pace import WEEKDAYS
from campaigns.rules import pace
from campaigns.rules.money import from_micros, to_micros
from campaigns.rules.pace import DAYS_FOR_WEEKDAYS, Verdict, days_from
from campaigns.rules.periods import ONE_DAY, next_month

# Of the table `risks`.
COLUMNS = (
    "days",
    "verdict",
    "pace",
    "expected_percent",
    "today_number",
    "first_number",
    "projected",
    "projected_low",
    "projected_high",
    "range_low",
    "range_high",
    "of_finished_days",
    "of_today",
    "of_today_so_far",
    "of_days_left",
    "today_left",
    *WEEKDAYS,
)


@dataclass(frozen=True)
class MonthPace:
    """The pace and the projection of a brand that has a profile, on a local day."""

    today: date
    # The first day of the month, or the brand's first day in it.
    first: date
    # How many days the profile is computed from.
    days: int
    # None for a brand that is paused, has no monthly budget, or has reached it.
    verdict: Verdict | None
    # 1 is as expected by now; None without a budget, and where nothing is expected by now.
    index: float | None

    projected: Decimal
    # The 80 % range.
    low: Decimal | None
    high: Decimal | None
    # Thousandths by which its ends differ from what is expected of the rest.
    errors: tuple[int, int] | None

    # What is expected of the finished days, of today, of today up to now, and of the days after today.
    of_finished_days: Decimal
    of_today: Decimal
    of_today_so_far: Decimal
    of_days_left: Decimal
    # What is still expected today, within the daily budget.
    today_left: Decimal
    # What is expected of days from Monday to Sunday.
    weekdays: tuple[Decimal, ...]

    @property
    def has_weekdays(self) -> bool:
        """Return whether there is enough history for weekdays and a range."""
        return self.days >= DAYS_FOR_WEEKDAYS

    def runs_out_on(self, left: Decimal) -> date | None:
        """Return the day on which what is expected uses what is left of the monthly budget, or None."""
        amounts = [to_micros(amount) for amount in self.weekdays]
        return pace.runs_out_on(
            to_micros(left), to_micros(self.today_left), amounts, self.today, next_month(self.today)
        )

    def expected_shares(self) -> Iterator[Decimal]:
        """Yield the part of the month's spend that is expected by the end of each day up to yesterday, by now, and by
        the end of each day after today."""
        total = self.of_finished_days + self.of_today + self.of_days_left
        if not total:
            return
        so_far = Decimal(0)
        for day in days_from(self.today.replace(day=1), next_month(self.today)):
            counts = day >= self.first
            so_far += self.weekdays[day.weekday()] if counts else 0
            yield (self.of_finished_days + self.of_today_so_far if day == self.today else so_far) / total

    def projections(self, spend: Decimal) -> list[Decimal]:
        """Return the projected spend by now, by the end of today, and by the end of each day after it."""
        amounts = [spend, spend + self.today_left]
        for day in days_from(self.today + ONE_DAY, next_month(self.today)):
            amounts.append(amounts[-1] + self.weekdays[day.weekday()])
        return amounts


def month_pace(values: Sequence[Any], today: date) -> MonthPace | None:
    """Return what the values of COLUMNS say; None without a profile, when it is too early to project."""
    row = dict(zip(COLUMNS, values, strict=True))
    if row["days"] is None or row["today_number"] is None:
        return None
    ranged = row["range_low"] is not None
    return MonthPace(
        today=today,
        first=today - (row["today_number"] - row["first_number"]) * ONE_DAY,
        days=row["days"],
        verdict=None if row["verdict"] is None else Verdict(row["verdict"]),
        index=row["pace"],
        projected=from_micros(row["projected"]),
        low=from_micros(row["projected_low"]) if ranged else None,
        high=from_micros(row["projected_high"]) if ranged else None,
        errors=(row["range_low"], row["range_high"]) if ranged else None,
        of_finished_days=from_micros(row["of_finished_days"]),
        of_today=from_micros(row["of_today"]),
        of_today_so_far=from_micros(row["of_today_so_far"]),
        of_days_left=from_micros(row["of_days_left"]),
        today_left=from_micros(row["today_left"]),
        weekdays=tuple(from_micros(row[name]) for name in WEEKDAYS),
    )
