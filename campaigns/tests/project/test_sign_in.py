"""Sign-ins are throttled: who guesses passwords is slowed down, and nobody else is kept out."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import time_machine
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client, RequestFactory, SimpleTestCase, TestCase, override_settings
from django.urls import reverse

from budget_manager.sign_in import client_address
from campaigns.tests.support.browser import open_form
from campaigns.tests.support.factories import utc

NOON = utc("2026-11-20 12:00")
LOGIN = "/admin/login/"
LIMIT = 5


class Throttling(TestCase):
    def setUp(self) -> None:
        for name in ("amara", "bela"):
            User.objects.create_superuser(name, password=f"right for {name}")

    def sign_in(self, name: str, password: str, address: str = "192.0.2.1", agent: str = "a browser") -> Any:
        """Post the sign-in form as a browser that was never here before."""
        client = Client(enforce_csrf_checks=True, REMOTE_ADDR=address, headers={"user-agent": agent})
        form = open_form(client, LOGIN, "login-form")
        return client.post(LOGIN, form | {"username": name, "password": password})

    def guess(self, name: str, times: int, **where: str) -> Any:
        """Fail so many times; return the last answer."""
        return [self.sign_in(name, "wrong", **where) for _ in range(times)][-1]

    def assert_signs_in(self, name: str, **where: str) -> None:
        response = self.sign_in(name, f"right for {name}", **where)
        self.assertRedirects(response, reverse("admin:index"), fetch_redirect_response=False)

    def assert_locked(self, name: str, **where: str) -> None:
        """Assert that the right password doesn't help."""
        self.assertEqual(self.sign_in(name, f"right for {name}", **where).status_code, 429)

    def test_it_locks_a_name_at_its_fifth_failure(self) -> None:
        self.assertEqual(self.guess("amara", LIMIT - 1).status_code, 200)
        self.assertEqual(self.guess("amara", 1).status_code, 429)
        self.assert_locked("amara")

    def test_it_leaves_others_at_the_same_address_in(self) -> None:
        self.guess("amara", LIMIT)
        self.assert_signs_in("bela")

    def test_it_leaves_the_same_person_in_from_elsewhere(self) -> None:
        self.guess("amara", LIMIT, address="198.51.100.7")
        self.assert_signs_in("amara", address="192.0.2.1")

    def test_another_browser_does_not_help(self) -> None:
        for number in range(LIMIT):
            self.guess("amara", 1, agent=f"browser {number}")
        self.assert_locked("amara", agent="yet another")

    def test_a_success_resets_the_count(self) -> None:
        self.guess("amara", LIMIT - 1)
        self.assert_signs_in("amara")
        self.guess("amara", LIMIT - 1)
        self.assert_signs_in("amara")

    def test_a_lock_ends_after_fifteen_minutes(self) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            self.guess("amara", LIMIT)
            clock.shift(timedelta(minutes=15))
            self.assert_locked("amara")
            clock.shift(timedelta(microseconds=1))
            self.assert_signs_in("amara")

    def test_trying_on_does_not_prolong_a_lock(self) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            self.guess("amara", LIMIT)
            clock.shift(timedelta(minutes=14))
            self.guess("amara", LIMIT)
            clock.shift(timedelta(minutes=2))
            self.assert_signs_in("amara")

    def test_it_says_until_when_and_who_can_help(self) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            self.guess("amara", LIMIT)
            clock.shift(timedelta(minutes=5, seconds=10))
            response = self.sign_in("amara", "right for amara")
        self.assertContains(response, "Too many failed attempts to sign in as “amara”.", status_code=429)
        self.assertContains(response, "Try again in 10 minutes, after 12:15 UTC.", status_code=429)
        self.assertContains(response, "manage.py axes_reset_username NAME", status_code=429)
        self.assertEqual(response["Retry-After"], "590")

    def test_it_does_not_tell_which_names_there_are(self) -> None:
        there, not_there = self.guess("amara", LIMIT), self.guess("nobody", LIMIT)
        for response in (there, not_there):
            self.assertEqual(response.status_code, 429)
        self.assertEqual(there.content.decode().replace("amara", ""), not_there.content.decode().replace("nobody", ""))

    def test_ops_unlock_a_name(self) -> None:
        self.guess("amara", LIMIT)
        call_command("axes_reset_username", "amara", stdout=StringIO())
        self.assert_signs_in("amara")

    def test_a_superuser_unlocks_a_name_in_the_admin(self) -> None:
        self.guess("amara", LIMIT)
        self.client.force_login(User.objects.get(username="bela"))
        page = reverse("admin:axes_accessattempt_changelist")
        self.assertContains(self.client.get(page), "Failed sign-ins")
        chosen = [str(attempt.pk) for attempt in AccessAttempt.objects.all()]
        self.client.post(page, {"action": "delete_selected", "_selected_action": chosen, "post": "yes"})
        self.assert_signs_in("amara")

    def test_no_password_is_kept(self) -> None:
        self.sign_in("amara", "a mistyped secret")
        self.assertNotIn("mistyped", str(AccessAttempt.objects.values()))

    def test_names_of_any_kind_are_counted(self) -> None:
        for name in ("n" * 5000, "Ａmara", "a\nb", "\0", "", "名前"):
            with self.subTest(name[:10]):
                self.assertIn(self.guess(name, LIMIT).status_code, (200, 429))
        self.assert_signs_in("amara", address="192.0.2.9")

    def test_the_log_names_who_failed_on_one_line(self) -> None:
        with self.assertLogs("axes", "WARNING") as logged:
            self.guess("eve\nroot", 1)
        self.assertIn("'eve\\nroot' from 192.0.2.1", logged.output[0])
        self.assertEqual(len(logged.output[0].splitlines()), 1)


