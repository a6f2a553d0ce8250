"""Reported totals in any order: after every step totals and ledger are the oracle's."""

from __future__ import annotations

from django.test import TestCase
from hypothesis.stateful import run_state_machine_as_test

from campaigns.tests.oracle.states_reporting import Reporting
from campaigns.tests.support.runs import the_same


class TotalsInAnyOrder(TestCase):
    def test_they_agree_with_the_oracle_after_every_step(self) -> None:
        run_state_machine_as_test(Reporting, settings=the_same(10, steps=30))
