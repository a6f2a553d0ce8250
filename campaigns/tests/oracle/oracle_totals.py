"""R16 and R17 in plain Python: what has to be booked of reported totals, without a line of the product's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

HELD_BELOW = Decimal("0.8")
HELD_ABOVE = 100


class Wait(Enum):
    """Why a total that differs isn't booked: a person has to assign it, the full check or a person to judge it."""

    NO = "no"
    UNASSIGNED = "unassigned"
    JUDGE = "judge"
    HELD = "held"


class Booking(NamedTuple):
    """One record that was booked of a total."""

    owner: int
    amount: Decimal
    at: datetime


@dataclass
class Total:
    """One reported total, with the records that were booked of it."""

    campaign: str
    day: date
    reported: Decimal
    as_of: datetime
    owner: int | None = None
    wait: Wait = Wait.NO
    rejected: Decimal | None = None
    records: list[Booking] = field(default_factory=list)
    revision: int = 0

    @property
    def booked(self) -> Decimal:
        return sum((each.amount for each in self.records), Decimal(0))

    @property
    def is_rejected(self) -> bool:
        return self.rejected == self.reported

    @property
    def is_judged(self) -> bool:
        return self.wait in (Wait.JUDGE, Wait.HELD)

    def book(self, owner: int, zone: str) -> None:
        self._record(owner, self.reported - self.booked, zone)
        self.owner, self.wait = owner, Wait.NO

    def leave_for(self, owner: int | None, zone: str) -> None:
        """Take back what is booked, and be booked for another campaign next."""
        if self.owner is not None and self.booked:
            self._record(self.owner, -self.booked, zone)
        self.owner, self.wait, self.rejected = owner, Wait.NO, None

    def lose(self, owner: int) -> None:
        """Lose the records of a campaign that is deleted; the total is unassigned if it was booked for it."""
        booked = self.booked
        self.records = [each for each in self.records if each.owner != owner]
        if self.owner == owner:
            self.owner, self.wait = None, Wait.UNASSIGNED
            self.revision += booked != 0

    def _record(self, owner: int, amount: Decimal, zone: str) -> None:
        """Record an amount at the report's instant, or at noon if that isn't within the account's day."""
        is_within = self.as_of.astimezone(ZoneInfo(zone)).date() == self.day
        noon = datetime.combine(self.day, time(12), ZoneInfo(zone)).astimezone(UTC)
        self.records.append(Booking(owner, amount, self.as_of if is_within else noon))
        self.revision += 1


@dataclass
class Link:
    """Where a campaign of the platform leads, and where its days before another one led."""

    owner: int | None = None
    ignored: bool = False
    earlier: dict[date, int] = field(default_factory=dict)

    def owner_on(self, day: date) -> int | None:
        return next((self.earlier[until] for until in sorted(self.earlier) if until > day), self.owner)

    def turn(self, owner: int | None, first_day: date | None) -> None:
        """Remember whose the days before the first one are."""
        if first_day is None:
            self.earlier.clear()
            return
        later = {until: each for until, each in self.earlier.items() if until >= first_day}
        before = later[min(later)] if later else self.owner
        self.earlier = {until: each for until, each in self.earlier.items() if until < first_day}
        if before not in (None, owner):
            self.earlier[first_day] = before


