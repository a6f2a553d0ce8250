"""Django's own sentences in our words, and what is said after a user is added."""

from __future__ import annotations

import re
from pathlib import Path

from django.apps import apps
from django.contrib.auth.models import Group, User
from django.utils.translation import gettext

from campaigns.services.groups import BRAND_MANAGERS, VIEWERS
from campaigns.tests.support.browser import AdminTestCase, open_form
from campaigns.tests.support.factories import make_brand
from campaigns.tests.support.pages import page


class WordsOfDjango(AdminTestCase):
    def test_adding_saving_and_deleting_are_said_shortly(self) -> None:
        added = self.client.post(page(Group, "add"), {"name": "Auditors"}, follow=True)
        self.assertContains(added, "Added group “<a")
        group = Group.objects.get(name="Auditors")
        saved = self.client.post(page(Group, "change", group.pk), {"name": "Editors"}, follow=True)
        self.assertContains(saved, "Saved group “<a")
        deleted = self.client.post(page(Group, "delete", group.pk), {"post": "yes"}, follow=True)
        self.assertContains(deleted, "Deleted group “Editors”.")
        for answer in (added, saved, deleted):
            self.assertNotContains(answer, "successfully")

    def test_the_page_of_users_and_groups_is_named_by_what_it_has(self) -> None:
        answer = self.client.get("/admin/auth/")
        self.assertContains(answer, "Users and groups")
        self.assertNotContains(answer, "Authentication")

    def test_the_compiled_file_has_every_sentence_of_its_source(self) -> None:
        source = Path(apps.get_app_config("campaigns").path) / "locale/en/LC_MESSAGES/django.po"
        pairs = re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', source.read_text(encoding="utf-8"), re.MULTILINE)
        self.assertGreater(len(pairs), 5)
        self.assertEqual([(theirs, gettext(theirs)) for theirs, _ in pairs], pairs)


class NewUserMessage(AdminTestCase):
    def add(self, role: str, *brands: int) -> str:
        url = page(User, "add")
        entered = {"username": "zofia", "password1": "quite another 1", "password2": "quite another 1"}
        entered["role"] = str(Group.objects.get(name=role).pk) if role else ""
        answer = self.client.post(
            url, open_form(self.client, url, "user_form") | entered | {"brands": brands}, follow=True
        )
        self.assertTrue(User.objects.filter(username="zofia").exists())
        return answer.content.decode()

    def test_it_says_the_role_and_the_brands(self) -> None:
        html = self.add(BRAND_MANAGERS, make_brand(name="Alpine").pk, make_brand(name="Blue").pk)
        self.assertIn("Role: Brand managers. Brands: Alpine, Blue.", html)
        self.assertNotIn("see any brand yet", html)

    def test_it_warns_of_a_role_that_needs_brands_without_any(self) -> None:
        html = self.add(BRAND_MANAGERS)
        self.assertIn("Role: Brand managers. Brands: none.", html)
        self.assertIn("see any brand yet: choose brands for this role.", html)

    def test_other_roles_see_all_brands(self) -> None:
        html = self.add(VIEWERS)
        self.assertIn("Role: Viewers. Brands: all.", html)
        self.assertNotIn("see any brand yet", html)

    def test_without_a_role_nothing_can_be_seen(self) -> None:
        self.assertIn("Role: none. The user can&#x27;t see anything yet: choose a role.", self.add(""))
