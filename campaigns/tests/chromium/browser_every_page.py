"""Every page, light on a desk and dark on a phone: accessible, no wider than the window, nothing from elsewhere."""

from __future__ import annotations

from django.contrib.auth.models import Group, User
from django.urls import reverse

from campaigns.models import Brand, Campaign
from campaigns.tests.chromium.case import BrowserTestCase, on_every_screen
from campaigns.tests.support.pages import every_model, first_row, make_a_row_of_each, page

OURS = {"campaigns", "auth"}


def addresses() -> list[str]:
    """Return the home page, every list, and the forms of what staff edit."""
    lists = [page(model, "changelist") for model in every_model()]
    rows = [page(model, "change", first_row(model).pk) for model in every_model() if model._meta.app_label in OURS]
    forms = [page(model, "add") for model in (Brand, Campaign, User, Group)]
    return [reverse("admin:index"), *lists, *rows, *forms]


@on_every_screen
class EveryPage(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        make_a_row_of_each()

    def test_it_is_readable_and_fits(self) -> None:
        for address in addresses():
            with self.subTest(address):
                self.open(address)
                self.look()
