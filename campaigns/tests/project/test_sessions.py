"""Sessions: nobody gets into one that somebody else knows, and one that has ended stays ended."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client, TestCase
from django.urls import reverse

from campaigns.tests.support.browser import open_form

LOGIN = reverse("admin:login")
HOME = reverse("admin:index")
PASSWORD = "the first of her passwords"
OTHER = "the second of her passwords"


class Sessions(TestCase):
    def setUp(self) -> None:
        self.user = User.objects.create_superuser("amara", password=PASSWORD)

    def browser(self, key: str = "") -> Client:
        """Return a browser of its own, maybe with a session's key that it was given."""
        client = Client(enforce_csrf_checks=True)
        if key:
            client.cookies[settings.SESSION_COOKIE_NAME] = key
        return client

    def sign_in(self, client: Client, password: str = PASSWORD) -> Any:
        form = open_form(client, LOGIN, "login-form")
        return client.post(LOGIN, form | {"username": "amara", "password": password})

    def signed_in(self) -> Client:
        client = self.browser()
        self.assertRedirects(self.sign_in(client), HOME, fetch_redirect_response=False)
        return client

    def key(self, client: Client) -> str:
        cookie = client.cookies.get(settings.SESSION_COOKIE_NAME)
        return cookie.value if cookie else ""

    def is_in(self, client: Client) -> bool:
        return client.get(HOME).status_code == 200

    def post(self, client: Client, address: str, **values: str) -> Any:
        return client.post(address, values | {"csrfmiddlewaretoken": client.cookies["csrftoken"].value})

    def test_a_visitor_gets_a_session_by_signing_in_only(self) -> None:
        client = self.browser()
        client.get(LOGIN)
        self.sign_in(client, "wrong")
        self.assertEqual((self.key(client), Session.objects.count()), ("", 0))

    def test_signing_in_takes_no_key_that_a_stranger_chose(self) -> None:
        chosen = "a" * 32
        victim = self.browser(chosen)
        self.sign_in(victim)
        self.assertTrue(self.is_in(victim))
        self.assertNotEqual(self.key(victim), chosen)
        self.assertFalse(self.is_in(self.browser(chosen)))

    def test_signing_in_leaves_a_session_that_a_stranger_knows(self) -> None:
        """A stranger has a session without a user made, and its key planted in the victim's browser."""
        planted = self.client.session
        planted["planted"] = "yes"
        planted.save()
        known = str(planted.session_key)
        victim = self.browser(known)
        self.sign_in(victim)
        self.assertNotEqual(self.key(victim), known)
        self.assertFalse(self.is_in(self.browser(known)))
        self.assertFalse(Session.objects.filter(pk=known).exists())

    def test_signing_in_as_another_takes_nothing_along(self) -> None:
        """On a browser that two people share, the second finds nothing of the first one's session."""
        User.objects.create_superuser("bela", password=PASSWORD)
        client = self.signed_in()
        session = client.session
        session["of the first"] = "yes"
        session.save()
        before = self.key(client)
        self.post(client, LOGIN, username="bela", password=PASSWORD)
        self.assertEqual(client.get(HOME).context["user"].username, "bela")
        self.assertNotEqual(self.key(client), before)
        self.assertNotIn("of the first", client.session)

    def test_signing_out_ends_the_session_and_needs_a_form(self) -> None:
        client = self.signed_in()
        key = self.key(client)
        self.assertEqual(client.get(reverse("admin:logout")).status_code, 405)
        self.assertTrue(self.is_in(client))
        self.post(client, reverse("admin:logout"))
        self.assertFalse(self.is_in(client))
        self.assertFalse(self.is_in(self.browser(key)), "The cookie that a stranger has copied is worth nothing.")
        self.assertEqual(Session.objects.count(), 0)

    def test_a_new_password_ends_all_other_sessions(self) -> None:
        here, elsewhere = self.signed_in(), self.signed_in()
        before = self.key(here)
        page = reverse("admin:password_change")
        passwords = {"old_password": PASSWORD, "new_password1": OTHER, "new_password2": OTHER}
        response = self.post(here, page, **passwords)
        self.assertRedirects(response, reverse("admin:password_change_done"), fetch_redirect_response=False)
        self.assertTrue(self.is_in(here))
        self.assertNotEqual(self.key(here), before)
        self.assertFalse(self.is_in(elsewhere))
        self.assertFalse(self.is_in(self.browser(before)))

    def test_a_password_that_a_superuser_sets_ends_all_sessions(self) -> None:
        boss = User.objects.create_superuser("bela", password=PASSWORD)
        client = self.signed_in()
        self.client.force_login(boss)
        page = reverse("admin:auth_user_password_change", args=[self.user.pk])
        form = open_form(self.client, page, "user_form")
        self.client.post(page, form | {"password1": OTHER, "password2": OTHER, "usable_password": "true"})
        self.assertFalse(self.is_in(client))

    def test_who_may_no_longer_sign_in_is_out_at_once(self) -> None:
        client = self.signed_in()
        User.objects.filter(pk=self.user.pk).update(is_active=False)
        self.assertFalse(self.is_in(client))

    def test_the_cookie_is_for_this_site_only_and_no_script_reads_it(self) -> None:
        with self.settings(SESSION_COOKIE_SECURE=True, CSRF_COOKIE_SECURE=True):
            client = self.signed_in()
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        flags = {name: cookie[name] for name in ("httponly", "secure", "samesite", "path", "domain", "max-age")}
        right = {
            "httponly": True,
            "secure": True,
            "samesite": "Lax",
            "path": "/",
            "domain": "",
            "max-age": 12 * 60 * 60,
        }
        self.assertEqual(flags, right)
        self.assertEqual(
            (client.cookies["csrftoken"]["secure"], client.cookies["csrftoken"]["samesite"]), (True, "Lax")
        )
