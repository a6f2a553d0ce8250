"""R16 and R17 in plain Python: what has to be booked of reported totals, without a line of the product's."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from zoneinfo import ZoneInfo

HELD_BELOW = Decimal("0.8")
HELD_ABOVE = 100


class Wait(Enum):
    """Whether a decrease waits: for the full check, or for a person. Unlinked totals differ by their booked sum."""

    NO = "no"
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

    def book(self, owner: int) -> None:
        self.records.append((owner, self.reported - self.booked))
        self.owner, self.wait = owner, Wait.NO


@dataclass
class Account:
    """One account of a platform: its totals by campaign and day, and where its campaigns are linked to."""

    now: datetime
    timezone: str = "UTC"
    totals: dict[tuple[str, date], Total] = field(default_factory=dict)
    links: dict[str, int | None] = field(default_factory=dict)

    def report(self, campaign: str, day: date, reported: Decimal, as_of: datetime) -> None:
        """Take over a total, unless it is older than what is known or says the same."""
        known = self.totals.get((campaign, day))
        if known is None:
            self.totals[campaign, day] = Total(campaign, day, reported, as_of)
        elif as_of >= known.as_of and reported != known.reported:
            known.reported, known.as_of, known.wait = reported, as_of, Wait.NO

    def link(self, campaign: str, owner: int | None, first_day: date | None) -> None:
        """Lead a campaign elsewhere: what is booked from the day on leaves its campaign at once."""
        self.links[campaign] = owner
        for total in self.totals.values():
            leaves = total.owner not in (None, owner) and (first_day is None or total.day >= first_day)
            if total.campaign == campaign and total.owner is not None and leaves:
                if total.booked:
                    total.records.append((total.owner, -total.booked))
                total.owner, total.wait, total.rejected = owner, Wait.NO, None

    def quick_check(self) -> None:
        yesterday = (self.now.astimezone(UTC) - timedelta(days=1)).date()
        if any(total.day >= yesterday for total in self._book()):
            self._judge(only_open=True)

    def full_check(self) -> None:
        self._book()
        self._judge(only_open=False)

    def release(self, day: date) -> None:
        for total in self._held(day):
            if not total.is_rejected and total.owner is not None:
                total.book(total.owner)

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

    def _held(self, day: date) -> list[Total]:
        return [total for total in self.totals.values() if total.day == day and total.wait is Wait.HELD]

    def _is_finished(self, day: date) -> bool:
        return day < self.now.astimezone(ZoneInfo(self.timezone)).date()

    def _book(self) -> list[Total]:
        """Book what differs; return the decreases that have to be judged from now on."""
        decreases = []
        for total in self.totals.values():
            owner = total.owner if total.owner is not None else self.links.get(total.campaign)
            if total.wait is not Wait.NO or owner is None or total.reported == total.booked:
                continue
            if total.reported < total.booked and (self._is_finished(total.day) or total.reported == 0):
                total.wait = Wait.JUDGE
                decreases.append(total)
            else:
                total.book(owner)
        return decreases

    def _judge(self, *, only_open: bool) -> None:
        for day in {total.day for total in self.totals.values() if total.wait is not Wait.NO}:
            if only_open and self._is_finished(day):
                continue
            holds = self._falls_by_much(day)
            for total in self.totals.values():
                if total.day != day or total.wait is Wait.NO or total.owner is None:
                    continue
                if holds or total.is_rejected:
                    total.wait = Wait.HELD
                else:
                    total.book(total.owner)

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
