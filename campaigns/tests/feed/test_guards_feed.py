"""The database itself refuses batches that would break the feed."""

from __future__ import annotations

from django.db import IntegrityError, connection, transaction

from campaigns.models import AppliedStatus
from campaigns.tests.feed.links import make_link
from campaigns.tests.support.factories import make_campaign
from campaigns.tests.support.outside import OutsideTestCase, by_vendor

INSERT = "INSERT INTO campaigns_feedbatch (first_line, last_line, first_position) VALUES (%s, %s, %s)"
UNIQUE = by_vendor(postgresql="feed_batch_position_unique", sqlite="UNIQUE constraint failed")


class FeedBatchGuards(OutsideTestCase):
    def test_two_batches_never_have_the_same_position(self) -> None:
        self.run_sql(INSERT, 1, 1, 7)
        self.assert_refused(UNIQUE, INSERT, 2, 2, 7)
        self.run_sql(INSERT, 2, 2, 8)

    def test_several_may_wait_for_theirs(self) -> None:
        self.run_many(INSERT, [(1, 1, None), (2, 2, None)])
        self.assertEqual(self.value("SELECT COUNT(*) FROM campaigns_feedbatch"), 2)

    def test_a_position_lies_above_0(self) -> None:
        self.assert_refused("feed_batch_position_positive", INSERT, 1, 1, 0)
        self.run_sql(INSERT, 1, 1, 1)

    def test_the_last_line_is_not_before_the_first(self) -> None:
        self.assert_refused("feed_batch_lines_in_order", INSERT, 2, 1, None)
        self.run_sql(INSERT, 2, 2, None)

    def test_it_notes_when_it_was_written(self) -> None:
        self.run_sql(INSERT, 1, 1, None)
        self.assertIsNotNone(self.value("SELECT at FROM campaigns_feedbatch"))


class AppliedGuards(OutsideTestCase):
    def setUp(self) -> None:
        super().setUp()
        campaign = make_campaign()
        row = AppliedStatus.objects.create(link=make_link(campaign), for_campaign=campaign.pk)
        self.change = f"UPDATE campaigns_appliedstatus SET {{}} WHERE link_id = {row.pk}"

    def set(self, columns: str) -> None:
        self.run_sql(self.change.format(columns))

    def refuse(self, rule: str, columns: str) -> None:
        self.assert_refused(rule, self.change.format(columns))

    def test_an_acknowledgement_is_whole(self) -> None:
        whole = "applied_status = 'paused', applied_position = 0, applied_at = '2026-11-20', applied_received = "
        for columns in (
            "applied_status = 'paused'",
            "applied_position = 1",
            f"{whole}NULL",
            f"{whole}'2026-11-20'".replace("= 0", "= -1"),
            f"{whole}'2026-11-20'".replace("paused", "off"),
        ):
            with self.subTest(columns):
                self.refuse("applied_status_whole_or_empty", columns)
        self.set(f"{whole}'2026-11-20'")

    def test_a_sighting_is_whole(self) -> None:
        whole = "seen_status = 'active', seen_at = '2026-11-20', seen_received = '2026-11-20'"
        for columns in ("seen_status = 'active'", "seen_at = '2026-11-20'", whole.replace("active", "off")):
            with self.subTest(columns):
                self.refuse("applied_seen_whole_or_empty", columns)
        self.set(whole)

    def test_sightings_are_in_order(self) -> None:
        self.set("seen_status = 'active', seen_at = '2026-11-20', seen_received = '2026-11-20'")
        before = "seen_before_status = 'active', seen_before_at = '2026-11-{}', seen_before_received = '2026-11-{}'"
        for days in (("20", "20"), ("21", "20"), ("19", "21")):
            with self.subTest(days):
                self.refuse("applied_seen_in_order", before.format(*days))
        self.refuse("applied_seen_in_order", "seen_before_status = 'active'")
        self.set(before.format("19", "20"))

    def test_it_is_about_a_link_that_is_there(self) -> None:
        with self.assertRaises(IntegrityError), transaction.atomic():
            AppliedStatus.objects.create(link_id=10**9, for_campaign=1)
            connection.check_constraints()
