"""Making and revoking keys: in the admin, where a key is shown once, and by the command."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from campaigns.models import ApiKey, JobRun
from campaigns.services.api_keys import FORM, create_key
from campaigns.services.jobs.schedule import CHECK
from campaigns.tests.api.requests import SPEND, post, spend_row
from campaigns.tests.support.factories import make_brand, make_campaign

LIST, ADD = "admin:campaigns_apikey_changelist", "admin:campaigns_apikey_add"
KEY = re.compile(FORM.pattern)


class InTheAdmin(TestCase):
    def setUp(self) -> None:
        self.person = User.objects.create_superuser("zofia")
        self.client.force_login(self.person)

    def add(self, **fields: Any) -> Any:
        return self.client.post(reverse(ADD), {"name": "Airbyte", "scopes": ["spend:write"], "expires": ""} | fields)

    def test_a_key_is_shown_once_and_works(self) -> None:
        campaign = make_campaign()
        response = self.add(brands=[campaign.brand.pk], expires="30")
        found = KEY.search(response.content.decode())
        assert found
        self.assertIn("no-store", response["Cache-Control"])
        self.assertEqual(post(SPEND, [spend_row(campaign.pk)], found[0]).status_code, 200)
        row = ApiKey.objects.get()
        self.assertEqual((row.created_by, row.scopes, row.all_brands), ("zofia", "spend:write", False))
        assert row.expires_at
        self.assertEqual((row.expires_at - row.created_at).days in (29, 30), True)
        for page in (reverse(LIST), reverse("admin:campaigns_apikey_change", args=[row.pk])):
            content = self.client.get(page).content.decode()
            self.assertIn(f"bm_{row.public_id}_…", content)
            self.assertNotIn(found[2], content)
            self.assertNotIn(row.secret_sha256, content)
        (entry,) = LogEntry.objects.all()
        self.assertEqual((entry.object_id, entry.object_repr, entry.is_addition()), (str(row.pk), "Airbyte", True))
        self.assertNotIn(found[2], str(LogEntry.objects.values()) + str(dict(self.client.session)))

    def test_no_brand_means_all(self) -> None:
        make_brand()
        self.assertEqual(self.add().status_code, 200)
        self.assertTrue(ApiKey.objects.get().all_brands)

    def test_what_is_missing_or_unknown_is_said(self) -> None:
        for fields, sentence in (
            ({"name": ""}, "This field is required"),
            ({"name": "a" * 61}, "at most 60 characters"),
            ({"scopes": []}, "This field is required"),
            ({"scopes": ["all"]}, "not one of the available choices"),
            ({"expires": "1"}, "not one of the available choices"),
            ({"brands": ["x"]}, "not a valid value"),
        ):
            with self.subTest(fields):
                self.assertContains(self.add(**fields), sentence)
        self.assertEqual(ApiKey.objects.count(), 0)

    def test_revoking_is_asked_for_done_and_logged(self) -> None:
        row, key = create_key("Airbyte", ["spend:write"], created_by="manage.py create_api_key")
        page = self.client.get(reverse("admin:campaigns_apikey_change", args=[row.pk]))
        revoke = reverse("admin:campaigns_apikey_revoke", args=[row.pk])
        self.assertContains(page, revoke)
        self.assertContains(page, "create_api_key (command)")
        self.assertContains(self.client.get(revoke), "refused from now on")
        self.assertEqual(post(SPEND, [], key).status_code, 200)
        after = self.client.post(revoke, follow=True)
        self.assertContains(after, "Airbyte is revoked.")
        self.assertNotContains(after, revoke)
        self.assertEqual(post(SPEND, [], key).status_code, 401)
        self.assertContains(self.client.post(revoke, follow=True), "was revoked already")
        (entry,) = LogEntry.objects.all()
        self.assertEqual((entry.object_id, entry.get_change_message()), (str(row.pk), "Changed Revoked."))
        self.assertEqual(self.client.get(reverse("admin:campaigns_apikey_revoke", args=[10**6])).status_code, 302)

    def test_nobody_else_sees_or_makes_keys(self) -> None:
        row, _ = create_key("Airbyte", ["spend:write"], created_by="zofia")
        person = User.objects.create_user("amara", is_staff=True)
        person.user_permissions.set(Permission.objects.filter(content_type__app_label="campaigns"))
        self.client.force_login(person)
        change = reverse("admin:campaigns_apikey_change", args=[row.pk])
        revoke = reverse("admin:campaigns_apikey_revoke", args=[row.pk])
        for page in (reverse(LIST), reverse(ADD), change, revoke):
            self.assertEqual(self.client.get(page).status_code, 403, page)
            self.assertEqual(self.client.post(page, {}).status_code, 403, page)
        self.assertNotContains(self.client.get(reverse("admin:index")), reverse(LIST))
        row.refresh_from_db()
        self.assertIsNone(row.revoked_at)

    def test_the_list_takes_the_same_queries_for_many_keys(self) -> None:
        brand = make_brand()
        create_key("Airbyte", ["spend:write"], brands=[brand.pk], created_by="zofia")
        # Without a check that has succeeded, their number depends on the age of the test database.
        JobRun.objects.create(name=CHECK.run_name, started_at=timezone.now(), succeeded_at=timezone.now())
        self.client.get(reverse(LIST))
        with self.assertNumQueries(8):
            self.client.get(reverse(LIST))
        for number in range(20):
            create_key(f"dlt {number}", ["spend:write"], brands=[brand.pk], created_by="zofia")
        with self.assertNumQueries(8):
            self.client.get(reverse(LIST))


class ByCommand(TestCase):
    def run_command(self, *arguments: str) -> str:
        out = StringIO()
        call_command("create_api_key", *arguments, stdout=out)
        return out.getvalue().strip()

    def test_it_prints_the_key_alone(self) -> None:
        campaign = make_campaign()
        key = self.run_command(
            *("Airbyte", "--scopes", "spend:write,status:read", "--brand", str(campaign.brand.pk), "--expires", "7")
        )
        self.assertTrue(FORM.fullmatch(key))
        self.assertEqual(post(SPEND, [spend_row(campaign.pk)], key).status_code, 200)
        row = ApiKey.objects.get()
        self.assertEqual((row.scopes, row.created_by), ("spend:write status:read", "manage.py create_api_key"))
        self.assertEqual([each.brand for each in row.given_brands.all()], [campaign.brand])

    def test_it_says_what_is_wrong(self) -> None:
        for arguments, sentence in (
            (("Airbyte", "--scopes", "all"), "Unknown scope “all”"),
            (("Airbyte", "--scopes", ","), "A key needs a scope"),
            ((" ", "--scopes", "spend:write"), "1 to 60 characters"),
            (("Airbyte", "--scopes", "spend:write", "--brand", "17"), "no brand with ID 17"),
            (("Airbyte", "--scopes", "spend:write", "--brand", str(2**63)), "no brand with ID"),
            (("Airbyte", "--scopes", "spend:write", "--expires", "0"), "isn't a number of days"),
        ):
            with self.subTest(arguments), self.assertRaisesMessage(CommandError, sentence):
                self.run_command(*arguments)
        self.assertEqual(ApiKey.objects.count(), 0)
