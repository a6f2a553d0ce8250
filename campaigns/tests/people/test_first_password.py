"""A password that an administrator has set is changed at the first sign-in, before anything else."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from campaigns.models import PasswordToChange
from campaigns.services.groups import VIEWERS
from campaigns.tests.people.test_people import PASSWORD, role
from campaigns.tests.support.browser import AdminTestCase, open_form
from campaigns.tests.support.factories import make_brand, recorded_changes
from campaigns.tests.support.pages import page

HOME, CHANGE = reverse("admin:index"), reverse("admin:password_change")
OWN = "snowdrops in march"


class FirstPassword(AdminTestCase):
    def add(self) -> User:
        form = open_form(self.client, page(User, "add"), "user_form")
        passwords = {"password1": PASSWORD, "password2": PASSWORD}
        entered = {"username": "zofia", "role": str(role(VIEWERS).pk)} | passwords
        self.client.post(page(User, "add"), form | entered)
        return User.objects.get(username="zofia")

    def sign_in(self, password: str) -> Client:
        client = Client()
        client.post(reverse("admin:login"), {"username": "zofia", "password": password, "next": HOME})
        return client

    def choose(self, client: Client, old: str) -> Any:
        return client.post(CHANGE, {"old_password": old, "new_password1": OWN, "new_password2": OWN})

    def test_a_new_user_comes_to_all_pages_after_choosing_a_password(self) -> None:
        self.add()
        client = self.sign_in(PASSWORD)
        for address in (HOME, reverse("admin:campaigns_brand_changelist"), page(User, "changelist")):
            self.assertRedirects(client.get(address), CHANGE, fetch_redirect_response=False)
        self.assertContains(client.get(CHANGE), "An administrator has set your password.")
        self.assertEqual(self.choose(client, "wrong").status_code, 200)
        self.assertRedirects(client.get(HOME), CHANGE)
        self.assertRedirects(self.choose(client, PASSWORD), reverse("admin:password_change_done"))
        self.assertEqual(client.get(HOME).status_code, 200)
        self.assertEqual(self.sign_in(OWN).get(HOME).status_code, 200)

    def test_signing_out_and_in_again_does_not_help(self) -> None:
        self.add()
        client = self.sign_in(PASSWORD)
        self.assertEqual(client.post(reverse("admin:logout")).status_code, 200)
        self.assertRedirects(self.sign_in(PASSWORD).get(HOME), CHANGE)

    def test_so_does_a_password_that_was_set_for_a_user_who_is_there(self) -> None:
        zofia = self.add()
        self.choose(self.sign_in(PASSWORD), PASSWORD)
        address = reverse("admin:auth_user_password_change", args=[zofia.pk])
        self.client.post(address, {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"})
        self.assertRedirects(self.sign_in(PASSWORD).get(HOME), CHANGE)

    def test_ones_own_password_is_ones_own(self) -> None:
        own = reverse("admin:auth_user_password_change", args=[self.user.pk])
        self.client.post(own, {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"})
        self.assertFalse(PasswordToChange.objects.exists())
        self.assertEqual(self.client.get(HOME).status_code, 200)

    def test_a_page_asks_the_database_nothing_for_it(self) -> None:
        with self.assertNumQueries(0):
            Client().get(reverse("admin:login"))


class DeletedOwners(AdminTestCase):
    def test_brands_of_a_deleted_user_keep_in_their_history_who_owned_them(self) -> None:
        people = [User.objects.create(username=name, is_staff=True) for name in ("zofia", "tomas", "nadia")]
        brands = [make_brand(name=f"Brand of {person}", owner=person) for person in people]
        self.client.post(page(User, "delete", people[0].pk), {"post": "yes"})
        chosen = {"action": "delete_selected", "_selected_action": [person.pk for person in people[1:]], "post": "yes"}
        self.client.post(page(User, "changelist"), chosen)
        self.assertEqual(User.objects.filter(is_superuser=False).count(), 0)
        for brand, person in zip(brands, people, strict=True):
            expected = [f"{brand.name}: owner, {person.username} → none"]
            self.assertEqual(recorded_changes(brand=brand.pk, actor="amara"), expected)