class Addresses(SimpleTestCase):
    """Whose failures count together."""

    def address(self, peer: str, forwarded: str | None = None) -> str | None:
        headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
        return client_address(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers))

    @override_settings(BEHIND_PROXY=False)
    def test_without_a_proxy_nobody_chooses_an_address(self) -> None:
        self.assertEqual(self.address("192.0.2.1", "203.0.113.9"), "192.0.2.1")

    @override_settings(BEHIND_PROXY=True)
    def test_behind_a_proxy_only_what_the_proxy_appended_counts(self) -> None:
        self.assertEqual(self.address("10.0.0.1", "192.0.2.1"), "192.0.2.1")
        self.assertEqual(self.address("10.0.0.1", "203.0.113.9, 198.51.100.7, 192.0.2.1"), "192.0.2.1")
        self.assertEqual(self.address("10.0.0.1", "192.0.2.1:4711"), "192.0.2.1")
        self.assertEqual(self.address("10.0.0.1", "[2001:db8:1:2::7]:4711"), "2001:db8:1:2::")

    @override_settings(BEHIND_PROXY=True)
    def test_behind_a_proxy_that_appends_none_the_proxy_itself_counts(self) -> None:
        for forwarded in (None, "", "203.0.113.9, unknown", "203.0.113.9,"):
            self.assertEqual(self.address("10.0.0.1", forwarded), "10.0.0.1", forwarded)

    def test_one_subscriber_is_one_address(self) -> None:
        self.assertEqual(self.address("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::")
        self.assertEqual(self.address("2001:db8:1:2:ffff::1"), "2001:db8:1:2::")
        self.assertEqual(self.address("2001:db8:1:3::1"), "2001:db8:1:3::")
        self.assertEqual(self.address("::ffff:192.0.2.1"), "192.0.2.1")

    def test_a_unix_socket_knows_no_address(self) -> None:
        self.assertIsNone(self.address(""))


class WithoutAnAddress(Throttling):
    """The same, where the server is reached by a Unix socket: then all addresses are one."""

    def sign_in(self, name: str, password: str, address: str = "", agent: str = "a browser") -> Any:
        return super().sign_in(name, password, "", agent)

    def test_it_leaves_the_same_person_in_from_elsewhere(self) -> None:
        self.guess("amara", LIMIT, address="198.51.100.7")
        self.assert_locked("amara", address="192.0.2.1")

    def test_the_log_names_who_failed_on_one_line(self) -> None:
        with self.assertLogs("axes", "WARNING") as logged:
            self.guess("eve\nroot", 1)
        self.assertIn("'eve\\nroot' from an unknown address", logged.output[0])
