"""The database itself refuses batches that would break the feed."""

from __future__ import annotations

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
