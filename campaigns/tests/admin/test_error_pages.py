"""What a person is told where a page isn't there, isn't theirs, or breaks: what, and what to do."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import Client, TestCase
from django.urls import reverse


class ErrorPages(TestCase):
    def setUp(self) -> None:
        self.client = Client(raise_request_exception=False)

    def test_a_page_that_is_not_there_is_named(self) -> None:
        response = self.client.get("/nowhere/<b>")
        self.assertContains(response, "Page not found", status_code=404)
        self.assertContains(response, "/nowhere/&lt;b&gt;", status_code=404)
        self.assertContains(response, reverse("admin:index"), status_code=404)

    def test_who_may_not_is_told_whom_to_ask(self) -> None:
        self.client.force_login(User.objects.create(username="nobody", is_staff=True))
        response = self.client.get(reverse("admin:campaigns_brand_changelist"))
        self.assertContains(response, "Ask an administrator to add you to the right group", status_code=403)

    def test_a_form_without_its_token_is_explained(self) -> None:
        strict = Client(enforce_csrf_checks=True)
        response = strict.post(reverse("admin:login"), {"username": "amara"})
        self.assertContains(response, "open for too long", status_code=403)

    def test_a_fault_of_ours_is_told_without_asking_the_database(self) -> None:
        with self.assertNumQueries(0):
            self.assertIn("The error is on our side", render_to_string("500.html"))
        self.assertIn("Invalid request", render_to_string("400.html"))
