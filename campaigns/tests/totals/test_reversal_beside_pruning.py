"""Pruning beside the reversal of a report's import: all of the import is reversed, or nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import transaction

from campaigns.models import ReportImport, RestatedTotal, SpendTotal
from campaigns.services.intake import report_reversal
from campaigns.services.intake.report_reversal import preview_reversal, reverse_report
from campaigns.services.intake.reversible import ReversalRefused
from campaigns.services.ledger.prune import prune_restated
from campaigns.services.totals.report import ReportedTotal, report_totals
from campaigns.services.totals.report_imports import ReportFile, lock_totals, note_import
from campaigns.tests.support.factories import utc
from campaigns.tests.support.outside import POSTGRESQL
from campaigns.tests.support.together import ConcurrencyTestCase, let_in
from campaigns.tests.totals.reports import ACCOUNT, DAY, SOURCE, linked_campaign, quick_booking

LATER = utc("2024-11-28 12:00")

if POSTGRESQL:
    # SQLite has one writer at a time.

    class PruningBesideAReversal(ConcurrencyTestCase):
        def setUp(self) -> None:
            super().setUp()
            for campaign in ("1", "2"):
                linked_campaign(campaign)
            totals = [
                ReportedTotal(SOURCE, ACCOUNT, campaign, utc(DAY).date(), Decimal(5), utc("2024-11-27 11:00"))
                for campaign in ("1", "2")
            ]
            with transaction.atomic():
                before = lock_totals(totals)
                report_totals(totals)
                self.report = note_import(before, ReportFile("report.csv", "maja"), now=utc("2024-11-27 12:00"))
            quick_booking()
            self.pruned: list[int] = []

        def prune(self) -> None:
            self.pruned.append(prune_restated(before=LATER, on_batch=lambda _: None))

        def reverse(self) -> Any:
            return reverse_report(self.report, actor="maja", clock=lambda: LATER)

        def assert_nothing_reversed(self) -> None:
            self.assertEqual(self.pruned, [2])
            self.assertEqual(set(SpendTotal.objects.values_list("total", flat=True)), {5})
            self.assertIsNone(ReportImport.objects.get().reversed_at)

        def test_what_is_pruned_after_the_check_refuses_the_reversal_and_its_preview(self) -> None:
            refused = self.assertRaisesMessage(ReversalRefused, "was pruned")
            with refused, let_in(report_reversal, "begin_change", self.prune):
                preview_reversal(self.report, clock=lambda: LATER)
            self.assert_nothing_reversed()

        def test_what_is_pruned_while_the_totals_are_read_refuses_the_reversal(self) -> None:
            # It is called after the query of the totals, and before that of what the import has changed.
            refused = self.assertRaisesMessage(ReversalRefused, "was pruned")
            with refused, let_in(SpendTotal, "from_db", self.prune):
                self.reverse()
            self.assert_nothing_reversed()

        def test_pruning_leaves_what_a_reversal_has_read(self) -> None:
            with let_in(report_reversal, "_restate", self.prune):
                restored, _ = self.reverse()
            self.assertEqual((restored, self.pruned), (2, [0]))
            self.assertEqual(set(SpendTotal.objects.values_list("total", flat=True)), {0})
            self.prune()
            self.assertFalse(RestatedTotal.objects.exists())
