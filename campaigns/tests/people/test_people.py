"""Users on one form, invitations and forgotten passwords, by a real mail server on this machine."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.test import Client, SimpleTestCase, TestCase
from django.urls import reverse

from campaigns.models import BrandAssignment, PasswordRequest
from campaigns.services.groups import BRAND_MANAGERS, CAMPAIGN_MANAGERS
from campaigns.services.people.password_links import MAX_OF_ADDRESS, MAX_OF_EMAIL
from campaigns.tests.people.mail_server import MailServer
from campaigns.tests.support.browser import AdminTestCase, ShownForm, open_form
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import make_brand
from campaigns.tests.support.pages import page

PASSWORD = "tulips in november"
LINK = re.compile(r"http://testserver(/admin/password/set/\S+)")
FORGOTTEN = "/admin/password/forgotten/"


def role(name: str) -> Group:
    return Group.objects.get(name=name)


class OneForm(AdminTestCase):
    def add(self, **entered: Any) -> Any:
        form = open_form(self.client, page(User, "add"), "user_form")
        return self.client.post(page(User, "add"), form | entered, follow=True)

    def change(self, user: User, **entered: Any) -> Any:
        url = page(User, "change", user.pk)
        return self.client.post(url, open_form(self.client, url, "user_form") | entered, follow=True)

    def test_it_makes_a_user_with_role_brands_and_password_at_once(self) -> None:
        brand = make_brand()
        answer = self.add(
            username="zofia",
            email="zofia@example.com",
            role=str(role(BRAND_MANAGERS).pk),
            brands=[str(brand.pk)],
            password1=PASSWORD,
            password2=PASSWORD,
        )
        self.assertEqual(answer.request["PATH_INFO"], page(User, "changelist"))
        zofia = User.objects.get(username="zofia")
        self.assertEqual((zofia.is_staff, zofia.is_active, zofia.is_superuser), (True, True, False))
        self.assertTrue(zofia.check_password(PASSWORD))
        self.assertEqual(list(zofia.groups.all()), [role(BRAND_MANAGERS)])
        self.assertEqual(BrandAssignment.objects.get().brand, brand)

    def test_it_refuses_a_weak_or_a_mistyped_password(self) -> None:
        for first, second, sentence in (("short", "short", "too short"), (PASSWORD, "other", "didn’t match")):
            answer = self.add(username="zofia", password1=first, password2=second)
            self.assertContains(answer, sentence)
        self.assertFalse(User.objects.filter(username="zofia").exists())

    def test_it_changes_role_and_brands_and_logs_that(self) -> None:
        one, two, three = make_brand(), make_brand(), make_brand()
        zofia = User.objects.create(username="zofia", is_staff=True)
        zofia.groups.add(role(BRAND_MANAGERS))
        BrandAssignment.objects.create(user=zofia, brand=one)
        kept = BrandAssignment.objects.create(user=zofia, brand=two)
        self.change(zofia, brands=[str(two.pk), str(three.pk)])
        self.assertEqual({each.brand for each in BrandAssignment.objects.filter(user=zofia)}, {two, three})
        self.assertTrue(BrandAssignment.objects.filter(pk=kept.pk).exists())
        self.assertIn("brands", LogEntry.objects.get().change_message)
        self.change(zofia, role=str(role(CAMPAIGN_MANAGERS).pk), brands=[])
        self.assertEqual(list(zofia.groups.all()), [role(CAMPAIGN_MANAGERS)])
        self.assertFalse(BrandAssignment.objects.exists())

    def test_a_form_that_is_saved_as_it_stands_changes_nothing(self) -> None:
        zofia = User.objects.create(username="zofia", is_staff=True)
        zofia.groups.set([role(BRAND_MANAGERS), role(CAMPAIGN_MANAGERS)])
        BrandAssignment.objects.create(user=zofia, brand=make_brand())
        self.change(zofia)
        self.assertEqual((zofia.groups.count(), BrandAssignment.objects.count()), (2, 1))

    def test_brands_need_a_role_that_is_limited_to_them(self) -> None:
        brand = make_brand()
        zofia = User.objects.create(username="zofia", is_staff=True)
        answer = self.change(zofia, role=str(role(CAMPAIGN_MANAGERS).pk), brands=[str(brand.pk)])
        self.assertContains(answer, "This user would see all brands.")
        self.assertFalse(BrandAssignment.objects.exists())

    def test_an_invalid_brand_is_refused_without_a_server_error(self) -> None:
        zofia = User.objects.create(username="zofia", is_staff=True)
        for key in ("x", "9" * 30, "0"):
            answer = self.change(zofia, role=str(role(BRAND_MANAGERS).pk), brands=[key])
            self.assertEqual(answer.status_code, 200)
            self.assertIn("brands", answer.context["adminform"].form.errors)

    def test_nobody_takes_away_their_own_access(self) -> None:
        url = page(User, "change", self.user.pk)
        form = open_form(self.client, url, "user_form")
        for name in ("is_active", "is_staff", "is_superuser"):
            answer = self.client.post(url, {key: value for key, value in form.items() if key != name})
            self.assertContains(answer, "take away your own access")
        self.user.refresh_from_db()
        self.assertTrue(self.user.is_active and self.user.is_staff and self.user.is_superuser)

    def test_only_superusers_see_what_gives_more_than_a_role(self) -> None:
        looker = User.objects.create(username="looker", is_staff=True)
        group = Group.objects.create(name="Lookers")
        group.permissions.add(Permission.objects.get(codename="view_user"))
        looker.groups.add(group)
        self.assertContains(self.client.get(page(User, "change", looker.pk)), "Advanced")
        self.client.force_login(looker)
        answer = self.client.get(page(User, "change", self.user.pk))
        self.assertNotContains(answer, "Advanced")
        self.assertNotContains(answer, "Superuser status")

    def test_it_invites_again_from_the_list(self) -> None:
        zofia = User.objects.create_user("zofia", "zofia@example.com", "a password of hers", is_staff=True)
        chosen = {"action": "invite", "_selected_action": [zofia.pk]}
        with MailServer() as server:
            answer = self.client.post(page(User, "changelist"), chosen, follow=True)
            self.assertContains(answer, "An invitation was sent to zofia@example.com.")
            self.assertEqual(len(server.messages), 1)
        self.assertNotContains(self.client.get(page(User, "changelist")), 'value="invite"')


class Invitations(CommittedTestCase):
    """An invitation is sent when the user is committed."""

    def setUp(self) -> None:
        super().setUp()
        self.client.force_login(User.objects.create_superuser("root"))

    def add(self, **entered: Any) -> Any:
        form = open_form(self.client, page(User, "add"), "user_form")
        return self.client.post(page(User, "add"), form | entered, follow=True)

    def test_it_invites_where_e_mail_is_set_up(self) -> None:
        with MailServer() as server:
            form = open_form(self.client, page(User, "add"), "user_form")
            self.assertNotIn("password1", form)
            self.assertContains(self.add(username="zofia", email=""), "This field is required.")
            answer = self.add(username="zofia", email="zofia@example.com", role=str(role(CAMPAIGN_MANAGERS).pk))
            self.assertContains(answer, "An invitation was sent to zofia@example.com.")
            (message,) = server.messages
            self.assertEqual((message["To"], message["Auto-Submitted"]), ("zofia@example.com", "auto-generated"))
            self.assertIn("Your username is zofia.", message.get_content())
            visitor = Client()
            set_password(self, visitor, message)
        self.assertTrue(User.objects.get(username="zofia").check_password(PASSWORD))

    def test_a_mail_server_that_fails_costs_the_invitation_only(self) -> None:
        with MailServer(refuses=True):
            answer = self.add(username="zofia", email="zofia@example.com")
        self.assertContains(answer, "The invitation to zofia@example.com couldn&#x27;t be sent")
        self.assertTrue(User.objects.filter(username="zofia").exists())


def set_password(test: SimpleTestCase, visitor: Client, message: Any) -> None:
    """Follow the link of an e-mail and set a password there."""
    (link,) = LINK.findall(message.get_content())
    shown = visitor.get(link, follow=True)
    address = shown.request["PATH_INFO"]
    test.assertNotIn(link.split("/")[-2], address)  # the token doesn't stay in the address
    form = dict(ShownForm(shown.content.decode(), "password_form").values)
    form |= {"new_password1": [PASSWORD], "new_password2": [PASSWORD]}
    test.assertContains(visitor.post(address, form, follow=True), "Your password is set.")
    test.assertContains(visitor.get(link, follow=True), "This link has expired or was used already.")


class ForgottenPasswords(TestCase):
    def setUp(self) -> None:
        self.zofia = User.objects.create_user("zofia", "Zofia@example.com", "a password of hers", is_staff=True)

    def ask(self, email: str, **where: str) -> Any:
        visitor = Client(enforce_csrf_checks=True, **where)  # type: ignore[arg-type]  # REMOTE_ADDR
        form = open_form(visitor, FORGOTTEN, "forgotten_form")
        return visitor.post(FORGOTTEN, form | {"email": email}, follow=True)

    def test_it_sends_a_link_that_sets_the_password_once(self) -> None:
        with MailServer() as server:
            self.ask("zofia@example.com")
            (message,) = server.messages
            self.assertEqual((message["To"], message["Subject"]), ("Zofia@example.com", "Set a new password"))
            set_password(self, Client(), message)
        self.zofia.refresh_from_db()
        self.assertTrue(self.zofia.check_password(PASSWORD))

    def test_it_says_the_same_of_addresses_that_are_unknown(self) -> None:
        inactive = User.objects.create_user("gone", "gone@example.com", "x", is_staff=True, is_active=False)
        User.objects.create_user("customer", "customer@example.com", "x")
        with MailServer() as server:
            answers = {self.ask(email).content for email in ("zofia@example.com", "no@example.com", inactive.email)}
            self.ask("customer@example.com")
            self.assertEqual([message["To"] for message in server.messages], ["Zofia@example.com"])
        self.assertEqual(len(answers), 1)

    def test_it_says_the_same_when_the_mail_server_fails(self) -> None:
        with MailServer(refuses=True), self.assertLogs("campaigns.admin.people.passwords", "ERROR") as logs:
            self.assertContains(self.ask("zofia@example.com"), "If an account has this e-mail address")
        self.assertNotIn("zofia", logs.output[0].lower())

    def test_it_sends_few_to_one_account_whatever_the_letter_case(self) -> None:
        with MailServer() as server:
            for number in range(MAX_OF_EMAIL + 2):
                email = "zofia@example.com" if number % 2 else "ZOFIA@example.com "
                answer = self.ask(email, REMOTE_ADDR=f"192.0.2.{number}")
                self.assertContains(answer, "If an account has this e-mail address")
            self.assertEqual(len(server.messages), MAX_OF_EMAIL)

    def test_it_refuses_an_address_that_asks_too_often(self) -> None:
        with MailServer() as server:
            for number in range(MAX_OF_ADDRESS):
                self.ask(f"no{number}@example.com", REMOTE_ADDR="192.0.2.1")
            answer = self.ask("zofia@example.com", REMOTE_ADDR="192.0.2.1")
            self.assertEqual((answer.status_code, answer["Retry-After"]), (429, "3600"))
            self.assertEqual(server.messages, [])
            self.ask("zofia@example.com", REMOTE_ADDR="192.0.2.2")
            self.assertEqual(len(server.messages), 1)

    def test_it_keeps_no_e_mail_address(self) -> None:
        with MailServer():
            self.ask("zofia@example.com")
        self.assertNotIn("zofia", PasswordRequest.objects.get().email_key)

    def test_a_wrong_link_says_so(self) -> None:
        with MailServer():
            answer = self.client.get(reverse("set_password", args=["MQ", "wrong-token"]))
            self.assertContains(answer, "This link has expired or was used already.")

    def test_the_sign_in_page_links_to_it_only_where_e_mail_is_set_up(self) -> None:
        login = reverse("admin:login")
        self.assertNotContains(self.client.get(login), "Forgotten password")
        for address in (FORGOTTEN, reverse("password_is_set"), reverse("set_password", args=["MQ", "x"])):
            self.assertEqual(self.client.get(address).status_code, 404)
        with MailServer():
            self.assertContains(self.client.get(login), FORGOTTEN)
