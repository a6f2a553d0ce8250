"""Proof 1 at size: ever new runs of the state machine, and ever new worlds for the decision's oracle."""

from __future__ import annotations

from campaigns.tests.oracle.states import StatesTestCase
from campaigns.tests.support.runs import new_ones
from campaigns.tests.torture.extent import extent


class AnythingInAnyOrder(StatesTestCase):
    def test_it_agrees_with_the_oracle_after_every_step(self) -> None:
        self.run_everything(new_ones(extent(short=4, full=200), steps=50))
