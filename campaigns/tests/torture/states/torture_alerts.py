"""Proof 1 for alerts: ever new runs of their state machine, near budgets and among everything else."""

from __future__ import annotations

from campaigns.tests.oracle.states import EverythingWithAlerts, StatesTestCase
from campaigns.tests.oracle.states_alerts import Budgeting
from campaigns.tests.support.runs import new_ones
from campaigns.tests.torture.extent import extent


class AlertsInAnyOrder(StatesTestCase):
    def test_they_agree_with_the_oracle_near_budgets(self) -> None:
        self.run_everything(new_ones(extent(short=10, full=300), steps=50), Budgeting)

    def test_they_agree_with_the_oracle_among_everything(self) -> None:
        self.run_everything(new_ones(extent(short=4, full=150), steps=50), EverythingWithAlerts)
