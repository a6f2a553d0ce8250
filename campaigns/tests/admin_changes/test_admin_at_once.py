from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

from django.contrib.auth.models import User
from django.db import connections, transaction
from django.test import Client
from django.urls import reverse

from campaigns.admin.shared import deletion
from campaigns.database import write_column as columns
from campaigns.models import Brand, Campaign
from campaigns.services.bulk import change_many as bulk
from campaigns.services.ledger.locks import lock_brands
from campaigns.tests.support.browser import confirm, open_form
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend

NOTHING_VANISHES = "Nothing was saved: rows with spend or campaigns can't be deleted. Archive them instead."


class SavesAtTheSameMomentTests(CommittedTestCase):
    """A save that meets another one waits for it, and then looks at what it left."""

    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(User.objects.create(username="amara", is_staff=True, is_superuser=True))

    def test_a_save_that_waited_refuses_what_changed_meanwhile(self) -> None:
        brand = make_brand(daily_budget=100)
        form = self.form(brand) | {"daily_budget": "50"}
        response = self.post_during(brand, form, lambda: Brand.objects.update(daily_budget=70))
        self.assertContains(response, "Someone else changed “daily budget” to “70.00”")
        brand.refresh_from_db()
        self.assertEqual(brand.daily_budget, 70)

    def test_a_campaigns_save_that_waited_refuses_what_changed_meanwhile(self) -> None:
        campaign = make_campaign(daily_spend_limit=100)
        form = self.form(campaign) | {"daily_spend_limit": "50"}
        response = self.post_during(campaign, form, lambda: Campaign.objects.update(daily_spend_limit=70))
        self.assertContains(response, "Someone else changed “daily spend limit” to “70.00”")
        campaign.refresh_from_db()
        self.assertEqual(campaign.daily_spend_limit, 70)

    def test_a_save_that_waited_keeps_what_the_other_changed(self) -> None:
        campaign = make_campaign()
        form = self.form(campaign) | {"daily_spend_limit": "50"}
        response = self.post_during(campaign, form, lambda: Campaign.objects.update(enabled=False))
        self.assertEqual(response.status_code, 302)
        campaign.refresh_from_db()
        self.assertEqual((campaign.enabled, campaign.daily_spend_limit, campaign.status), (False, 50, "paused"))

    def form(self, row: Brand | Campaign) -> dict[str, Any]:
        return open_form(self.client, self.address(row), f"{row._meta.model_name}_form")

    def address(self, row: Brand | Campaign) -> str:
        return reverse(f"admin:campaigns_{row._meta.model_name}_change", args=[row.pk])

    def post_during(self, row: Brand | Campaign, form: dict[str, Any], change: Any) -> Any:
        """Post the form while somebody else's transaction holds the brand; return the answer."""
        with ThreadPoolExecutor(1) as pool:
            with transaction.atomic():
                lock_brands([row.pk if isinstance(row, Brand) else row.brand_id])
                change()
                answer = pool.submit(post, self.client, self.address(row), form)
                time.sleep(0.5)
                self.assertFalse(answer.done())
            return answer.result(timeout=30)


class ActionsThatBreakOffTests(CommittedTestCase):
    """An action is one transaction: either all of it is there, with its effect, or nothing."""

    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(User.objects.create(username="amara", is_staff=True, is_superuser=True))

    def act(self, action: str) -> Any:
        keys = list(Campaign.objects.order_by("pk").values_list("pk", flat=True))
        data = {"action": action, "_selected_action": keys, "post": "yes"}
        return confirm(self.client, self.client.post(reverse("admin:campaigns_campaign_changelist"), data, follow=True))

    def test_a_switch_that_breaks_off_turns_nothing(self) -> None:
        make_campaign()
        broken = patch.object(bulk, "finish_change", side_effect=InterruptedError)
        with broken, self.assertLogs("django.request", "ERROR"), self.assertRaises(InterruptedError):
            self.act("switch_off")
        self.assertTrue(Campaign.objects.get().enabled)

    def test_a_deletion_that_is_refused_on_its_way_deletes_nothing(self) -> None:
        """Spend of the second campaign arrives after the look at what has any."""
        spend([make_campaign(), make_campaign()][1], 1)
        with (
            patch.dict(deletion.REASONS_TO_KEEP, {Campaign: lambda rows: []}),
            patch.object(columns, "ROWS_IN_A_STATEMENT", 1),
        ):
            said = self.act("delete_selected").context["messages"]
        self.assertEqual([str(one) for one in said], [NOTHING_VANISHES])
        self.assertEqual(Campaign.objects.count(), 2)


def post(client: Client, address: str, form: dict[str, Any]) -> Any:
    try:
        return client.post(address, form)
    finally:
        connections.close_all()
