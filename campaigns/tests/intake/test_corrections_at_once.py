"""Two people who correct one record at the same moment, each on a connection that commits."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.auth.models import User
from django.db import connections, transaction
from django.utils import timezone

from campaigns.models import SpendCorrection, SpendRecord
from campaigns.services.intake.corrections import CorrectionRefused, correct_record
from campaigns.services.ledger.locks import lock_brands
from campaigns.tests.support.factories import make_campaign, spend
from campaigns.tests.support.together import ConcurrencyTestCase, Crew, at_once, wait_until_somebody_waits


class CorrectionsAtOnce(ConcurrencyTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.people = [User.objects.create(username=name, is_superuser=True) for name in ("amara", "zofia")]
        self.record = spend(make_campaign(), 120)
        self.refused: list[str] = []

    def correct(self, person: User, amount: int) -> None:
        record = SpendRecord.objects.select_related("campaign__brand").get(pk=self.record.pk)
        try:
            correct_record(record, Decimal(amount), seen=0, note="", person=person, clock=timezone.now)
        except CorrectionRefused as refusal:
            self.refused.append(str(refusal))

    def assert_one_counts(self) -> None:
        correction = SpendCorrection.objects.get()
        amounts = {"amara": 10, "zofia": 20}
        self.assertEqual(120 + correction.added.amount, amounts[correction.who])
        self.assertEqual(self.refused, [f"Record {self.record.pk} was corrected meanwhile: check its amount."])
        self.assert_exact()

    def test_of_two_at_the_same_moment_one_counts_and_the_other_is_told(self) -> None:
        first, second = self.people
        at_once(lambda: self.correct(first, 10), lambda: self.correct(second, 20))
        self.assert_one_counts()

    def test_both_wait_for_the_brand_and_then_one_counts(self) -> None:
        if connections["default"].vendor != "postgresql":
            self.skipTest("SQLite has one writer at a time.")
        crew = Crew()
        with transaction.atomic():
            lock_brands([self.record.brand_id])
            for person, amount in zip(self.people, (10, 20), strict=True):
                crew.start(lambda person=person, amount=amount: self.correct(person, amount))  # type: ignore[misc]
            wait_until_somebody_waits()
            self.assertFalse(SpendCorrection.objects.exists())
        crew.finish()
        self.assert_one_counts()
