"""The state machine of the feed: writers, publishers, pruning, readers and acknowledgements in any order (R18).

On PostgreSQL transactions stay open over many steps, each on a connection of its own. What was committed is noted by
the machine itself, so that a reader is compared with that and with the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TestCase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from campaigns.models import AppliedStatus, Campaign, CampaignLink, FeedBatch, PlatformStatus, StatusChange
from campaigns.services.enforcement.saving import begin_change, finish_change
from campaigns.services.feed.pages import FeedChange
from campaigns.services.feed.publish import publish
from campaigns.services.jobs.quick_check import run_quick_check
from campaigns.services.ledger.prune import prune_history
from campaigns.services.scope import Scope
from campaigns.tests.feed.client import Client
from campaigns.tests.feed.links import acknowledge, make_link
from campaigns.tests.support.checking import enforce_at
from campaigns.tests.support.committed import empty_ledger
from campaigns.tests.support.factories import make_brand, make_campaign, utc
from campaigns.tests.support.outside import POSTGRESQL

NOON = utc("2026-11-20 12:00")
BRANDS, CAMPAIGNS, FOLLOWERS = 4, 3, 2
# Few, so that each is acknowledged often.
LINKS = 2
MOST_OPEN = 2
PAGES = st.sampled_from([1, 2, 3, 7, 1_000])
# Picks one of several whose count depends on real instants, which a second run of the same steps doesn't repeat.
ANY = st.integers(0, 999)
Position = int


class Follower(Client):
    """A client that also keeps which lines it has read since it listed, each with its position."""

    def __init__(self, committed: set[int]) -> None:
        super().__init__()
        self.committed = committed
        self.listed: set[int] = set()
        # How often history had been pruned when it read last.
        self.prunings = 0
        self.lines: dict[int, Position] = {}

    def list(self) -> None:
        self.listed, self.lines = set(self.committed), {}
        super().list()

    def take(self, change: FeedChange) -> None:
        super().take(change)
        assert change.line_id not in self.lines, "a line twice"
        assert change.line_id in self.committed, "a line that wasn't committed"
        self.lines[change.line_id] = change.position


@dataclass
class Open:
    """A transaction that somebody has left open: on which brand, or a publisher's."""

    connection: BaseDatabaseWrapper
    block: transaction.Atomic
    brand: int | None


@dataclass
class Acknowledged:
    position: Position | None = None
    status: PlatformStatus | None = None
    line: int | None = None


@dataclass
class World:
    """What was committed: lines of history, and acknowledgements by link."""

    committed: set[int] = field(default_factory=set)
    pruned: set[int] = field(default_factory=set)
    # How often history was pruned: that may take a batch from the feed, and leave its lines.
    prunings: int = 0
    applied: dict[int, Acknowledged] = field(default_factory=dict)
    # The position of each line that anybody has read.
    positions: dict[int, Position] = field(default_factory=dict)


