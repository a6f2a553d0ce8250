"""Anything, in any order: after every step the totals, reasons, history and statements are the oracle's."""

from __future__ import annotations

from campaigns.tests.oracle.states import StatesTestCase
from campaigns.tests.support.runs import the_same


class AnythingInAnyOrder(StatesTestCase):
    def test_it_agrees_with_the_oracle_after_every_step(self) -> None:
        self.run_everything(the_same(8, steps=25))
