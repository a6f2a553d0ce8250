"""Who may do what: the groups that are made after a migrate, and every page of the admin tried as each."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import TestCase
from django.urls import reverse
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from campaigns.admin.shared.base import ReadOnlyAdmin
from campaigns.models import Brand, BrandAssignment, Campaign, DaypartingSchedule, SpendRecord, StatusChange
from campaigns.services.groups import BRAND_MANAGERS, BRAND_VIEWERS, CAMPAIGN_MANAGERS, GROUPS, OPERATORS, VIEWERS
from campaigns.tests.support.browser import FormTestCase, add_window, confirm, open_form
from campaigns.tests.support.factories import make_brand, make_campaign, make_window
from campaigns.tests.support.pages import every_model, every_page, first_row, make_a_row_of_each, page

LOOK = {"changelist", "change", "history"}
EVERYTHING = LOOK | {"add", "delete"}
PLATFORMS = ("campaigns.PlatformAccount", "campaigns.CampaignLink")
RECORDS = dict.fromkeys(
    (
        *("campaigns.BrandPeriod", "campaigns.StatusChange", "campaigns.SpendRecord", "campaigns.JobRun"),
        *(*PLATFORMS, "campaigns.SpendTotal", "campaigns.Alert"),
    ),
    LOOK,
)
SCHEDULE = tuple(
    f"django_celery_beat.{name}"
    for name in ("PeriodicTask", "CrontabSchedule", "IntervalSchedule", "SolarSchedule", "ClockedSchedule")
)
IMPORTS = {
    "campaigns.SpendUpload": LOOK | {"add"},
    "campaigns.ReportImport": LOOK,
    "campaigns.FileFormat": LOOK,
}
FORMATS = {"campaigns.FileFormat": LOOK | {"delete"}}
SEES = {"campaigns.Brand": LOOK, "campaigns.Campaign": LOOK} | RECORDS
OF_BRANDS = {name: pages for name, pages in SEES.items() if name != "campaigns.JobRun"}

# A person with every permission and no group shows which pages are for superusers only.
MAY_OPEN: dict[str, dict[str, set[str]]] = {
    "nobody": {},
    VIEWERS: SEES,
    CAMPAIGN_MANAGERS: SEES | IMPORTS | {"campaigns.Brand": LOOK | {"add"}, "campaigns.Campaign": EVERYTHING},
    BRAND_VIEWERS: OF_BRANDS,
    BRAND_MANAGERS: OF_BRANDS | {"campaigns.Campaign": EVERYTHING},
    OPERATORS: SEES | IMPORTS | dict.fromkeys(SCHEDULE, LOOK),
    "all permissions": {"campaigns.Brand": EVERYTHING, "campaigns.Campaign": EVERYTHING}
    | RECORDS
    | IMPORTS
    | FORMATS
    | dict.fromkeys((*SCHEDULE, "auth.User", "auth.Group", "campaigns.AlertEmail"), LOOK),
    "superuser": {"campaigns.Brand": EVERYTHING, "campaigns.Campaign": EVERYTHING}
    | RECORDS
    | IMPORTS
    | FORMATS
    | dict.fromkeys((*SCHEDULE, "auth.User", "auth.Group"), EVERYTHING)
    | {
        "axes.AccessAttempt": LOOK | {"delete"},
        "campaigns.ApiKey": LOOK | {"add"},
        "campaigns.Endpoint": EVERYTHING,
        "campaigns.Delivery": LOOK,
        "campaigns.AlertRule": EVERYTHING,
        "campaigns.AlertEmail": LOOK,
    },
}

CHANGES = {
    BRAND_MANAGERS: {"campaigns.Brand", "campaigns.Campaign"},
    CAMPAIGN_MANAGERS: {"campaigns.Brand", "campaigns.Campaign", *PLATFORMS},
    OPERATORS: {*PLATFORMS},
    "all permissions": {"campaigns.Brand", "campaigns.Campaign", "campaigns.FileFormat", *PLATFORMS},
    "superuser": {
        *("campaigns.Brand", "campaigns.Campaign", "campaigns.FileFormat", "campaigns.Endpoint", *PLATFORMS),
        "campaigns.AlertRule",
        *("auth.User", "auth.Group", *SCHEDULE),
    },
}


def make_person(who: str) -> User:
    person = User.objects.create(username=who, is_staff=True, is_superuser=who == "superuser")
    if who in GROUPS:
        person.groups.add(Group.objects.get(name=who))
    if who in (BRAND_MANAGERS, BRAND_VIEWERS):
        BrandAssignment.objects.bulk_create(BrandAssignment(user=person, brand=brand) for brand in Brand.objects.all())
    if who == "all permissions":
        person.user_permissions.set(Permission.objects.exclude(codename="only_assigned_brands"))
    return person


class EveryPage(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        make_a_row_of_each()

    def test_each_opens_exactly_their_pages_and_is_refused_the_others(self) -> None:
        for who, may in MAY_OPEN.items():
            self.client.force_login(make_person(who))
            for model in every_model():
                answers = {name: self.client.get(url).status_code for name, url in every_page(model)}
                pages = may.get(model._meta.label, set())
                expected = {name: 200 if name in pages else 403 for name in answers}
                if "history" in pages and isinstance(admin.site.get_model_admin(model), ReadOnlyAdmin):
                    expected["history"] = 302  # to the row's page
                self.assertEqual(answers, expected, (who, model._meta.label))

    def test_each_posts_to_exactly_the_forms_that_they_may_change(self) -> None:
        for who in MAY_OPEN:
            self.client.force_login(make_person(who))
            for model in every_model():
                label, row = model._meta.label, first_row(model)
                may = MAY_OPEN[who].get(label, set())
                for name, allowed in (
                    ("add", "add" in may),
                    ("delete", "delete" in may),
                    ("change", label in CHANGES.get(who, ())),
                ):
                    url = page(model, name) if name == "add" else page(model, name, row.pk)
                    # An empty form changes nothing: where it is allowed, it is shown again.
                    status = self.client.post(url, {}).status_code
                    self.assertEqual(status != 403, allowed, (who, label, name, status))

    def test_who_is_not_of_the_staff_opens_nothing(self) -> None:
        customer = User.objects.create(username="customer")
        customer.user_permissions.set(Permission.objects.exclude(codename="only_assigned_brands"))
        for person in (None, customer):
            self.client.logout()
            if person:
                self.client.force_login(person)
            for model in every_model():
                for _, url in every_page(model):
                    self.assertRedirects(self.client.get(url), f"/admin/login/?next={url}", target_status_code=200)

    def test_names_are_offered_to_who_may_look_only(self) -> None:
        query = {"app_label": "campaigns", "model_name": "campaign", "field_name": "brand", "term": ""}
        for who, status in (("nobody", 403), (VIEWERS, 200), (CAMPAIGN_MANAGERS, 200), (OPERATORS, 200)):
            self.client.force_login(make_person(who))
            self.assertEqual(self.client.get(reverse("admin:autocomplete"), query).status_code, status, who)


class Actions(TestCase):
    """An action is a form that is posted to a list, so each is tried whether it is offered or not."""

    def act(self, who: str, action: str, row: Any, **data: str) -> None:
        if not User.objects.filter(username=who).exists():
            make_person(who)
        self.client.force_login(User.objects.get(username=who))
        url = page(type(row), "changelist")
        confirm(self.client, self.client.post(url, {"action": action, "_selected_action": [str(row.pk)], **data}))

    def test_managers_switch_brands_and_campaigns_and_others_do_not(self) -> None:
        for who in ("nobody", VIEWERS, OPERATORS, CAMPAIGN_MANAGERS):
            campaign = make_campaign()
            for row in (campaign, campaign.brand):
                self.act(who, "switch_off", row)
                row.refresh_from_db()
                self.assertEqual(row.enabled, who != CAMPAIGN_MANAGERS, who)

    def test_managers_delete_campaigns_only(self) -> None:
        for who in ("nobody", VIEWERS, OPERATORS, CAMPAIGN_MANAGERS):
            campaign, brand = make_campaign(), make_brand()
            for row in (campaign, brand):
                self.act(who, "delete_selected", row, post="yes")
            self.assertEqual(Campaign.objects.filter(pk=campaign.pk).exists(), who != CAMPAIGN_MANAGERS, who)
            self.assertTrue(Brand.objects.filter(pk=brand.pk).exists(), who)

    def test_superusers_only_switch_or_run_or_delete_periodic_tasks(self) -> None:
        task = PeriodicTask.objects.get(name="Check budgets")
        for who in (OPERATORS, "all permissions", "superuser"):
            PeriodicTask.objects.filter(pk=task.pk).update(enabled=True)
            for action in ("disable_tasks", "toggle_tasks", "run_tasks", "delete_selected"):
                if who != "superuser":
                    self.act(who, action, task, post="yes")
            if who == "superuser":
                self.act(who, "disable_tasks", task)
            task.refresh_from_db()
            self.assertEqual(task.enabled, who != "superuser", who)
        self.act("superuser", "delete_selected", task, post="yes")
        self.assertFalse(PeriodicTask.objects.filter(pk=task.pk).exists())

    def test_nobody_offers_others_the_actions_of_periodic_tasks(self) -> None:
        address = page(PeriodicTask, "changelist")
        for who, offered in ((OPERATORS, False), ("all permissions", False), ("superuser", True)):
            self.client.force_login(make_person(who))
            self.assertEqual('value="run_tasks"' in self.client.get(address).content.decode(), offered, who)

    def test_nobody_deletes_spend_or_history(self) -> None:
        make_a_row_of_each()
        for who in (*GROUPS, "all permissions", "superuser"):
            for model in (SpendRecord, StatusChange):
                self.act(who, "delete_selected", first_row(model), post="yes")
                self.assertEqual(model._base_manager.count(), 1, (who, model))


class ManagersWork(FormTestCase):
    """What campaign managers are for, through the forms."""

    def setUp(self) -> None:
        self.client.force_login(make_person(CAMPAIGN_MANAGERS))

    def test_they_make_a_brand_and_a_campaign_with_a_schedule(self) -> None:
        form = self.new_form(Brand) | {"name": "Alpine", "daily_budget": "100"}
        self.assertEqual(self.client.post(page(Brand, "add"), form).status_code, 302)
        form = self.new_form(Campaign) | {"name": "Search", "brand": str(Brand.objects.get().pk)}
        add_window(form, [1, 2], "08:00", "18:00")
        self.assertEqual(self.client.post(page(Campaign, "add"), form).status_code, 302)
        self.assertEqual(Campaign.objects.get().brand.daily_budget, 100)
        self.assertEqual(DaypartingSchedule.objects.get().days_of_week, 3)

    def test_they_change_budgets_and_delete_windows(self) -> None:
        campaign = make_campaign()
        make_window(campaign)
        self.save(campaign.brand, self.form(campaign.brand) | {"monthly_budget": "5"})
        self.save(campaign, self.form(campaign) | {"windows-0-DELETE": "on"})
        campaign.refresh_from_db()
        self.assertEqual((campaign.brand.monthly_budget, campaign.windows.count()), (5, 0))


class OnlySuperusers(TestCase):
    def test_nobody_else_changes_a_password_or_makes_a_superuser(self) -> None:
        root = User.objects.create_superuser("root", password="as it was")
        person = make_person("all permissions")
        self.client.force_login(person)
        passwords = reverse("admin:auth_user_password_change", args=[root.pk])
        entered = {"password1": "quite another 1", "password2": "quite another 1", "usable_password": "true"}
        self.assertEqual(self.client.post(passwords, entered).status_code, 403)
        himself = {"username": person.username, "is_staff": "on", "is_active": "on", "is_superuser": "on"}
        self.assertEqual(self.client.post(page(User, "change", person.pk), himself).status_code, 403)
        root.refresh_from_db()
        person.refresh_from_db()
        self.assertTrue(root.check_password("as it was"))
        self.assertFalse(person.is_superuser)

    def test_superusers_plan_tasks(self) -> None:
        self.client.force_login(make_person("superuser"))
        task = PeriodicTask.objects.get(name="Check budgets")
        url = page(PeriodicTask, "change", task.pk)
        form = open_form(self.client, url, "periodictask_form")
        midnight = CrontabSchedule.objects.get(minute="0", hour="0", day_of_month="*")
        entered = form | {"crontab": str(midnight.pk), "args": "[]", "kwargs": "{}"}
        self.assertEqual(self.client.post(url, entered).status_code, 302)
        task.refresh_from_db()
        self.assertEqual(task.crontab, midnight)


class AfterMigrate(TestCase):
    def migrate(self) -> None:
        call_command("migrate", verbosity=0)

    def permissions(self, name: str) -> set[str]:
        of_group = Permission.objects.filter(group__name=name)
        return {f"{app}.{code}" for app, code in of_group.values_list("content_type__app_label", "codename")}

    def test_all_three_are_there_with_their_permissions(self) -> None:
        self.assertEqual(set(Group.objects.values_list("name", flat=True)), set(GROUPS))
        for name, permissions in GROUPS.items():
            self.assertEqual(self.permissions(name), permissions)

    def test_what_a_superuser_changed_stays(self) -> None:
        Group.objects.get(name=VIEWERS).permissions.clear()
        Group.objects.get(name=OPERATORS).permissions.add(Permission.objects.get(codename="change_brand"))
        self.migrate()
        self.assertEqual(self.permissions(VIEWERS), set())
        self.assertEqual(self.permissions(OPERATORS), GROUPS[OPERATORS] | {"campaigns.change_brand"})

    def test_one_that_is_missing_comes_back(self) -> None:
        Group.objects.all().delete()
        self.migrate()
        self.assertEqual({name: self.permissions(name) for name in GROUPS}, GROUPS)

    def test_it_gives_nobody_the_right_to_change_the_schedule_users_or_records(self) -> None:
        given = set().union(*GROUPS.values())
        self.assertEqual(
            {name for name in given if ".view_" not in name},
            {"campaigns.add_brand", "campaigns.change_brand", "campaigns.only_assigned_brands"}
            | {"campaigns.add_spendupload"}
            | {f"campaigns.change_{name}" for name in ("platformaccount", "campaignlink", "spendtotal", "alert")}
            | {f"campaigns.{what}_campaign" for what in ("add", "change", "delete")},
        )
