"""From a brand to its campaigns and back: breadcrumbs, ids, and adding a campaign on its brand's page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.models import Permission, User
from django.urls import reverse

from campaigns.admin.shared.display import change_address
from campaigns.database.clock import database_now
from campaigns.models import Brand, Campaign, SpendRecord, StatusChange
from campaigns.services.enforcement.enforce import enforce
from campaigns.services.scope import Scope
from campaigns.tests.admin.test_admin_lists import address
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend


class WayTestCase(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = Brand.objects.create(id=7_001, name="Sabiá")
        self.campaign = Campaign.objects.create(id=8_001, brand=self.brand, name="Verão")
        self.of_brand = reverse("admin:campaigns_brand_change", args=[7_001])
        self.of_campaign = reverse("admin:campaigns_campaign_change", args=[8_001])

    def person(self, *names: str) -> None:
        person = User.objects.create(username="person", is_staff=True)
        person.user_permissions.set(Permission.objects.filter(codename__in=names))
        self.client.force_login(person)

    def heading(self, page: str) -> str:
        content = self.client.get(page).content.decode()
        return content[content.index("<h1") : content.index("</h1>")]


class BreadcrumbTests(WayTestCase):
    def test_a_campaign_is_under_its_brand_on_each_of_its_pages(self) -> None:
        for name in ("change", "delete", "history"):
            with self.subTest(name):
                heading = self.heading(reverse(f"admin:campaigns_campaign_{name}", args=[8_001]))
                brands = heading.index(f'href="{reverse("admin:campaigns_brand_changelist")}">Brands</a>')
                brand = heading.index(f'href="{self.of_brand}">Sabiá</a>')
                self.assertLess(brands, brand)
                self.assertLess(brand, heading.index(f'href="{self.of_campaign}">Verão</a>'))
                self.assertIn("ID 8001", heading)

    def test_a_brand_shows_its_id(self) -> None:
        self.assertIn("ID 7001", self.heading(self.of_brand))

    def test_those_who_may_not_view_brands_have_no_link_to_them(self) -> None:
        self.person("view_campaign")
        heading = self.heading(self.of_campaign)
        self.assertIn("Sabiá", heading)
        self.assertNotIn("/brand/", heading)


class AddTests(WayTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.add = f"{reverse('admin:campaigns_campaign_add')}?brand=7001&back=brand"

    def post(self, **more: Any) -> Any:
        windows = {f"windows-{name}": 0 for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
        return self.client.post(self.add, {"brand": 7_001, "name": "Inverno", "enabled": "on", **windows, **more})

    def test_the_brand_is_filled_in_and_named(self) -> None:
        page = self.client.get(self.of_brand).content.decode()
        self.assertEqual(page.count(self.add.replace("&", "&amp;")), 2)
        self.assertContains(self.client.get(self.add), '<option value="7001" selected>Sabiá</option>', html=True)
        self.assertIn(f'href="{self.of_brand}">Sabiá</a>', self.heading(self.add))

    def test_saving_leads_back_to_the_brand(self) -> None:
        self.assertRedirects(self.post(), self.of_brand)
        self.assertEqual(Campaign.objects.get(name="Inverno").brand, self.brand)

    def test_another_one_is_of_the_same_brand(self) -> None:
        self.assertRedirects(self.post(_addanother="1"), self.add)

    def test_editing_on_stays_with_the_campaign(self) -> None:
        answer = self.post(_continue="1")
        made = Campaign.objects.get(name="Inverno")
        self.assertEqual(urlsplit(answer["Location"]).path, change_address(made))

    def test_a_form_of_its_own_leads_to_the_list(self) -> None:
        self.add = reverse("admin:campaigns_campaign_add")
        self.assertRedirects(self.post(), reverse("admin:campaigns_campaign_changelist"))

    def test_it_is_offered_to_those_who_may_add_and_for_open_brands(self) -> None:
        Brand.objects.update(archived_at=database_now(), enabled=False)
        self.assertNotContains(self.client.get(self.of_brand), "Add campaign")
        Brand.objects.update(archived_at=None)
        self.person("view_brand", "view_campaign")
        self.assertNotContains(self.client.get(self.of_brand), "Add campaign")

    def test_brands_of_others_are_not_named(self) -> None:
        self.person("add_campaign", "view_campaign", "only_assigned_brands")
        self.assertNotContains(self.client.get(self.add), "Sabiá")
        for key in ("x", "-1", "9" * 30, ""):
            with self.subTest(key):
                page = self.client.get(reverse("admin:campaigns_campaign_add"), {"brand": key, "back": "brand"})
                self.assertEqual(page.status_code, 200)


class LinkTests(WayTestCase):
    def test_names_of_brands_and_campaigns_are_links_in_every_list(self) -> None:
        spend(self.campaign, 5)
        Campaign.objects.update(enabled=False)
        enforce(Scope.everything(), actor="test", clock=database_now)
        self.assertTrue(SpendRecord.objects.exists() and StatusChange.objects.exists())
        to_brand, to_campaign = f'href="{self.of_brand}">Sabiá</a>', f'href="{self.of_campaign}">Verão</a>'
        for name in ("spendrecord", "statuschange"):
            with self.subTest(name):
                page = self.client.get(address(name))
                self.assertContains(page, to_brand)
                self.assertContains(page, to_campaign)
        self.assertContains(self.client.get(address("campaign")), to_brand)
        home = self.client.get(reverse("admin:index"))
        self.assertContains(home, to_campaign)
        self.assertContains(home, to_brand)

    def test_lists_show_ids(self) -> None:
        make_campaign(make_brand())
        for name, pk in (("brand", 7_001), ("campaign", 8_001)):
            with self.subTest(name):
                self.assertRegex(self.client.get(address(name)).content.decode(), rf"field-id[^>]*>\s*{pk}\s*<")
