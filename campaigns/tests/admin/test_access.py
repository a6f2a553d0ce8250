"""Staff whose group says so see only the brands that they are given: on every page, in every choice and action."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db import IntegrityError, connection, transaction
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Brand, BrandAssignment, BrandPeriod, Campaign, SpendRecord, StatusChange
from campaigns.services.groups import BRAND_MANAGERS, CAMPAIGN_MANAGERS
from campaigns.services.jobs.full_check import run_full_check
from campaigns.services.permissions import sees_only_assigned_brands, visible_to
from campaigns.tests.support.browser import FormTestCase, confirm
from campaigns.tests.support.factories import make_brand, make_campaign, spend
from campaigns.tests.support.pages import page

LISTS = (Brand, Campaign, BrandPeriod, StatusChange, SpendRecord)


def make_brand_manager(*brands: Brand) -> User:
    person = User.objects.create(username="nadia", is_staff=True)
    person.groups.add(Group.objects.get(name=BRAND_MANAGERS))
    BrandAssignment.objects.bulk_create(BrandAssignment(user=person, brand=brand) for brand in brands)
    return person


def make_busy_brand(name: str) -> Campaign:
    """Make a brand that has a row in every list, each named after it."""
    campaign = make_campaign(make_brand(name=name, daily_budget=5), name=f"{name} search")
    spend(campaign, 7)
    return campaign


class WhoSeesWhat(TestCase):
    def test_who_has_the_permission_sees_what_was_given_and_nothing_else(self) -> None:
        ours, theirs = make_brand(), make_brand()
        nadia = make_brand_manager(ours)
        self.assertEqual(list(visible_to(nadia, Brand.objects.all(), "pk")), [ours])
        make_campaign(theirs)
        self.assertFalse(visible_to(nadia, Campaign.objects.all(), "brand").exists())

    def test_who_has_another_group_too_is_limited_all_the_same(self) -> None:
        nadia = make_brand_manager()
        nadia.groups.add(Group.objects.get(name=CAMPAIGN_MANAGERS))
        self.assertTrue(sees_only_assigned_brands(nadia))

    def test_who_has_no_such_permission_sees_everything_whatever_was_given(self) -> None:
        brand = make_brand()
        person = User.objects.create(username="omar", is_staff=True)
        BrandAssignment.objects.create(user=person, brand=brand)
        make_brand()
        self.assertEqual(visible_to(person, Brand.objects.all(), "pk").count(), 2)

    def test_a_superuser_sees_everything_even_with_the_permission(self) -> None:
        root = User.objects.create(username="root", is_superuser=True)
        root.user_permissions.add(Permission.objects.get(codename="only_assigned_brands"))
        make_brand()
        self.assertEqual(visible_to(root, Brand.objects.all(), "pk").count(), 1)


class GivenTwice(TestCase):
    def test_a_brand_is_given_once_to_a_person(self) -> None:
        brand = make_brand()
        nadia = make_brand_manager(brand)
        with self.assertRaises(IntegrityError), transaction.atomic():
            BrandAssignment.objects.create(user=nadia, brand=brand)

    def test_only_brands_and_people_that_are_there_can_be_given(self) -> None:
        brand, nadia = make_brand(), make_brand_manager()
        for user_id, brand_id in ((nadia.pk, 0), (0, brand.pk)):
            with self.assertRaises(IntegrityError), transaction.atomic():
                BrandAssignment.objects.create(user_id=user_id, brand_id=brand_id)
                connection.check_constraints()


class Pages(TestCase):
    ours: Campaign
    theirs: Campaign

    @classmethod
    def setUpTestData(cls) -> None:
        cls.ours, cls.theirs = make_busy_brand("Ours"), make_busy_brand("Theirs")
        run_full_check("check_budgets", clock=timezone.now)
        make_brand_manager(cls.ours.brand)

    def setUp(self) -> None:
        self.client.force_login(User.objects.get(username="nadia"))

    def text(self, url: str, **query: Any) -> str:
        response = self.client.get(url, query)
        self.assertEqual(response.status_code, 200, url)
        return response.content.decode()

    def test_lists_have_only_the_given_brands(self) -> None:
        for model in LISTS:
            shown = self.text(page(model, "changelist"))
            self.assertIn("Ours", shown, model)
            self.assertNotIn("Theirs", shown, model)

    def test_lists_do_not_name_what_is_asked_for_in_the_address(self) -> None:
        for model, name in (
            (Campaign, "brand"),
            (BrandPeriod, "brand"),
            (StatusChange, "campaign"),
            (StatusChange, "campaign__brand"),
        ):
            row = self.theirs.brand if name.endswith("brand") else self.theirs
            shown = self.text(page(model, "changelist"), **{f"{name}__id__exact": row.pk})
            self.assertNotIn("Theirs", shown, model)

    def test_searches_find_only_the_given_brands(self) -> None:
        for model in LISTS:
            self.assertNotIn("Theirs search", self.text(page(model, "changelist"), q="Theirs"), model)

    def test_pages_of_other_brands_are_not_there(self) -> None:
        for model in LISTS:
            row = model._base_manager.exclude(**{self.path(model): self.ours.brand.pk}).order_by("pk")[0]
            for name in ("change", "history"):
                self.assertRedirects(self.client.get(page(model, name, row.pk)), reverse("admin:index"))

    def path(self, model: type[Any]) -> str:
        return {Brand: "pk", StatusChange: "campaign__brand"}.get(model, "brand")

    def test_choices_offer_only_the_given_brands(self) -> None:
        asked = {"app_label": "campaigns", "model_name": "campaign", "field_name": "brand", "term": ""}
        answer = self.client.get(reverse("admin:autocomplete"), asked).json()
        self.assertEqual([found["text"] for found in answer["results"]], ["Ours"])
        asked |= {"model_name": "statuschange", "field_name": "campaign"}
        answer = self.client.get(reverse("admin:autocomplete"), asked).json()
        self.assertEqual([found["text"] for found in answer["results"]], ["Ours search"])

    def test_actions_touch_only_the_given_brands(self) -> None:
        for row in (self.ours, self.theirs, self.theirs.brand):
            data = {"action": "switch_off", "_selected_action": [str(row.pk)]}
            confirm(self.client, self.client.post(page(type(row), "changelist"), data))
            row.refresh_from_db()
        self.assertEqual((self.ours.enabled, self.theirs.enabled, self.theirs.brand.enabled), (False, True, True))

    def test_nothing_of_another_brand_is_deleted(self) -> None:
        other = make_campaign(self.theirs.brand)
        self.client.post(page(Campaign, "delete", other.pk), {"post": "yes"})
        data = {"action": "delete_selected", "_selected_action": [str(other.pk)], "post": "yes"}
        self.client.post(page(Campaign, "changelist"), data)
        self.assertTrue(Campaign.objects.filter(pk=other.pk).exists())


class Forms(FormTestCase):
    def setUp(self) -> None:
        self.ours, self.theirs = make_brand(name="Ours"), make_brand(name="Theirs")
        self.nadia = make_brand_manager(self.ours)
        self.client.force_login(self.nadia)

    def test_a_campaign_can_be_made_for_a_given_brand_only(self) -> None:
        for brand, count in ((self.theirs, 0), (self.ours, 1)):
            form = self.new_form(Campaign) | {"name": "Search", "brand": str(brand.pk)}
            self.client.post(page(Campaign, "add"), form)
            self.assertEqual(Campaign.objects.count(), count)

    def test_a_campaign_cannot_be_moved_to_another_brand(self) -> None:
        campaign = make_campaign(self.ours)
        self.client.post(self.address(campaign), self.form(campaign) | {"brand": str(self.theirs.pk)})
        campaign.refresh_from_db()
        self.assertEqual(campaign.brand, self.ours)

    def test_a_superuser_gives_brands_on_the_page_of_the_user(self) -> None:
        root = User.objects.create(username="root", is_staff=True, is_superuser=True)
        self.client.force_login(root)
        self.assertContains(self.client.get(page(User, "change", self.nadia.pk)), "Ours")