@dataclass
class Account:
    """One account of a platform: its totals by campaign and day, and where its campaigns are linked to."""

    clock: Callable[[], datetime]
    timezone: str = "UTC"
    # Whether it is in the currency of the brands.
    is_in_their_currency: bool = True
    totals: dict[tuple[str, date], Total] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=lambda: defaultdict(Link))
    # Campaigns that were deleted: an earlier link may still lead to one.
    deleted: set[int] = field(default_factory=set)

    def report(self, campaign: str, day: date, reported: Decimal, as_of: datetime) -> None:
        """Take over a total, unless it is older than what is known or says the same."""
        known = self.totals.get((campaign, day))
        if known is None:
            self.totals[campaign, day] = Total(campaign, day, reported, as_of)
        elif as_of >= known.as_of and reported != known.reported:
            known.reported, known.as_of = reported, as_of
            if known.is_judged:
                known.wait = Wait.NO

    def save(self, **details: Any) -> None:
        """Have another time zone or currency: what waits is looked at again."""
        for name, value in details.items():
            setattr(self, name, value)
        self._look_again(self.totals.values())

    def link(self, campaign: str, owner: int | None, first_day: date | None, *, ignored: bool = False) -> None:
        """Lead a campaign elsewhere: what is booked from the day on leaves its campaign at once."""
        link = self.links[campaign]
        if first_day is not None or (link.owner, link.ignored) != (owner, ignored):
            link.turn(owner, first_day)
            for total in self._totals_of(campaign):
                if total.owner not in (None, owner) and (first_day is None or total.day >= first_day):
                    total.leave_for(owner, self.timezone)
        link.owner, link.ignored = owner, ignored
        self._look_again(self._totals_of(campaign))

    def link_waiting(self, campaign: str, owner: int | None, *, ignored: bool = False) -> None:
        """Lead what waits elsewhere; nothing else that is booked moves."""
        link = self.links[campaign]
        waiting = [total for total in self._totals_of(campaign) if total.wait is Wait.UNASSIGNED]
        if not waiting and link.owner is not None:
            return
        if waiting:
            link.turn(owner, min(total.day for total in waiting))
        link.owner, link.ignored = owner, ignored
        for total in waiting:
            if total.owner not in (None, owner):
                total.leave_for(owner, self.timezone)
        self._look_again(waiting)

    def delete(self, owner: int) -> None:
        """Delete a campaign with its records: its links lead nowhere, and its totals are unassigned."""
        self.deleted.add(owner)
        for link in self.links.values():
            if link.owner == owner:
                link.owner = None
        for total in self.totals.values():
            total.lose(owner)

    def quick_check(self) -> None:
        yesterday = (self.clock().astimezone(UTC) - timedelta(days=1)).date()
        if any(total.day >= yesterday for total in self._book()):
            self._judge(only_open=True)

    def full_check(self) -> None:
        self._book()
        self._judge(only_open=False)

    def release(self, day: date) -> None:
        for total in self._held(day):
            if not total.is_rejected:
                self._book_decrease(total)

    def reject(self, day: date) -> None:
        for total in self._held(day):
            total.rejected = total.reported

    def spent(self) -> dict[int, Decimal]:
        """Return what the ledger has of each campaign."""
        spent: dict[int, Decimal] = defaultdict(Decimal)
        for total in self.totals.values():
            for each in total.records:
                spent[each.owner] += each.amount
        return dict(spent)

    def records_of(self, owner: int) -> list[Booking]:
        return [each for total in self.totals.values() for each in total.records if each.owner == owner]

    def _totals_of(self, campaign: str) -> list[Total]:
        return [total for total in self.totals.values() if total.campaign == campaign]

    def _look_again(self, totals: Iterable[Total]) -> None:
        for total in totals:
            if total.wait is Wait.UNASSIGNED:
                total.wait = Wait.NO

    def _held(self, day: date) -> list[Total]:
        return [total for total in self.totals.values() if total.day == day and total.wait is Wait.HELD]

    def _is_finished(self, day: date) -> bool:
        return day < self.clock().astimezone(ZoneInfo(self.timezone)).date()

    def _book(self) -> list[Total]:
        """Book what differs; return the decreases that have to be judged from now on."""
        decreases = []
        for total in self.totals.values():
            if total.wait is not Wait.NO or total.reported == total.booked:
                continue
            owner = total.owner if total.owner is not None else self.links[total.campaign].owner_on(total.day)
            if owner is None or owner in self.deleted or not self.is_in_their_currency:
                total.wait = Wait.UNASSIGNED
            elif total.reported < total.booked and (self._is_finished(total.day) or total.reported == 0):
                total.wait = Wait.JUDGE
                decreases.append(total)
            else:
                total.book(owner, self.timezone)
        return decreases

    def _book_decrease(self, total: Total) -> None:
        if total.owner is None or not self.is_in_their_currency:
            total.wait = Wait.UNASSIGNED
        else:
            total.book(total.owner, self.timezone)

    def _judge(self, *, only_open: bool) -> None:
        for day in {total.day for total in self.totals.values() if total.is_judged}:
            if only_open and self._is_finished(day):
                continue
            holds = self._falls_by_much(day)
            for total in self.totals.values():
                if total.day != day or not total.is_judged:
                    continue
                if holds or total.is_rejected:
                    total.wait = Wait.HELD
                else:
                    self._book_decrease(total)

    def _falls_by_much(self, day: date) -> bool:
        figures = [
            (total.booked, total.booked if total.is_rejected else total.reported)
            for total in self.totals.values()
            if total.day == day and total.booked
        ]
        booked = sum((each for each, _ in figures), Decimal(0))
        reported = sum((each for _, each in figures), Decimal(0))
        if self._is_finished(day):
            return reported < booked * HELD_BELOW and booked - reported > HELD_ABOVE
        zeros = sum(reported == 0 for _, reported in figures)
        return zeros > 0 and zeros * 2 >= len(figures)