class Feeding(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.same = TestCase()
        empty_ledger()
        self.world = World()
        self.open: list[Open] = []
        self.followers = [Follower(self.world.committed) for _ in range(FOLLOWERS)]
        self.now = NOON

    @initialize()
    def begin(self) -> None:
        for _ in range(BRANDS):
            brand = make_brand()
            campaigns = [make_campaign(brand) for _ in range(CAMPAIGNS)]
            if len(self.world.applied) < LINKS:
                self.world.applied[make_link(campaigns[0]).pk] = Acknowledged()
        self.campaigns: dict[int, int] = dict(Campaign.objects.values_list("pk", "brand_id"))
        for follower in self.followers:
            follower.follow()

    def teardown(self) -> None:
        for each in self.open:
            self.end(each, commit=False)
        empty_ledger()

    @property
    def publisher_hangs(self) -> bool:
        return any(each.brand is None for each in self.open)

    @property
    def free_brands(self) -> list[int]:
        """Brands that no open transaction has locked: in one thread, nobody can wait for it."""
        return sorted(set(self.campaigns.values()) - {each.brand for each in self.open})

    def change(self, data: st.DataObject, brands: list[int]) -> None:
        """Switch campaigns of these brands on or off, and decide, in a transaction that the caller has begun."""
        begin_change(brands, clock=lambda: NOON)
        self.switch(data, brands)
        finish_change(Scope.of_brands(brands), clock=lambda: NOON, actor="amara")

    def switch(self, data: st.DataObject, brands: list[int]) -> None:
        of_brands = [pk for pk, brand in self.campaigns.items() if brand in brands]
        for pk in data.draw(st.lists(st.sampled_from(of_brands), min_size=1, unique=True)):
            row = Campaign.objects.get(pk=pk)
            Campaign.objects.filter(pk=pk).update(enabled=not row.enabled)

    def some_brands(self, data: st.DataObject) -> list[int]:
        return data.draw(st.lists(st.sampled_from(self.free_brands), min_size=1, max_size=3, unique=True))

    @rule(data=st.data())
    def enforcement_writes(self, data: st.DataObject) -> None:
        self.enforce(data, self.some_brands(data))

    def enforce(self, data: st.DataObject, brands: list[int]) -> None:
        self.switch(data, brands)
        enforce_at(NOON, Scope.of_brands(brands))

    @rule(data=st.data(), twice=st.booleans(), committed=st.sampled_from([True, True, False]))
    def a_person_saves(self, data: st.DataObject, twice: bool, committed: bool) -> None:
        """Perhaps two changes in one transaction, which is perhaps rolled back."""
        with transaction.atomic():
            for _ in range(1 + twice):
                self.change(data, self.some_brands(data))
            transaction.set_rollback(not committed)

    @precondition(lambda self: POSTGRESQL and len(self.open) < MOST_OPEN)
    @rule(data=st.data(), publisher=st.sampled_from([False, False, True]))
    def a_transaction_is_left_open(self, data: st.DataObject, publisher: bool) -> None:
        if publisher and self.publisher_hangs:
            return
        brand = None if publisher else data.draw(st.sampled_from(self.free_brands))
        opened = Open(connection.copy(), transaction.atomic(), brand)
        with self.connected(opened.connection):
            opened.block.__enter__()
            self.open.append(opened)  # at once: a run may end in the middle of a step
            if brand is None:
                publish()
            else:  # a person's save would take the ledger's lock too, for which all other saves wait
                self.enforce(data, [brand])

    @precondition(lambda self: self.open)
    @rule(data=st.data(), commit=st.booleans())
    def an_open_transaction_ends(self, data: st.DataObject, commit: bool) -> None:
        self.end(self.open.pop(data.draw(st.integers(0, len(self.open) - 1))), commit=commit)

    def end(self, opened: Open, *, commit: bool) -> None:
        with self.connected(opened.connection):
            transaction.set_rollback(not commit)
            opened.block.__exit__(None, None, None)
        opened.connection.close()

    @contextmanager
    def connected(self, other: BaseDatabaseWrapper) -> Iterator[None]:
        """Let all that is done in this thread be done on another connection."""
        ours = connections["default"]
        connections["default"] = other
        try:
            yield
        finally:
            connections["default"] = ours

    @rule(quick_check=st.booleans())
    def a_publisher_runs(self, quick_check: bool) -> None:
        if quick_check:
            run_quick_check(clock=lambda: NOON)
        else:
            publish()

    @precondition(lambda self: self.world.committed)
    @rule(number=ANY)
    def history_is_pruned(self, number: int) -> None:
        """Up to any line; a campaign keeps its last one."""
        instants = list(StatusChange.objects.order_by("pk").values_list("recorded_at", flat=True))
        before: datetime = instants[number % len(instants)]
        prune_history(before=before + timedelta(microseconds=1), on_batch=lambda pruned: None)
        self.world.prunings += 1
        self.world.pruned = self.world.committed - set(StatusChange.objects.values_list("pk", flat=True))

    @rule(number=st.integers(0, FOLLOWERS - 1), pages=st.integers(1, 2), most=PAGES)
    def somebody_reads_some_pages(self, number: int, pages: int, most: int) -> None:
        self.read(self.followers[number], pages, most)

    @rule(number=st.integers(0, FOLLOWERS - 1), most=PAGES)
    def somebody_follows_to_the_end(self, number: int, most: int) -> None:
        """It knows what the table says, from every line since it listed, in order, none of them twice."""
        follower = self.followers[number]
        self.read(follower, 1_000, most)
        if self.publisher_hangs:
            return
        self.same.assertEqual(follower.differences(), {})
        missed = self.world.committed - follower.listed - follower.lines.keys()
        self.same.assertLessEqual(missed, self.world.pruned)

    def read(self, follower: Follower, pages: int, most: int) -> None:
        lists, position = follower.lists, follower.position
        follower.follow(pages, most)
        if position is not None and (follower.lists > lists or follower.position is None):
            self.same.assertGreater(self.world.prunings, follower.prunings, "unknown, and nothing was pruned")
        follower.prunings = self.world.prunings
        for line, at in follower.lines.items():
            self.same.assertEqual(self.world.positions.setdefault(line, at), at, "two positions of a line")

    @rule(number=st.integers(0, FOLLOWERS - 1))
    def somebody_lists_again(self, number: int) -> None:
        self.followers[number].list()
        self.followers[number].prunings = self.world.prunings

    @rule(reports=st.lists(st.tuples(ANY, ANY, st.booleans()), min_size=1, max_size=5), ahead=st.booleans())
    def somebody_acknowledges(self, reports: list[tuple[int, int, bool]], ahead: bool) -> None:
        """For any positions that were read, in any order: an older one changes nothing, an unknown one is refused."""
        positions = sorted(self.world.positions.values())
        links = CampaignLink.objects.select_related("account").order_by("pk")
        for number, position, paused in reports if positions else ():
            status = PlatformStatus.PAUSED if paused else PlatformStatus.ACTIVE
            self.acknowledge(links[number % LINKS], positions[position % len(positions)], status)
        if ahead and positions:
            unknown = positions[-1] + 10**9
            refused = acknowledge(links[0], unknown, PlatformStatus.ACTIVE, self.now, received=self.now)
            self.same.assertEqual([each.reason for each in refused], ["unknown-change"])

    def acknowledge(self, link: CampaignLink, position: Position, status: PlatformStatus) -> None:
        self.now += timedelta(seconds=1)
        self.same.assertEqual(acknowledge(link, position, status, self.now, received=self.now), [])
        known = self.world.applied[link.pk]
        if known.position is None or position >= known.position:
            known.position, known.status = position, status
            known.line = self.pause_up_to(link, position)

    def pause_up_to(self, link: CampaignLink, position: Position) -> int | None:
        """Return the line that began the campaign's latest pause, if it lies at the position or before."""
        lines = StatusChange.objects.filter(campaign=link.campaign_id, reasons_before=0).order_by("-pk")
        line = lines.select_related("batch").first()
        if line is None or line.batch is None or line.batch.first_position is None:
            return None
        return line.pk if line.batch.first_position + line.pk - line.batch.first_line <= position else None

    @invariant()
    def what_is_committed_is_known(self) -> None:
        """New lines of history are those of this step; positions ascend by batches and don't overlap."""
        self.world.committed.update(StatusChange.objects.values_list("pk", flat=True))
        end = 0
        for batch in FeedBatch.objects.filter(first_position__isnull=False).order_by("first_position"):
            first = batch.first_position or 0
            self.same.assertGreater(first, end)
            end = first + batch.last_line - batch.first_line

    @invariant()
    def acknowledgements_are_as_reckoned(self) -> None:
        rows = AppliedStatus.objects.values_list("link_id", "applied_position", "applied_status", "applied_line")
        known = self.world.applied
        expected = {pk: (one.position, one.status, one.line) for pk, one in known.items() if one.position is not None}
        self.same.assertEqual({pk: (position, status, line) for pk, position, status, line in rows}, expected)
