"""Ever new runs of the feed's state machine."""

from __future__ import annotations

from hypothesis.stateful import run_state_machine_as_test

from campaigns.tests.feed.states_feed import Feeding
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.runs import new_ones
from campaigns.tests.torture.extent import extent


class FeedInAnyOrder(CommittedTestCase):
    def test_a_follower_ends_with_the_tables_state(self) -> None:
        run_state_machine_as_test(Feeding, settings=new_ones(extent(short=20, full=400), steps=50))
