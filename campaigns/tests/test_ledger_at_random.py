"""Anything, in any order: after every step the totals are what plain Python reckons (R3, R10, R12, R15).

Deterministic by default. `LEDGER=search make test ARGS=campaigns.tests.test_ledger_at_random` looks at 1,000 new runs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from campaigns.models import BookingZone, Brand, BrandPeriod, Campaign, PendingSpend, SpendRecord
from campaigns.services.close import close_periods
from campaigns.services.fold import fold
from campaigns.services.rebook import rebook_changed_zones
from campaigns.services.verify import Books, repair, verify
from campaigns.tests.checking import check_at
from campaigns.tests.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.ledger import change_brand, totals_counted, totals_folded, totals_of_records

settings.register_profile("ledger", max_examples=30, derandomize=True, database=None, deadline=None)
settings.register_profile("ledger search", max_examples=1_000, deadline=None)
PROFILE = settings.get_profile("ledger search" if os.environ.get("LEDGER") == "search" else "ledger")

ZONES = ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe")
STARTS = ("2026-11-20 12:00", "2026-10-31 23:50", "2026-11-01 05:30", "2026-12-31 13:00", "2026-03-08 07:00")
AMOUNTS = ("0.000001", "-0.000001", "0.1", "33.333333", "-7.5", "999999999.999999")
STEPS = ("insert", "insert", "insert", "update", "delete", "fold", "close", "check", "move", "move by SQL", "repair")

amounts = st.sampled_from([Decimal(text) for text in AMOUNTS])
near = st.builds(
    lambda quarters, micros: timedelta(minutes=15 * quarters, microseconds=micros),
    st.integers(-4 * 60, 4 * 30),
    st.sampled_from([0, 0, -1]),
)


@dataclass
class Booking:
    """R15 in plain Python: from which day and which month on a brand is booked in which zone."""

    zone: str
    days: list[tuple[date, str]] = field(default_factory=list)
    months: list[tuple[date, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.days, self.months = [(date(1, 1, 1), self.zone)], [(date(1, 1, 1), self.zone)]

    def rebook(self, now: datetime) -> None:
        """What is open in the old zone or in the new one is booked in the new one."""
        booked = self.days[-1][1]
        if booked == self.zone:
            return
        first = min(now.astimezone(ZoneInfo(zone)).date() for zone in (booked, self.zone))
        self.days = [*(row for row in self.days if row[0] < first), (first, self.zone)]
        month = first.replace(day=1)
        self.months = [*(row for row in self.months if row[0] < month), (month, self.zone)]


class Play:
    """Two brands with two campaigns each, and a clock that only goes forward."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.now = utc(data.draw(st.sampled_from(STARTS)))
        self.booking: dict[int, Booking] = {}
        self.campaigns: list[Campaign] = []
        for budget in (None, 50):
            zone = data.draw(st.sampled_from(ZONES))
            brand = make_brand(timezone=zone, daily_budget=budget, monthly_budget=budget, created_at=self.now)
            self.booking[brand.pk] = Booking(zone)
            self.campaigns += [make_campaign(brand), make_campaign(brand)]

    def step(self, what: str) -> None:
        self.now += self.data.draw(st.sampled_from([timedelta(minutes=5), timedelta(hours=7), timedelta(days=2)]))
        getattr(self, what.replace(" ", "_"))()

    def insert(self) -> None:
        campaign = self.data.draw(st.sampled_from(self.campaigns))
        spend(campaign, self.data.draw(amounts), self.now + self.data.draw(near))

    def update(self) -> None:
        record = self.any_record()
        if record:
            record.campaign = self.data.draw(st.sampled_from(self.campaigns))
            record.brand_id = record.campaign.brand_id
            record.amount, record.timestamp = self.data.draw(amounts), self.now + self.data.draw(near)
            record.save()

    def delete(self) -> None:
        record = self.any_record()
        if record:
            record.delete()

    def any_record(self) -> SpendRecord | None:
        ids = list(SpendRecord.objects.order_by("id").values_list("id", flat=True))
        return SpendRecord.objects.get(pk=self.data.draw(st.sampled_from(ids))) if ids else None

    def fold(self) -> None:
        fold()

    def close(self) -> None:
        close_periods(now=self.now)

    def check(self) -> None:
        check_at(self.now)
        self.rebook_all()

    def move(self) -> None:
        brand = self.draw_move()
        change_brand(brand, self.now, timezone=self.booking[brand.pk].zone)
        self.booking[brand.pk].rebook(self.now)

    def move_by_SQL(self) -> None:  # noqa: N802
        """The next check notices."""
        brand = self.draw_move()
        Brand.objects.filter(pk=brand.pk).update(timezone=self.booking[brand.pk].zone)

    def draw_move(self) -> Brand:
        brand = self.data.draw(st.sampled_from(self.campaigns)).brand
        self.booking[brand.pk].zone = self.data.draw(st.sampled_from(ZONES))
        return brand

    def rebook_all(self) -> None:
        for booking in self.booking.values():
            booking.rebook(self.now)

    def repair(self) -> None:
        """There is nothing to repair."""
        if repair(Books()):
            raise AssertionError("repair() found something to mend")


class AnythingInAnyOrder(HypothesisTestCase):
    @PROFILE
    @given(data=st.data(), steps=st.lists(st.sampled_from(STEPS), min_size=4, max_size=14))
    def test_it_counts_exactly_after_every_step(self, data: st.DataObject, steps: list[str]) -> None:
        play = Play(data)
        for what in steps:
            play.step(what)
            self.assertEqual(totals_counted(), totals_of_records())
            self.assertEqual(verify(), [])
            self.assert_booked_as_reckoned(play)
        self.assert_settled(play)

    def assert_booked_as_reckoned(self, play: Play) -> None:
        for brand, booking in play.booking.items():
            for kind, expected in (("day", booking.days), ("month", booking.months)):
                rows = BookingZone.objects.filter(brand=brand, kind=kind).order_by("first")
                self.assertEqual([(row.first, row.timezone) for row in rows], expected)
                self.assertEqual([row.until for row in rows][:-1], [row.first for row in rows][1:])

    def assert_settled(self, play: Play) -> None:
        """After a check nothing is pending, and every ended period and no other is closed, with its spend."""
        check_at(play.now)
        self.assertEqual(PendingSpend.objects.count(), 0)
        self.assertEqual(totals_folded(), totals_of_records())
        for row in BrandPeriod.objects.select_related("brand"):
            today = play.now.astimezone(ZoneInfo(row.brand.timezone)).date()
            ended = row.starts_on < (today if row.kind == "day" else today.replace(day=1))
            self.assertEqual(row.closed_at is not None, ended)
        self.assertEqual(rebook_changed_zones(clock=lambda: play.now), 0)
