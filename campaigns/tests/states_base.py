"""What the state machine starts from, and what must hold after every step, whatever it was."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import time_machine
from django.test import Client, TestCase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from campaigns.models import BookingZone, Brand, BrandPeriod, Campaign, DaypartingSchedule, SpendRecord, StatusChange
from campaigns.reasons import PauseReason
from campaigns.services.enforcement import enforce
from campaigns.services.scope import Scope
from campaigns.services.verify import verify
from campaigns.tests.ledger import totals_counted
from campaigns.tests.oracle import BrandFacts, CampaignFacts, Window, spends
from campaigns.tests.oracle_books import Statement
from campaigns.tests.outside import Client as Outside
from campaigns.tests.outside import empty_ledger, open_client
from campaigns.tests.states_world import Line, World
from campaigns.tests.worlds import DAY, HOUR, limits_near, midnight, near

STARTS = [
    ("America/New_York", "2026-03-08"),  # clocks go forward
    ("America/New_York", "2026-11-01"),  # clocks go back, on the first of a month
    ("Europe/London", "2026-03-29"),
    ("Europe/London", "2026-10-25"),
    ("Australia/Lord_Howe", "2026-04-05"),  # by half an hour
    ("Australia/Lord_Howe", "2026-10-04"),
    ("America/Sao_Paulo", "2018-11-04"),  # midnight is skipped
    ("America/Sao_Paulo", "2018-02-18"),  # the hour before midnight comes twice
    ("Asia/Kathmandu", "2026-12-01"),
    ("Asia/Kathmandu", "2027-01-01"),
    ("Pacific/Pago_Pago", "2026-11-20"),
    ("Pacific/Kiritimati", "2027-03-01"),
    ("UTC", "2028-02-29"),
    ("Europe/London", "2028-03-01"),
    ("UTC", "2027-01-01"),
]
ZONES = sorted({zone for zone, _ in STARTS})
AGES = [0 * DAY, HOUR, 2 * DAY, 40 * DAY]
"""How long a brand has been there when a run starts."""
LINE = (
    *("campaign_spend", "campaign_limit", "brand_day_spend"),
    *("brand_daily_budget", "brand_month_spend", "brand_monthly_budget"),
)


class States(RuleBasedStateMachine):
    """A world in the database, the same in plain Python, and the comparison of both.

    Rules are added by subclasses: each changes both sides. All of them commit, and some write through a second
    connection, as the connector does.
    """

    def __init__(self, person: Client) -> None:
        super().__init__()
        self.person = person
        self.same = TestCase()
        self.same.maxDiff = 4_000
        empty_ledger()
        StatusChange.objects.all()._raw_delete(using="default")
        self.outside: Outside = open_client()
        self.world: World

    def teardown(self) -> None:
        self.outside.close()
        empty_ledger()

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        zone, day = data.draw(st.sampled_from(STARTS))
        self.world = World(midnight(zone, date.fromisoformat(day)) + data.draw(near))
        for zone in data.draw(st.lists(st.sampled_from([zone, *ZONES]), min_size=1, max_size=3)):
            self.add_brand(data, zone)

    def add_brand(self, data: st.DataObject, zone: str) -> None:
        limits = limits_near(Decimal(50))
        brand = BrandFacts(zone, daily_budget=data.draw(limits), monthly_budget=data.draw(limits))
        self.world.add_brand(brand, self.world.now - data.draw(st.sampled_from(AGES)))
        for _ in range(data.draw(st.integers(1, 3))):
            self.world.add_campaign(brand, CampaignFacts(daily_spend_limit=data.draw(limits)))

    def campaign(self, data: st.DataObject) -> CampaignFacts:
        return data.draw(st.sampled_from([campaign for _, campaign in self.world.pairs]))

    def clock(self) -> Any:
        """Stop the clocks of those who read one: the admin, tasks and commands."""
        return time_machine.travel(self.world.now, tick=False)

    @invariant()
    def all_is_as_reckoned(self) -> None:
        if not hasattr(self, "world"):
            return
        self.assert_facts_are_as_people_left_them()
        self.assert_totals()
        self.assert_shown_spend()
        self.assert_statuses_and_history()
        self.assert_statements()

    def assert_facts_are_as_people_left_them(self) -> None:
        """R5: nothing but what was asked for has changed."""
        brands = {row.pk: row for row in Brand.objects.all()}
        campaigns = {row.pk: row for row in Campaign.objects.all()}
        windows: dict[int, list[Window]] = {pk: [] for pk in campaigns}
        for window in DaypartingSchedule.objects.all():
            windows[window.campaign_id].append(Window(window.days_of_week, window.start_time, window.end_time))
        for brand in self.world.brands:
            for name in ("timezone", "enabled", "daily_budget", "monthly_budget"):
                self.same.assertEqual(getattr(brands[brand.pk], name), getattr(brand, name), f"{name} of {brand.pk}")
        for brand, campaign in self.world.pairs:
            row = campaigns.pop(campaign.pk)
            self.same.assertEqual(row.brand_id, brand.pk)
            for name in ("enabled", "daily_spend_limit", "starts_on", "ends_on"):
                self.same.assertEqual(getattr(row, name), getattr(campaign, name), f"{name} of {campaign.pk}")
            self.same.assertCountEqual(windows[campaign.pk], campaign.windows)
        self.same.assertEqual(campaigns, {})

    def assert_totals(self) -> None:
        """R3, R10, R12, R15: folded + pending is what the records add up to, each in the zone it is booked in."""
        self.same.assertEqual(SpendRecord.objects.count(), len(self.world.records))
        self.same.assertEqual(totals_counted(), self.world.totals)
        self.same.assertEqual(verify(), [])
        for brand in self.world.brands:
            for book in self.world.books[brand.pk].books:
                rows = BookingZone.objects.filter(brand=brand.pk, kind=book.kind).order_by("first")
                self.same.assertEqual([(row.first, row.timezone) for row in rows], book.zones)
                self.same.assertEqual([row.until for row in rows][:-1], [row.first for row in rows][1:])

    def assert_shown_spend(self) -> None:
        """What with_spend() gives; not of a brand whose zone was changed by SQL, until a check notices (R15)."""
        brands = {row.pk: row for row in Brand.objects.with_spend(self.world.now)}
        campaigns = {row.pk: row for row in Campaign.objects.with_spend(self.world.now)}
        for brand, campaign in self.world.pairs:
            if self.world.books[brand.pk].has_moved:
                continue
            expected, of_brand, row = spends(brand, campaign, self.world.now), brands[brand.pk], campaigns[campaign.pk]
            self.same.assertEqual(row.spend_today, expected.campaign_today)
            self.same.assertEqual(row.brand_spend_today, expected.brand_today)
            self.same.assertEqual(row.brand_spend_this_month, expected.brand_this_month)
            self.same.assertEqual(of_brand.spend_today, expected.brand_today)
            self.same.assertEqual(of_brand.spend_this_month, expected.brand_this_month)

    def assert_statuses_and_history(self) -> None:
        """R1, R13: reasons are those of the last decision, and each change of them left its line, in order."""
        found = list(StatusChange.objects.filter(pk__gt=self.world.seen).order_by("pk"))
        self.same.assertCountEqual([_line(row) for row in found], self.world.lines)
        self.world.seen = max([row.pk for row in found], default=self.world.seen)
        self.world.lines.clear()
        replayed: dict[int, int] = {}
        for campaign, before, after in StatusChange.objects.order_by("pk").values_list(
            "campaign_id", "reasons_before", "reasons_after"
        ):
            self.same.assertEqual(replayed.get(campaign, 0), before)
            replayed[campaign] = after
        for row in Campaign.objects.all():
            self.same.assertEqual(PauseReason(row.pause_reasons).codes, self.world.stored[row.pk], row.pk)
            self.same.assertEqual(replayed.get(row.pk, 0), row.pause_reasons)
            self.same.assertEqual(row.status, "paused" if self.world.stored[row.pk] else "active")

    def assert_statements(self) -> None:
        """Part 4: what is closed is what has ended, each period once, with the spend and the budget of that moment."""
        found = _statements()
        for pk, books in self.world.books.items():
            of_brand = {book.kind: found.pop((pk, book.kind), {}) for book in books.books}
            books.settle(of_brand, self.world.now)
            self.same.assertEqual(of_brand, {book.kind: book.statements for book in books.books}, f"brand {pk}")
        self.same.assertEqual(found, {})

    def assert_nothing_left_to_do(self, campaigns: Iterable[CampaignFacts]) -> None:
        """R6: a second enforcement of what was just decided writes nothing."""
        scope = Scope.of_campaigns(campaign.pk for campaign in campaigns)
        self.same.assertEqual(enforce(scope, clock=lambda: self.world.now, actor="again").changed, 0)


def _line(row: StatusChange) -> Line:
    before, after = (tuple(PauseReason(flags).codes) for flags in (row.reasons_before, row.reasons_after))
    return Line(row.campaign_id, row.at, before, after, row.actor, tuple(getattr(row, name) for name in LINE))


def _statements() -> dict[tuple[int, str], dict[date, Statement]]:
    found: dict[tuple[int, str], dict[date, Statement]] = {}
    for row in BrandPeriod.objects.exclude(closed_at=None):
        assert row.closed_at is not None and row.spend_at_close is not None
        kept = Statement(row.closed_at, row.spend_at_close, row.budget_at_close)
        found.setdefault((row.brand_id, row.kind), {})[row.starts_on] = kept
    return found
