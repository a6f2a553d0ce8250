"""The admin's pages: empty lists, the sidebar, forms and what can only be read."""

from __future__ import annotations

from unittest.mock import patch

from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from campaigns.models import Brand, BrandPeriod, Campaign, SpendRecord, StatusChange
from campaigns.tests.admin.test_admin_lists import LISTS, address, some_brands
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend


class PageTests(AdminTestCase):
    def test_empty_lists_open(self) -> None:
        for name in LISTS:
            self.assertEqual(self.client.get(address(name)).status_code, 200, name)

    def test_an_empty_list_tells_where_rows_come_from_and_a_search_that_it_found_none(self) -> None:
        page = self.client.get(address("campaign"))
        self.assertContains(page, "No campaigns yet")
        self.assertContains(page, "Campaigns belong to brands. Add a brand first.")
        page = self.client.get(address("campaign"), {"q": "Autumn"})
        self.assertContains(page, "Nothing matches the search and filters.")
        self.assertNotContains(page, "No campaigns yet")

    def test_a_page_behind_the_last_one_does_not_say_that_there_is_nothing(self) -> None:
        campaign = make_campaign()
        for _ in range(2):
            spend(campaign, 1)
        with patch.object(admin.site.get_model_admin(SpendRecord), "list_per_page", 2):
            page = self.client.get(address("spendrecord"), {"p": "2", "o": "1"})
        self.assertContains(page, "No more spend records")
        self.assertNotContains(page, "No spend records yet")
        self.assertContains(page, '<a class="text-link" href="?o=1">To the first page</a>')

    def test_lists_and_forms_are_named_by_what_they_show(self) -> None:
        shown = self.client.get(address("campaign")).content.decode()
        self.assertRegex(shown, r"<title>\s*Campaigns \| Budget manager\s*</title>")
        form = self.client.get(reverse("admin:campaigns_brand_add"))
        heading = form.content.decode().partition("<h1>")[2].partition("</h1>")[0]
        self.assertRegex(heading, r"(?s)>Brands</a>.*>Add brand</span>")

    def test_every_page_opens(self) -> None:
        some_brands(1)
        for model in (Brand, Campaign, BrandPeriod, StatusChange, SpendRecord):
            row = model._default_manager.first()
            assert row is not None
            page = reverse(f"admin:campaigns_{model._meta.model_name}_change", args=[row.pk])
            self.assertEqual(self.client.get(page).status_code, 200, page)
        self.assertEqual(
            self.client.get(reverse("admin:campaigns_jobrun_change", args=["check_budgets"])).status_code, 200
        )

    def test_the_pages_of_django_and_celery_beat_open(self) -> None:
        for page in (
            reverse("admin:index"),
            reverse("admin:auth_user_changelist"),
            reverse("admin:auth_user_change", args=[self.user.pk]),
            reverse("admin:auth_group_add"),
            reverse("admin:django_celery_beat_periodictask_changelist"),
            reverse("admin:django_celery_beat_periodictask_add"),
            reverse("admin:django_celery_beat_crontabschedule_add"),
        ):
            self.assertEqual(self.client.get(page).status_code, 200, page)

    def test_only_superusers_change_the_jobs(self) -> None:
        planner = User.objects.create(username="planner", is_staff=True)
        planner.user_permissions.set(Permission.objects.filter(content_type__app_label="django_celery_beat"))
        self.client.force_login(planner)
        self.assertEqual(self.client.get(reverse("admin:django_celery_beat_periodictask_changelist")).status_code, 200)
        self.assertEqual(self.client.get(reverse("admin:django_celery_beat_periodictask_add")).status_code, 403)

    def test_a_person_who_may_only_look_sees_no_form(self) -> None:
        looker = User.objects.create(username="looker", is_staff=True)
        looker.user_permissions.set(Permission.objects.filter(codename__in=("view_campaign", "view_brand")))
        self.client.force_login(looker)
        campaign = make_campaign()
        make_window(campaign)
        page = self.client.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))
        self.assertContains(page, campaign.name)
        self.assertNotContains(page, 'name="name"')
        self.assertNotContains(page, 'name="windows-0-start_time"')

    def test_one_entry_of_the_sidebar_is_highlighted(self) -> None:
        link = reverse("admin:campaigns_campaignlink_changelist")
        for page, current in (
            (reverse("admin:campaigns_campaignlink_unassigned"), "Unassigned spend"),
            (link, "Platform campaigns"),
            (reverse("admin:campaigns_brand_add"), "Brands"),
            (reverse("admin:campaigns_spendupload_changelist"), "Imports of spend records"),
            (reverse("admin:campaigns_reportimport_changelist"), "Imports of platform reports"),
            (reverse("admin:index"), "Home"),
        ):
            groups = self.client.get(page).context["sidebar_navigation"]
            self.assertEqual(
                [item["title"] for group in groups for item in group["items"] if item["active"]], [current]
            )

    def test_the_sidebar_shows_what_the_person_may_look_at(self) -> None:
        self.assertContains(self.client.get(reverse("admin:index")), reverse("admin:auth_user_changelist"))
        looker = User.objects.create(username="looker", is_staff=True)
        looker.user_permissions.set(Permission.objects.filter(codename="view_brandperiod"))
        self.client.force_login(looker)
        page = self.client.get(reverse("admin:index"))
        self.assertContains(page, "Statements")
        self.assertNotContains(page, reverse("admin:auth_user_changelist"))
        self.assertNotContains(page, "Spend records")

    def test_a_page_of_a_brand_in_an_unknown_zone_opens(self) -> None:
        campaign = make_campaign(make_brand(timezone="Mars/Olympus"))
        for page in (
            address("brand"),
            address("campaign"),
            reverse("admin:campaigns_brand_change", args=[campaign.brand_id]),
            reverse("admin:campaigns_campaign_change", args=[campaign.pk]),
        ):
            self.assertEqual(self.client.get(page).status_code, 200, page)


class ReadOnlyTests(AdminTestCase):
    def test_what_the_system_writes_has_no_add_change_or_delete_page(self) -> None:
        some_brands(1)
        for model in (BrandPeriod, StatusChange, SpendRecord):
            row, name = model._default_manager.first(), model._meta.model_name
            assert row is not None
            for page in (
                reverse(f"admin:campaigns_{name}_add"),
                reverse(f"admin:campaigns_{name}_delete", args=[row.pk]),
            ):
                self.assertEqual(self.client.post(page, {"post": "yes"}).status_code, 403, page)
            self.assertEqual(
                self.client.post(reverse(f"admin:campaigns_{name}_change", args=[row.pk])).status_code, 403
            )
