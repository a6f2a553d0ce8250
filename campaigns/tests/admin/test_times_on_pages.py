"""Times on pages: one format with the zone, the viewer's above the brand's on lists, and as of when figures are."""

from __future__ import annotations

import time_machine
from axes.models import AccessAttempt
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from campaigns.models import Brand, BrandPeriod, Campaign, FileFormat, JobRun, SpendRecord, SpendUpload, StatusChange
from campaigns.services.jobs.full_check import CHECK_BUDGETS, run_full_check
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.pages import page

NOW = utc("2026-11-25 12:00:30")
LISTS = (Brand, Campaign, BrandPeriod, StatusChange, SpendRecord, SpendUpload, JobRun)
ABOVE_AND_BENEATH = (
    '<span class="campaigns-times"><time datetime="{}" data-viewer="{}">{}</time><small>brand: {}</small></span>'
)


@time_machine.travel(NOW, tick=False)
class TimesOnPages(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(name="Alpine", timezone="Europe/Paris", currency="EUR")
        self.campaign = make_campaign(self.brand, name="Search", daily_spend_limit=5)
        spend(self.campaign, 5, NOW)
        run_full_check(CHECK_BUDGETS, clock=timezone.now)

    def test_home_and_lists_say_as_of_when_they_are(self) -> None:
        shown = '<time datetime="2026-11-25T12:00:30+00:00" data-viewer="clock">12:00:30 UTC</time>'
        for address in ("/admin/", *(page(model, "changelist") for model in LISTS)):
            self.assertContains(self.client.get(address), f"As of {shown}")

    def test_pages_of_a_brand_say_it_in_its_time(self) -> None:
        shown = '<time datetime="2026-11-25T12:00:30+00:00">13:00:30 CET</time>'
        for row in (self.brand, self.campaign):
            self.assertContains(self.client.get(page(type(row), "change", row.pk)), f"As of {shown}")

    def test_a_new_row_has_no_figures_and_so_no_such_time(self) -> None:
        for model in (Brand, Campaign):
            self.assertNotContains(self.client.get(page(model, "add")), "data-as-of")

    def test_times_of_no_brand_are_the_viewers(self) -> None:
        at = utc("2026-11-25 12:00:30")
        User.objects.update(last_login=at, date_joined=at)
        AccessAttempt.objects.create(username="x", failures_since_start=5, attempt_time=at)
        AccessAttempt.objects.update(attempt_time=at)
        FileFormat.objects.create(name="Google Ads", signature="0" * 64, source="google_ads", used_at=at)
        shown = '<time datetime="2026-11-25T12:00:30+00:00" data-viewer="second">2026-11-25 12:00:30 UTC</time>'
        PeriodicTask.objects.exclude(pk=PeriodicTask.objects.earliest("pk").pk).delete()
        PeriodicTask.objects.update(last_run_at=at)
        user, attempt = User.objects.get(), AccessAttempt.objects.get()
        for name, count in (
            ("auth_user", 1),
            ("axes_accessattempt", 1),
            ("campaigns_fileformat", 1),
            ("django_celery_beat_periodictask", 1),
        ):
            self.assertContains(self.client.get(reverse(f"admin:{name}_changelist")), shown, count)
        self.assertContains(self.client.get(reverse("admin:auth_user_change", args=[user.pk])), shown, 2)
        self.assertContains(self.client.get(reverse("admin:axes_accessattempt_change", args=[attempt.pk])), shown, 1)

    def test_lists_show_the_viewers_time_above_the_brands(self) -> None:
        both = ("2026-11-25T12:00:30+00:00", "second", "2026-11-25 12:00:30 UTC", "2026-11-25 13:00:30 CET")
        for model in (SpendRecord, StatusChange):
            self.assertContains(self.client.get(page(model, "changelist")), ABOVE_AND_BENEATH.format(*both))
        until = ("2026-11-25T23:00:00+00:00", "minute", "2026-11-25 23:00 UTC", "2026-11-26 00:00 CET")
        self.assertContains(self.client.get(page(Campaign, "changelist")), ABOVE_AND_BENEATH.format(*until))

    @override_settings(TIME_ZONE="Europe/Paris")
    def test_the_brands_time_is_hidden_where_it_is_the_same(self) -> None:
        html = "2026-11-25 13:00:30 CET</time><small hidden>brand: 2026-11-25 13:00:30 CET</small>"
        self.assertContains(self.client.get(page(SpendRecord, "changelist")), html)

    def test_the_history_of_a_brand_is_in_its_time(self) -> None:
        self.assertContains(
            self.client.get(page(Brand, "change", self.brand.pk)), "2026-11-25 13:00:30 CET</time></td>"
        )

    def test_pages_of_the_admin_itself_have_the_same_format(self) -> None:
        LogEntry.objects.create(
            user=self.user,
            content_type=ContentType.objects.get_for_model(User),
            object_id=str(self.user.pk),
            object_repr="amara",
            action_flag=CHANGE,
        )
        history = self.client.get(reverse("admin:auth_user_history", args=[self.user.pk]))
        self.assertContains(history, "2026-11-25 12:00:30 UTC")
