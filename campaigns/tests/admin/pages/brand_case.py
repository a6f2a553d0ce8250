"""What the tests of a brand's page share."""

from __future__ import annotations

import time_machine
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from campaigns.models import Brand
from campaigns.services.insight.brand_month import BrandMonth, brand_month
from campaigns.services.jobs.full_check import run_full_check
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import utc

NOW = utc("2026-11-25 12:00")


class BrandTestCase(AdminTestCase):
    now = NOW

    def setUp(self) -> None:
        super().setUp()
        traveller = time_machine.travel(self.now, tick=False)
        traveller.start()
        self.addCleanup(traveller.stop)

    def address(self, brand: Brand, page: str = "change") -> str:
        return reverse(f"admin:campaigns_brand_{page}", args=[brand.pk])

    def page(self, brand: Brand) -> str:
        response = self.client.get(self.address(brand))
        self.assertEqual(response.status_code, 200)
        return response.text

    def month(self, brand: Brand) -> BrandMonth:
        found = brand_month(brand, now=self.now)
        assert found is not None
        return found

    def check(self) -> None:
        run_full_check("check_budgets", clock=lambda: self.now)

    def person(self, *permissions: str) -> User:
        user = User.objects.create(username="bola", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        self.client.force_login(user)
        return user
