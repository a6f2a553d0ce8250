"""Proof 1 for reported totals: ever new runs of their state machine."""

from __future__ import annotations

from django.test import TestCase
from hypothesis.stateful import run_state_machine_as_test

from campaigns.tests.oracle.states_reporting import Reporting
from campaigns.tests.support.runs import new_ones
from campaigns.tests.torture.extent import extent


class TotalsInAnyOrder(TestCase):
    def test_they_agree_with_the_oracle_after_every_step(self) -> None:
        run_state_machine_as_test(Reporting, settings=new_ones(extent(short=20, full=400), steps=50))
