"""What the state machine starts from, and what must hold after every step, whatever it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar

import time_machine
from django.test import Client, TestCase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from campaigns.models import AccountingTimeZone, Brand, BrandPeriod, Campaign, DaypartingSchedule, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement.enforce import enforce
from campaigns.services.ledger.verify import verify
from campaigns.services.scope import Scope
from campaigns.tests.oracle.oracle import BrandFacts, CampaignFacts, Spends, Window, spends
from campaigns.tests.oracle.oracle_books import Statement
from campaigns.tests.oracle.states_world import Line, World
from campaigns.tests.oracle.worlds import DAY, HOUR, midnight, near, records_near
from campaigns.tests.support.committed import empty_ledger
from campaigns.tests.support.ledger import totals_counted
from campaigns.tests.support.outside import Client as Outside
from campaigns.tests.support.outside import open_client

# Long past: the database takes no reported total from the future.
STARTS = [
    ("America/New_York", "2020-03-08"),  # clocks go forward
    ("America/New_York", "2020-11-01"),  # clocks go back, on the first of a month
    ("Europe/London", "2020-03-29"),
    ("Europe/London", "2020-10-25"),
    ("Australia/Lord_Howe", "2020-04-05"),  # by half an hour
    ("Australia/Lord_Howe", "2020-10-04"),
    ("America/Sao_Paulo", "2018-11-04"),  # midnight is skipped
    ("America/Sao_Paulo", "2018-02-18"),  # the hour before midnight comes twice
    ("Asia/Kathmandu", "2020-12-01"),
    ("Asia/Kathmandu", "2021-01-01"),
    ("Pacific/Pago_Pago", "2020-11-20"),
    ("Pacific/Kiritimati", "2021-03-01"),
    ("UTC", "2020-02-29"),
    ("Europe/London", "2020-03-01"),
    ("UTC", "2021-01-01"),
]
ZONES = sorted({zone for zone, _ in STARTS})
# How long a brand has been there when a run starts.
AGES = [0 * DAY, HOUR, 2 * DAY, 40 * DAY]
HOW_MANY = b"SELECT COUNT(*) FROM campaigns_spendrecord"
WHICH_MAY_RUN = b"SELECT id FROM campaigns_campaign WHERE status = 'active'"
BRAND = ("pk", "timezone", "enabled", "daily_budget", "monthly_budget")
CAMPAIGN = ("pk", "enabled", "daily_spend_limit", "starts_on", "ends_on")
WINDOW = ("campaign_id", "days_of_week", "start_time", "end_time")
BOOKED = ("brand_id", "kind", "first", "until", "timezone")
HISTORY = ("campaign_id", "reasons_before", "reasons_after")
LINE = (
    *("campaign_spend", "campaign_limit", "brand_day_spend"),
    *("brand_daily_budget", "brand_month_spend", "brand_monthly_budget"),
)


class States(RuleBasedStateMachine):
    """A world in the database, the same in plain Python, and the comparison of both.

    Rules are added by subclasses: each changes both sides. All of them commit, and some write through a second
    connection, as the connector does.
    """

    # The browser of somebody who is logged in.
    person: ClassVar[Client]

    def __init__(self) -> None:
        super().__init__()
        self.same = TestCase()
        self.same.maxDiff = 4_000
        empty_ledger()
        StatusChange.objects.all()._raw_delete(using="default")
        self.outside: Outside = open_client()
        self.world: World
        self.steps = 0

    def teardown(self) -> None:
        self.outside.close()
        empty_ledger()

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        zone, day = data.draw(st.sampled_from(STARTS))
        self.world = World(midnight(zone, date.fromisoformat(day)) + data.draw(near))
        for of_brand in data.draw(st.lists(st.sampled_from([zone, *ZONES]), min_size=1, max_size=3)):
            self.add_brand(data, of_brand)
        self.after_beginning()

    def after_beginning(self) -> None:
        """For what else a world has at its beginning."""

    def add_brand(self, data: st.DataObject, zone: str) -> None:
        """Add a brand whose campaigns have spent something before the run begins, or have rows dated ahead."""
        brand = BrandFacts(zone)
        self.world.add_brand(brand, self.world.now - data.draw(st.sampled_from(AGES)))
        for _ in range(data.draw(st.integers(1, 3))):
            campaign = CampaignFacts(records=data.draw(st.lists(records_near(brand, self.world.now), max_size=4)))
            self.world.add_campaign(brand, campaign)

    def campaign(self, data: st.DataObject) -> CampaignFacts:
        return data.draw(st.sampled_from([campaign for _, campaign in self.world.pairs]))

    def clock(self) -> Any:
        """Stop the clocks of those who read one: the admin, tasks and commands."""
        return time_machine.travel(self.world.now, tick=False)

    def seen_outside(self, sql: bytes) -> list[Any]:
        """Return what the connector sees, on its own connection."""
        if isinstance(self.outside, sqlite3.Connection):
            return self.outside.execute(sql.decode()).fetchall()
        return self.outside.execute(sql).fetchall()

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
        windows: dict[int, list[Window]] = {campaign.pk: [] for _, campaign in self.world.pairs}
        for campaign, *window in DaypartingSchedule.objects.values_list(*WINDOW):
            windows[campaign].append(Window(*window))
        self.same.assertCountEqual(
            Brand.objects.values_list(*BRAND),
            [tuple(getattr(brand, name) for name in BRAND) for brand in self.world.brands],
        )
        self.same.assertCountEqual(
            Campaign.objects.values_list("brand_id", *CAMPAIGN),
            [(brand.pk, *(getattr(campaign, name) for name in CAMPAIGN)) for brand, campaign in self.world.pairs],
        )
        for _, facts in self.world.pairs:
            self.same.assertCountEqual(windows[facts.pk], facts.windows)

    def assert_totals(self) -> None:
        """R3, R10, R12, R15: folded + pending is what the records add up to, each in the zone it is booked in."""
        self.same.assertEqual(self.seen_outside(HOW_MANY), [(len(self.world.records),)])
        counted = totals_counted()
        gone = {key for key in counted if key[0] == "campaign day" and key[1] not in self.world.stored}  # not counted
        self.same.assertEqual({key: counted[key] for key in counted.keys() - gone}, self.world.totals)
        self.same.assertEqual(verify(), [])
        found: dict[tuple[int, str], list[tuple[date, date, str]]] = {}
        for brand, kind, *zone in AccountingTimeZone.objects.order_by("first").values_list(*BOOKED):
            found.setdefault((brand, kind), []).append((zone[0], zone[1], zone[2]))
        expected = {(pk, book.kind): book.segments for pk, books in self.world.books.items() for book in books.books}
        self.same.assertEqual(found, expected)

    def assert_shown_spend(self) -> None:
        """What with_spend() gives, of brands and of campaigns in turn.

        Not of a brand whose zone was changed by SQL, until a check notices (R15).
        """
        self.steps += 1
        pairs = [pair for pair in self.world.pairs if not self.world.books[pair[0].pk].has_moved]
        expected = {campaign.pk: spends(brand, campaign, self.world.now) for brand, campaign in pairs}
        if self.steps % 2:
            shown = {row.pk: row for row in Campaign.objects.with_spend(self.world.now)}
            for pk, spent in expected.items():
                row = shown[pk]
                found = Spends(row.spend_today, row.brand_spend_today, row.brand_spend_this_month)
                self.same.assertEqual(found, spent)
            return
        brands = {row.pk: row for row in Brand.objects.with_spend(self.world.now)}
        for brand, campaign in pairs:
            of_brand, spent = brands[brand.pk], expected[campaign.pk]
            self.same.assertEqual(
                (of_brand.spend_today, of_brand.spend_this_month), (spent.brand_today, spent.brand_this_month)
            )

    def assert_statuses_and_history(self) -> None:
        """R1, R13: reasons are those of the last decision, and each change of them left its line, in order."""
        found = list(StatusChange.objects.filter(pk__gt=self.world.seen).order_by("pk"))
        self.same.assertCountEqual([_line(row) for row in found], self.world.lines)
        self.world.seen = max([row.pk for row in found], default=self.world.seen)
        self.world.lines.clear()
        replayed: dict[int, int] = {}
        for campaign, before, after in StatusChange.objects.order_by("pk").values_list(*HISTORY):
            self.same.assertEqual(replayed.get(campaign, 0), before)
            replayed[campaign] = after
        for pk, flags, status in Campaign.objects.values_list("pk", "pause_reasons", "status"):
            self.same.assertEqual(PauseReason(flags).codes, self.world.stored[pk], f"campaign {pk}")
            self.same.assertEqual((replayed.get(pk, 0), status), (flags, "paused" if flags else "active"))
        may_run = [(campaign.pk,) for _, campaign in self.world.pairs if not self.world.stored[campaign.pk]]
        self.same.assertCountEqual(self.seen_outside(WHICH_MAY_RUN), may_run)

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
