"""The security headers of the pages, and that the pages work under them."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from django.test import Client, TestCase
from django.urls import reverse

from campaigns.tests.support.browser import AdminTestCase, Attributes
from campaigns.tests.support.pages import every_model, every_page, make_a_row_of_each

POLICY = {
    "default-src": "'none'",
    "script-src": "'self' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "object-src": "'none'",
    "frame-ancestors": "'none'",
}


class Scripts(HTMLParser):
    """What of a page our policy doesn't run."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: Attributes) -> None:
        has = {name: value or "" for name, value in attributes}
        is_data = has.get("type") == "application/json"
        if tag == "script" and not is_data and not has.get("src", "").startswith("/"):
            self.found.append(self.get_starttag_text() or tag)
        self.found += [f"{name}={value}" for name, value in has.items() if re.match(r"on[a-z]+$", name)]
        self.found += [value for value in has.values() if value.strip().lower().startswith("javascript:")]


class Headers(TestCase):
    def test_every_answer_has_the_policy(self) -> None:
        for address, status in (("/admin/login/", 200), ("/admin/", 302), ("/nothing/", 404), ("/favicon.ico", 302)):
            response = self.client.get(address)
            self.assertEqual(response.status_code, status, address)
            parts = (part.strip().partition(" ") for part in response["Content-Security-Policy"].split(";"))
            self.assertEqual({name: value for name, _, value in parts}, POLICY, address)

    def test_every_answer_has_djangos_headers(self) -> None:
        response = self.client.get("/admin/login/")
        self.assertEqual(response["X-Frame-Options"], "DENY")
        self.assertEqual(response["X-Content-Type-Options"], "nosniff")
        self.assertEqual(response["Referrer-Policy"], "same-origin")
        self.assertEqual(response["Cross-Origin-Opener-Policy"], "same-origin")

    def test_the_icon_is_there(self) -> None:
        response = self.client.get("/favicon.ico")
        self.assertRegex(response["Location"], r"^/static/campaigns/favicon.*\.svg$")
        self.assertContains(Client().get("/admin/login/"), 'href="/static/campaigns/favicon.svg"')


class Pages(AdminTestCase):
    def test_no_page_holds_a_script(self) -> None:
        make_a_row_of_each()
        addresses = [reverse("admin:index"), reverse("admin:password_change"), "/admin/login/"]
        addresses += [address for model in every_model() for _, address in every_page(model)]
        shown = 0
        for address in addresses:
            response = self.client.get(address)
            self.assertIn(response.status_code, (200, 302, 403), address)
            if response.status_code == 200:
                shown += 1
                self.assertEqual(Scripts(response.content.decode()).found, [], address)
        self.assertGreater(shown, 40)
