"""The feed in any order: a follower ends with the table's state, and no line is lost or comes twice (R18)."""

from __future__ import annotations

from hypothesis.stateful import run_state_machine_as_test

from campaigns.tests.feed.states_feed import Feeding
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.runs import the_same


class FeedInAnyOrder(CommittedTestCase):
    def test_a_follower_ends_with_the_tables_state(self) -> None:
        run_state_machine_as_test(Feeding, settings=the_same(8, steps=30))
