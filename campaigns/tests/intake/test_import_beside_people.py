"""An import that creates campaigns beside people who want the same brand, on PostgreSQL."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from unittest.mock import patch

from django.db import IntegrityError, transaction

from campaigns.models import Campaign
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement.enforce import Enforcement, enforce
from campaigns.services.enforcement.saving import begin_change
from campaigns.services.intake import importer as spend_import
from campaigns.services.intake.csv_reader import Row
from campaigns.services.intake.importer import import_spend
from campaigns.services.ledger.locks import lock_brands
from campaigns.tests.support.checking import reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, utc
from campaigns.tests.support.outside import POSTGRESQL
from campaigns.tests.support.together import ConcurrencyTestCase, Crew, meanwhile, wait_until_somebody_waits

NOON = utc("2026-11-20 12:00")

if POSTGRESQL:

    class APersonMakesTheSameCampaign(ConcurrencyTestCase):
        """The person comes when the campaign is created, and before it is enforced."""

        def setUp(self) -> None:
            super().setUp()
            self.brand = make_brand(name="Acme", enabled=False)
            self.person = Crew()
            self.enterContext(patch.object(spend_import, "enforce", self.let_person_in_and_enforce))

        def let_person_in_and_enforce(self, *args: Any, **kwargs: Any) -> Enforcement:
            if not self.person.threads:
                self.person.start(self.make_the_same)
                wait_until_somebody_waits()
            return enforce(*args, **kwargs)

        def make_the_same(self) -> None:
            with transaction.atomic():
                begin_change([self.brand.pk], clock=lambda: NOON)
                make_campaign(self.brand, name="Autumn")

        def assert_person_waits(self, *, skip_errors: bool) -> None:
            rows = [Row(2, NOON, "Acme", "Autumn", Decimal(1), "a")]
            counts = import_spend(rows, clock=lambda: NOON, create=True, skip_errors=skip_errors)
            self.assertEqual(counts.created_campaigns, 1)
            self.assertEqual(reasons_of(Campaign.objects.get()), PauseReason.BRAND_DISABLED)
            with self.assertRaisesMessage(IntegrityError, "campaign_name_unique_in_brand"):
                self.person.finish()

        def test_the_person_waits_for_an_import_of_all_or_nothing(self) -> None:
            self.assert_person_waits(skip_errors=False)

        def test_the_person_waits_for_a_batch(self) -> None:
            self.assert_person_waits(skip_errors=True)

    class AnImportOfSeveralBatches(ConcurrencyTestCase):
        def test_it_holds_no_brand_while_batches_follow(self) -> None:
            """A check that has something to write there would wait for the whole file."""
            brand = make_brand(name="Acme")

            def lock() -> None:
                with transaction.atomic():
                    lock_brands([brand.pk])

            rows = [Row(number, NOON, "Acme", "Autumn", Decimal(1), None) for number in (2, 3)]
            with patch.object(spend_import, "BATCH", 1):
                counts = import_spend(rows, clock=lambda: NOON, create=True, on_batch=lambda counts: meanwhile(lock))
            self.assertEqual((counts.imported, counts.created_campaigns), (2, 1))
