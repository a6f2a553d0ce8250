"""The pages on which many rows are changed at once: what they ask, refuse and hand on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from unittest.mock import patch

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.admin.shared import preview_table as bulk_table
from campaigns.models import Brand, Campaign
from campaigns.tests.support.browser import AdminTestCase, ShownForm, confirm
from campaigns.tests.support.factories import make_brand, make_campaign, make_window


class BulkPageTestCase(AdminTestCase):
    def choose(self, model: type[Model], action: str, *rows: Model, query: str = "") -> Any:
        """Choose an action in a list."""
        address = reverse(f"admin:campaigns_{model._meta.model_name}_changelist")
        chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
        return self.client.post(f"{address}{query}", chosen)

    def fill_in(self, page: Any, **values: str) -> Any:
        """Fill in the form of the page and ask for the preview."""
        address = reverse(page.context["bulk_url"])
        return self.client.post(address, ShownForm(page.content.decode(), "bulk_form").values | values)


class WhatThePagesAsk(BulkPageTestCase):
    def test_it_changes_limits_after_a_preview(self) -> None:
        one, two = make_campaign(daily_spend_limit=100), make_campaign(daily_spend_limit=50)
        page = self.choose(Campaign, "change_limit", one, two)
        self.assertContains(page, "Change daily spend limit: 2 campaigns")
        preview = self.fill_in(page, how="raise_percent", amount="10")
        self.assertContains(preview, "Change 2 campaigns")
        self.assertContains(preview, "<ins>110.00 USD</ins>", html=True)
        done = confirm(self.client, preview)
        self.assertContains(done, "Changed the daily spend limit of 2 campaigns. No campaign changed status.")
        self.assertEqual(list(Campaign.objects.order_by("pk").values_list("daily_spend_limit", flat=True)), [110, 55])

    def test_it_changes_either_budget_of_brands(self) -> None:
        brand = make_brand(daily_budget=10, monthly_budget=100)
        page = self.choose(Brand, "change_budget", brand)
        confirm(self.client, self.fill_in(page, limit="monthly_budget", how="remove", amount=""))
        brand.refresh_from_db()
        self.assertEqual((brand.daily_budget, brand.monthly_budget), (Decimal(10), None))

    def test_it_copies_the_schedule_of_a_campaign(self) -> None:
        source, other = make_campaign(), make_campaign()
        make_window(source, 3, "22:00", "02:00")
        page = self.choose(Campaign, "apply_schedule", other)
        preview = self.fill_in(page, schedule="copy", campaign=str(source.pk))
        self.assertContains(preview, "Mon, Tue 22:00–02:00")
        confirm(self.client, preview)
        self.assertEqual([str(window) for window in other.windows.all()], ["Mon, Tue 22:00–02:00"])

    def test_it_says_what_is_wrong_with_an_entry(self) -> None:
        campaign = make_campaign()
        page = self.choose(Campaign, "change_limit", campaign)
        for values, sentence in (
            ({"how": "set", "amount": ""}, "Enter an amount or a percentage."),
            ({"how": "set", "amount": "1e3"}, "Enter a number like 1250 or 1250.50."),
            ({"how": "set", "amount": "3.500"}, "“3.500” can mean 3,500 or 3.5: write 3500 or 3.50."),
            ({"how": "set", "amount": "€ 99"}, "“€ 99” includes a currency: enter only the number."),
            ({"how": "set", "amount": "-1"}, "Enter 0 or more. To reduce, choose “Lower”."),
            ({"how": "set", "amount": "1000000000"}, "Enter less than 1,000,000,000."),
            ({"how": "set", "amount": "0.0000001"}, "Enter at most six decimals."),
            ({"how": "lower_percent", "amount": "100.5"}, "You can’t lower by more than 100 %."),
            ({"how": "steal", "amount": "1"}, "Select a valid choice."),
        ):
            with self.subTest(sentence):
                again = self.fill_in(page, **values)
                self.assertContains(again, sentence)
                self.assertNotIn("preview", again.context)
        page = self.choose(Campaign, "apply_schedule", campaign)
        self.assertContains(self.fill_in(page, schedule="copy"), "Choose the campaign to copy from.")
        self.assertContains(self.fill_in(page, schedule="copy", campaign="x"), "Select a valid choice.")

    def test_it_says_what_can_not_change_and_that_nothing_would(self) -> None:
        page = self.choose(Campaign, "change_limit", make_campaign(name="Search"))
        preview = self.fill_in(page, how="raise", amount="10")
        self.assertContains(preview, "No daily spend limit to raise.")
        self.assertContains(preview, "Nothing would change.")
        self.assertIs(confirm(self.client, preview), preview)

    def test_it_shows_the_first_rows_and_counts_all(self) -> None:
        rows = [make_campaign() for _ in range(5)]
        with patch.object(bulk_table, "SHOWN", 2):
            preview = self.choose(Campaign, "switch_off", *rows)
        self.assertContains(preview, "Changes: the first 2 of 5")
        self.assertEqual(preview.content.decode().count("<ins>off</ins>"), 2)

    def test_it_returns_to_the_list_as_it_was_filtered(self) -> None:
        preview = self.choose(Campaign, "switch_off", make_campaign(name="Search"), query="?q=Search")
        address = reverse("admin:campaigns_campaign_changelist")
        self.assertEqual(confirm(self.client, preview).redirect_chain, [(f"{address}?q=Search", 302)])


class WhatIsHandedOn(BulkPageTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign(name="Search", daily_spend_limit=100)
        self.address = reverse("admin:campaigns_campaign_bulk")

    def assert_begins_again(self, **data: str) -> None:
        answer = self.client.post(self.address, data, follow=True)
        self.assertContains(answer, "Nothing was changed: the page has expired. Select the rows again.")
        self.assertTrue(Campaign.objects.get().enabled)

    def shown(self, page: Any) -> str:
        (shown,) = ShownForm(page.content.decode(), "bulk_confirm").values["shown"]
        return str(shown)

    def test_what_was_changed_on_its_way_is_refused(self) -> None:
        shown = self.shown(self.choose(Campaign, "switch_off", self.campaign))
        for forged in ("", "x", shown[:-1], shown + "x"):
            self.assert_begins_again(shown=forged)
            self.assert_begins_again(selection=forged)

    def test_what_was_shown_to_somebody_else_is_refused(self) -> None:
        shown = self.shown(self.choose(Campaign, "switch_off", self.campaign))
        self.client.force_login(User.objects.create(username="bo", is_staff=True, is_superuser=True))
        self.assert_begins_again(shown=shown)

    def test_what_is_for_brands_is_not_for_campaigns(self) -> None:
        brand = self.choose(Brand, "switch_off", self.campaign.brand)
        self.assert_begins_again(shown=self.shown(brand))

    def test_a_selection_is_no_confirmation(self) -> None:
        page = self.choose(Campaign, "change_limit", self.campaign)
        (selection,) = ShownForm(page.content.decode(), "bulk_form").values["selection"]
        self.assert_begins_again(shown=selection)

    def test_somebody_elses_change_is_told_after_the_confirmation(self) -> None:
        page = self.choose(Campaign, "change_limit", self.campaign)
        preview = self.fill_in(page, how="raise_percent", amount="10")
        Campaign.objects.update(daily_spend_limit=70)
        done = confirm(self.client, preview)
        self.assertContains(done, "Skipped “Search”: someone changed its daily spend limit to “70.00 USD”")
        self.assertContains(done, "Changed the daily spend limit of 0 campaigns.")

    def test_confirming_twice_changes_once(self) -> None:
        page = self.choose(Campaign, "change_limit", self.campaign)
        preview = self.fill_in(page, how="raise_percent", amount="10")
        confirm(self.client, preview)
        confirm(self.client, preview)
        self.assertEqual(Campaign.objects.get().daily_spend_limit, 110)

    def test_the_address_alone_leads_to_the_list(self) -> None:
        self.assertRedirects(self.client.get(self.address), reverse("admin:campaigns_campaign_changelist"))


class AFullPage(BulkPageTestCase):
    def test_a_preview_takes_as_many_queries_for_fifty_rows_as_for_two(self) -> None:
        brand = make_brand()
        rows = [make_campaign(brand) for _ in range(50)]
        counts = []
        for chosen in (rows[:2], rows[:2], rows):
            with CaptureQueriesContext(connection) as captured:
                self.assertEqual(self.choose(Campaign, "switch_off", *chosen).status_code, 200)
            counts.append(len(captured))
        self.assertEqual(counts[1], counts[2])
