"""Alerts among anything, in any order: each identity is recorded, resolved and told as the oracle reckons (R19)."""

from __future__ import annotations

from campaigns.tests.oracle.states import StatesTestCase
from campaigns.tests.oracle.states_alerts import Budgeting
from campaigns.tests.support.runs import the_same


class AlertsInAnyOrder(StatesTestCase):
    def test_they_agree_with_the_oracle_after_every_step(self) -> None:
        self.run_everything(the_same(6, steps=25), Budgeting)
