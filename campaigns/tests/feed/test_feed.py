"""Following the feed: every status change comes once or more, in order, and a client ends with the table's state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from django.test import TestCase

from campaigns.models import Campaign, FeedBatch, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.services.feed import pages
from campaigns.services.feed.pages import FeedChange, UnknownPosition, follow, read_page
from campaigns.services.feed.publish import last_position, publish
from campaigns.services.jobs.quick_check import run_quick_check
from campaigns.services.ledger.prune import prune_history
from campaigns.tests.support.checking import enforce_at
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.together import pause

NOON = utc("2026-11-20 12:00")


def switch(campaign: Campaign, *, on: bool) -> None:
    Campaign.objects.filter(pk=campaign.pk).update(enabled=on)
    enforce_at(NOON)


def statuses(changes: list[FeedChange]) -> list[tuple[int, bool]]:
    return [(change.campaign_id, not change.after) for change in changes]


class Feed(TestCase):
    def test_it_gives_the_changes_after_a_position_in_order(self) -> None:
        first, second = make_campaign(), make_campaign()
        start = last_position()
        for campaign, on in ((first, False), (second, False), (first, True)):
            switch(campaign, on=on)
        page = read_page(start)
        self.assertEqual(statuses(page.changes), [(first.pk, False), (second.pk, False), (first.pk, True)])
        self.assertEqual([change.now for change in page.changes], [0, PauseReason.CAMPAIGN_DISABLED, 0])
        self.assertEqual([change.before for change in page.changes], [0, 0, PauseReason.CAMPAIGN_DISABLED])
        self.assertEqual({change.decided_for for change in page.changes}, {NOON})
        self.assertEqual(page.changes[0].written_at, StatusChange.objects.earliest("pk").recorded_at)
        self.assertEqual((page.changes[0].brand_id, page.more), (first.brand_id, False))
        self.assertEqual(page.position, page.changes[-1].position)
        self.assertEqual(read_page(page.changes[0].position).changes, page.changes[1:])
        self.assertEqual(read_page(page.position).changes, [])

    def test_a_list_has_a_position_before_anything_has_changed(self) -> None:
        start = last_position()
        self.assertEqual(last_position(), start)
        self.assertEqual(read_page(start).changes, [])
        campaign = make_campaign(enabled=False)
        enforce_at(NOON)
        self.assertEqual(statuses(read_page(start).changes), [(campaign.pk, False)])

    def test_changes_from_before_the_first_list_are_in_it_only(self) -> None:
        make_campaign(enabled=False)
        enforce_at(NOON)
        self.assertEqual(read_page(last_position()).changes, [])

    def test_lines_of_an_older_version_have_no_place_in_it(self) -> None:
        start = last_position()
        campaign = make_campaign()
        StatusChange.objects.create(
            campaign=campaign, at=NOON, reasons_before=0, reasons_after=1, actor="test", campaign_spend=0,
            brand_day_spend=0, brand_month_spend=0,
        )  # fmt: skip
        self.assertEqual(read_page(start).changes, [])

    def test_it_comes_in_pages(self) -> None:
        start = last_position()
        brand = make_brand()
        campaigns = [make_campaign(brand, enabled=False).pk for _ in range(7)]
        enforce_at(NOON)
        late = make_campaign(enabled=False)
        enforce_at(NOON)
        found, after, more, sizes = list[int](), start, True, []
        while more:
            page = read_page(after, most=3)
            found += [change.campaign_id for change in page.changes]
            sizes.append(len(page.changes))
            after, more = page.position, page.more
        self.assertEqual(found, [*campaigns, late.pk])
        self.assertEqual(sizes, [3, 3, 2])
        with patch.object(pages, "IDS_READ", 2), patch.object(pages, "PAGE", 2):
            self.assertEqual([change.campaign_id for change in follow(start)], found)

    def test_lines_of_another_batch_between_its_own_are_in_the_other_batch(self) -> None:
        """Two enforcements that write at once take ids in turn."""
        start = last_position()
        campaigns = [make_campaign(enabled=False) for _ in range(4)]
        enforce_at(NOON)
        lines = list(StatusChange.objects.order_by("pk").values_list("pk", flat=True))
        other = FeedBatch.objects.create(first_line=lines[1], last_line=lines[2])
        # The guard keeps lines from being edited, so the lines are written again.
        rows = list(StatusChange.objects.order_by("pk"))
        StatusChange.objects.all()._raw_delete("default")
        for row in rows[1:3]:
            row.batch = other
        StatusChange.objects.bulk_create(rows)
        order = [change.campaign_id for change in follow(start)]
        self.assertEqual(order, [campaigns[number].pk for number in (0, 3, 1, 2)])
        for most in (1, 2, 3):
            found, page = list[int](), read_page(start, most=most)
            while page.changes or page.more:
                found += [change.campaign_id for change in page.changes]
                page = read_page(page.position, most=most)
            self.assertEqual(found, order)

    def test_it_shows_given_brands_only(self) -> None:
        start = last_position()
        mine, other = make_brand(), make_brand()
        own = [make_campaign(brand, enabled=False).pk for brand in (mine, other, mine, other)]
        enforce_at(NOON)
        page = read_page(start, brands=[mine.pk])
        self.assertEqual([change.campaign_id for change in page.changes], [own[0], own[2]])
        self.assertEqual(page.position, last_position())
        nothing = read_page(start, brands=[])
        self.assertEqual((nothing.changes, nothing.position), ([], last_position()))

    def test_a_deleted_campaign_leaves_the_feed(self) -> None:
        start = last_position()
        gone, stays = make_campaign(enabled=False), make_campaign(enabled=False)
        enforce_at(NOON)
        gone.delete()
        self.assertEqual([change.campaign_id for change in follow(start)], [stays.pk])

    def test_unknown_positions_are_refused(self) -> None:
        for position in (0, 1, -1, 1 << 70):
            with self.assertRaises(UnknownPosition):
                read_page(position)
        make_campaign(enabled=False)
        start = last_position()
        enforce_at(NOON)
        end = last_position()
        for position in (0, 1, start - 1, end + 1, end * 2, 1 << 70):
            with self.subTest(position), self.assertRaises(UnknownPosition):
                read_page(position)
        read_page(start)
        read_page(end)

    def test_positions_of_a_lost_future_are_refused_after_an_older_backup_is_restored(self) -> None:
        start = last_position()
        make_campaign(enabled=False)
        enforce_at(NOON)
        lost = last_position()
        # The backup was made before the change, which happens again, or another one.
        FeedBatch.objects.filter(first_position__gt=start).delete()
        pause(0.005)  # SQLite's clock has milliseconds
        Campaign.objects.update(pause_reasons=0)
        enforce_at(NOON)
        read_page(last_position())
        with self.assertRaises(UnknownPosition):
            read_page(lost)


class Publishing(TestCase):
    def test_positions_go_on_from_the_last_one_if_the_clock_is_behind_it(self) -> None:
        ahead = 1 << 60
        FeedBatch.objects.create(first_line=1, last_line=5, first_position=ahead)
        FeedBatch.objects.create(first_line=6, last_line=8)
        FeedBatch.objects.create(first_line=9, last_line=9)
        self.assertEqual(publish(), 2)
        positions = FeedBatch.objects.order_by("pk").values_list("first_position", flat=True)
        self.assertEqual(list(positions), [ahead, ahead + 5, ahead + 8])
        self.assertEqual(last_position(), ahead + 8)

    def test_positions_begin_at_the_clock(self) -> None:
        before = datetime.now(UTC).timestamp() * 1e6
        position = last_position()
        self.assertLess(abs(position - before), 60e6)
        self.assertLess(position, 1 << 53)  # exact in JavaScript

    def test_publishing_again_moves_nothing(self) -> None:
        make_campaign(enabled=False)
        enforce_at(NOON)
        self.assertEqual(publish(), 1)
        position = last_position()
        self.assertEqual(publish(), 0)
        self.assertEqual(last_position(), position)

    def test_the_quick_check_publishes_what_it_and_others_have_written(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=10))
        enforce_at(NOON)
        start = last_position()
        spend(campaign, 10, NOON)
        run_quick_check(clock=lambda: NOON)
        self.assertFalse(FeedBatch.objects.filter(first_position=None).exists())
        make_campaign(enabled=False)
        enforce_at(NOON)
        self.assertTrue(FeedBatch.objects.filter(first_position=None).exists())
        run_quick_check(clock=lambda: NOON)
        self.assertFalse(FeedBatch.objects.filter(first_position=None).exists())
        self.assertEqual(len(list(follow(start))), 2)

    def test_it_costs_one_statement_if_nothing_waits(self) -> None:
        last_position()
        with self.assertNumQueries(2):
            last_position()

    def test_enforcement_that_changes_nothing_writes_no_batch(self) -> None:
        make_campaign()
        enforce_at(NOON)
        enforce_at(NOON + timedelta(days=1))
        self.assertEqual(FeedBatch.objects.count(), 0)


class Pruning(TestCase):
    def prune(self) -> int:
        tomorrow = StatusChange.objects.latest("pk").recorded_at + timedelta(days=1)
        return prune_history(before=tomorrow, on_batch=lambda pruned: None)

    def test_pruned_positions_are_refused_and_the_last_one_stays(self) -> None:
        campaign = make_campaign()
        start = last_position()
        for on in (False, True, False):
            switch(campaign, on=on)
        middle = read_page(start, most=2).position
        end = last_position()
        self.assertEqual(self.prune(), 2)
        self.assertEqual(FeedBatch.objects.count(), 1)
        for position in (start, middle):
            with self.assertRaises(UnknownPosition):
                read_page(position)
        self.assertEqual(last_position(), end)
        switch(campaign, on=True)
        self.assertEqual(statuses(read_page(end).changes), [(campaign.pk, True)])

    def test_a_dry_run_and_recent_batches_are_left(self) -> None:
        campaign = make_campaign()
        start = last_position()
        for on in (False, True):
            switch(campaign, on=on)
        last_position()
        prune_history(before=utc("2020-01-01"), on_batch=lambda pruned: None)
        tomorrow = StatusChange.objects.latest("pk").recorded_at + timedelta(days=1)
        prune_history(before=tomorrow, dry_run=True, on_batch=lambda pruned: None)
        self.assertEqual(len(read_page(start).changes), 2)

    def test_what_waits_to_be_published_is_not_pruned(self) -> None:
        campaign = make_campaign()
        start = last_position()
        for on in (False, True):
            switch(campaign, on=on)
        self.prune()
        self.assertEqual(FeedBatch.objects.filter(first_position=None).count(), 2)
        self.assertEqual(statuses(read_page(start).changes), [(campaign.pk, True)])
