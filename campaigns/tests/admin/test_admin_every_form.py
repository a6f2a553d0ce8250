"""Every form of the admin works: a row is made on each add page, and each change page saves as it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.forms.models import model_to_dict
from django.test import RequestFactory, TestCase
from django_celery_beat.models import IntervalSchedule

from campaigns.models import ApiKey, Brand, BrandAssignment, SpendUpload
from campaigns.services.groups import BRAND_MANAGERS, BRAND_VIEWERS, GROUPS
from campaigns.tests.support.browser import open_form
from campaigns.tests.support.pages import every_model, first_row, make_a_row_of_each, page

PEOPLE = ("superuser", *GROUPS)


def entries() -> dict[str, dict[str, Any]]:
    """Return what a person enters on each add page there is, by model."""
    password = {"password1": "quite another 1", "password2": "quite another 1"}
    return {
        "auth.User": {"username": "zofia", **password},
        "auth.Group": {"name": "Auditors"},
        "campaigns.ApiKey": {"name": "dlt", "scopes": ["spend:write"]},
        "campaigns.AlertRule": {"kind": "budget_month", "threshold": "90"},
        "campaigns.Brand": {"name": "Alpine", "timezone": "Europe/Vienna", "daily_budget": "100"},
        "campaigns.Campaign": {"name": "Search", "brand": str(Brand.objects.order_by("pk")[0].pk)},
        "campaigns.Endpoint": {"name": "Desk", "kind": "slack", "url": "https://example.com/", "period_closed": "on"},
        "campaigns.SpendUpload": {"file": SimpleUploadedFile("spend.csv", b"brand,campaign,amount,timestamp\n")},
        "django_celery_beat.ClockedSchedule": {"clocked_time_0": "2026-12-10", "clocked_time_1": "09:30"},
        "django_celery_beat.CrontabSchedule": {"minute": "7"},
        "django_celery_beat.IntervalSchedule": {"every": "7", "period": "minutes"},
        "django_celery_beat.PeriodicTask": {
            "name": "Once more",
            "regtask": "campaigns.tasks.check_budgets",
            "interval": str(IntervalSchedule.objects.order_by("pk")[0].pk),
        },
        "django_celery_beat.SolarSchedule": {"event": "sunrise", "latitude": "1", "longitude": "1"},
    }


def make_person(who: str) -> User:
    person = User.objects.create(username=who, is_staff=True, is_superuser=who == "superuser")
    if who != "superuser":
        person.groups.add(Group.objects.get(name=who))
    if who in (BRAND_MANAGERS, BRAND_VIEWERS):
        BrandAssignment.objects.bulk_create(BrandAssignment(user=person, brand=brand) for brand in Brand.objects.all())
    return person


def form_name(model: type[models.Model]) -> str:
    return "upload_form" if model is SpendUpload else f"{model._meta.model_name}_form"


def may(person: Any, permission: str, model: type[models.Model]) -> bool:
    """Whether the admin lets the person do this with rows of the model."""
    request = RequestFactory().get("/")
    request.user = person
    return bool(getattr(admin.site._registry[model], f"has_{permission}_permission")(request))


class EveryForm(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        make_a_row_of_each()

    def forms(self, permission: str) -> Iterator[tuple[str, type[models.Model]]]:
        """Sign in each person in turn, and yield the models whose rows they may add or change."""
        for who in PEOPLE:
            person = make_person(who)
            self.client.force_login(person)
            for model in every_model():
                if may(person, permission, model):
                    yield who, model

    def test_each_add_page_shows_the_fields_that_make_a_row(self) -> None:
        added = set()
        for who, model in self.forms("add"):
            entered = entries()[model._meta.label]
            self.add(model, entered)
            added.add((who, model._meta.label))
        self.assertEqual({label for who, label in added if who == "superuser"}, set(entries()))
        self.assertIn((BRAND_MANAGERS, "campaigns.Campaign"), added)

    def add(self, model: type[models.Model], entered: dict[str, Any]) -> None:
        """Make a row through the page, entering only what the page has a field for; and take it away again."""
        there = set(model._base_manager.values_list("pk", flat=True))
        url = page(model, "add")
        html = self.client.get(url).content.decode()
        self.assertEqual([name for name in entered if f'name="{name}"' not in html], [], url)
        shown = open_form(self.client, url, form_name(model))
        answer = self.client.post(url, shown | entered)
        made = model._base_manager.exclude(pk__in=there)
        status = 200 if model is ApiKey else 302  # the answer itself shows the key, which is never shown again
        self.assertEqual((answer.status_code, made.count()), (status, 1), f"{url}: {errors(answer)}")
        made.delete()

    def test_each_change_page_saves_as_it_stands_and_changes_nothing(self) -> None:
        for _, model in self.forms("change"):
            row = first_row(model)
            before = model_to_dict(row)
            url = page(model, "change", row.pk)
            answer = self.client.post(url, open_form(self.client, url, form_name(model)))
            self.assertEqual(answer.status_code, 302, f"{url}: {errors(answer)}")
            row.refresh_from_db()
            self.assertEqual(model_to_dict(row), before, url)

    def test_each_page_that_only_shows_has_no_field_to_save(self) -> None:
        for who, model in self.forms("view"):
            person = User.objects.get(username=who)
            if not may(person, "change", model) and model is not SpendUpload:
                html = self.client.get(page(model, "change", first_row(model).pk)).content.decode()
                self.assertNotIn('name="_save"', html)


def errors(answer: Any) -> str:
    context: Callable[[str], Any] = answer.context.get if answer.context else lambda name: None
    found = context("errors") or (context("adminform") and context("adminform").form.errors) or ""
    return str(found)


class NewUser(TestCase):
    """Users are made by a superuser, on one form."""

    def setUp(self) -> None:
        self.client.force_login(User.objects.create_superuser("root"))

    def test_the_add_page_asks_for_name_password_role_and_brands(self) -> None:
        url = page(User, "add")
        shown = open_form(self.client, url, "user_form")
        self.assertLessEqual({"username", "password1", "password2", "is_staff", "role"}, set(shown))
        for name in ("role", "brands", "more_groups", "user_permissions"):
            self.assertContains(self.client.get(url), f'name="{name}"')
        entered = {"username": "zofia", "password1": "quite another 1", "password2": "quite another 1"}
        self.client.post(url, shown | entered, follow=True)
        zofia = User.objects.get(username="zofia")
        self.assertTrue(zofia.check_password("quite another 1"))
        self.assertTrue(zofia.is_staff)

    def test_passwords_that_differ_are_refused(self) -> None:
        url = page(User, "add")
        entered = {"username": "zofia", "password1": "quite another 1", "password2": "quite another 2"}
        answer = self.client.post(url, open_form(self.client, url, "user_form") | entered)
        self.assertContains(answer, "The two password fields didn’t match.")
        self.assertFalse(User.objects.filter(username="zofia").exists())
