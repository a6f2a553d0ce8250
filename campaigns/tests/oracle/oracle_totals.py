"""R16 and R17 in plain Python: what has to be booked of reported totals, without a line of the product's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

HELD_BELOW = Decimal("0.8")
HELD_ABOVE = 100


class Wait(Enum):
    """Why a total that differs isn't booked: a person has to assign it, the full check or a person to judge it."""

    NO = "no"
    UNASSIGNED = "unassigned"
    JUDGE = "judge"
    HELD = "held"


@dataclass
class Total:
    """One reported total, with the records that were booked of it: which campaign, how much."""

    campaign: str
    day: date
    reported: Decimal
    as_of: datetime
    owner: int | None = None
    wait: Wait = Wait.NO
    rejected: Decimal | None = None
    records: list[tuple[int, Decimal]] = field(default_factory=list)

    @property
    def booked(self) -> Decimal:
        return sum((amount for _, amount in self.records), Decimal(0))

    @property
    def is_rejected(self) -> bool:
        return self.rejected == self.reported

    @property
    def is_judged(self) -> bool:
        return self.wait in (Wait.JUDGE, Wait.HELD)

    def book(self, owner: int) -> None:
        self.records.append((owner, self.reported - self.booked))
        self.owner, self.wait = owner, Wait.NO

    def leave_for(self, owner: int | None) -> None:
        """Take back what is booked, and be booked for another campaign next."""
        if self.owner is not None and self.booked:
            self.records.append((self.owner, -self.booked))
        self.owner, self.wait, self.rejected = owner, Wait.NO, None


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

    now: datetime
    timezone: str = "UTC"
    # Whether it is in the currency of the brands.
    is_in_their_currency: bool = True
    totals: dict[tuple[str, date], Total] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=lambda: defaultdict(Link))

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
                    total.leave_for(owner)
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
                total.leave_for(owner)
        self._look_again(waiting)

    def quick_check(self) -> None:
        yesterday = (self.now.astimezone(UTC) - timedelta(days=1)).date()
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
            for owner, amount in total.records:
                spent[owner] += amount
        return dict(spent)

    def _totals_of(self, campaign: str) -> list[Total]:
        return [total for total in self.totals.values() if total.campaign == campaign]

    def _look_again(self, totals: Iterable[Total]) -> None:
        for total in totals:
            if total.wait is Wait.UNASSIGNED:
                total.wait = Wait.NO

    def _held(self, day: date) -> list[Total]:
        return [total for total in self.totals.values() if total.day == day and total.wait is Wait.HELD]

    def _is_finished(self, day: date) -> bool:
        return day < self.now.astimezone(ZoneInfo(self.timezone)).date()

    def _book(self) -> list[Total]:
        """Book what differs; return the decreases that have to be judged from now on."""
        decreases = []
        for total in self.totals.values():
            if total.wait is not Wait.NO or total.reported == total.booked:
                continue
            owner = total.owner if total.owner is not None else self.links[total.campaign].owner_on(total.day)
            if owner is None or not self.is_in_their_currency:
                total.wait = Wait.UNASSIGNED
            elif total.reported < total.booked and (self._is_finished(total.day) or total.reported == 0):
                total.wait = Wait.JUDGE
                decreases.append(total)
            else:
                total.book(owner)
        return decreases

    def _book_decrease(self, total: Total) -> None:
        if total.owner is None or not self.is_in_their_currency:
            total.wait = Wait.UNASSIGNED
        else:
            total.book(total.owner)

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
