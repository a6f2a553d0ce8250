"""A person's save that PostgreSQL ends, because somebody's SQL and it wait for each other, is done again."""

from __future__ import annotations

import psycopg
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from campaigns.models import Brand, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.tests.support.browser import open_form
from campaigns.tests.support.checking import ACTIVE, history
from campaigns.tests.support.factories import make_brand, make_campaign
from campaigns.tests.support.outside import POSTGRESQL, OutsideTestCase
from campaigns.tests.support.together import Crew, wait_until_somebody_waits

if POSTGRESQL:

    class DeadlockWithSql(OutsideTestCase):
        def setUp(self) -> None:
            super().setUp()
            self.brand = make_brand()
            self.campaign = make_campaign(self.brand)
            self.amara = Client()
            self.amara.force_login(User.objects.create_superuser("amara"))
            self.address = reverse("admin:campaigns_brand_change", args=[self.brand.pk])
            self.statuses: list[int] = []

        def switch_off(self) -> None:
            form = open_form(self.amara, self.address, "brand_form")
            del form["enabled"]
            self.statuses.append(self.amara.post(self.address, form).status_code)

        def test_it_saves_though_the_first_attempt_ends_in_a_deadlock(self) -> None:
            """PostgreSQL ends the one that waited first: the person. The test doesn't wait a second."""
            crew = Crew()
            self.run_sql("BEGIN")
            self.run_sql("UPDATE campaigns_campaign SET daily_spend_limit = 5 WHERE id = %s", self.campaign.pk)
            saving = crew.start(self.switch_off)
            wait_until_somebody_waits()
            try:
                self.run_sql("UPDATE campaigns_brand SET currency = 'EUR' WHERE id = %s", self.brand.pk)
                self.run_sql("COMMIT")
            except psycopg.errors.DeadlockDetected:
                self.run_sql("ROLLBACK")
            crew.finish([saving])
            self.assertEqual(self.statuses, [302])
            self.assertFalse(Brand.objects.get().enabled)
            self.assertEqual(history(self.campaign), [(ACTIVE, PauseReason.BRAND_DISABLED)])
            self.assertEqual(StatusChange.objects.get().actor, "amara")
