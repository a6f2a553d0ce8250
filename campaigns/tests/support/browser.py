"""What a browser does with a form of the admin: read what it shows, post it back with changes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.test import Client, TestCase
from django.urls import reverse

from campaigns.models import Brand, Campaign

NEVER_ENDS = datetime(2100, 1, 1, tzinfo=UTC)

Attributes = list[tuple[str, str | None]]


class AdminTestCase(TestCase):
    """A member of the staff, "amara", is logged in."""

    user: ClassVar[User]

    @classmethod
    def setUpTestData(cls) -> None:
        cls.user = User.objects.create(username="amara", is_staff=True, is_superuser=True)

    def setUp(self) -> None:
        self.client.force_login(self.user)
        session = self.client.session
        session.set_expiry(NEVER_ENDS)  # tests move the clock, some to long after what this machine's says
        session.save()


class ShownForm(HTMLParser):
    """The values that a page's main form would post as it stands: a list of values for each name."""

    def __init__(self, html: str, form_id: str) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self._form_id, self._inside, self._select = form_id, False, ""
        self._textarea, self._text = "", ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: Attributes) -> None:
        has = {name: value or "" for name, value in attributes}
        if tag == "form":
            self._inside = has.get("id") == self._form_id
        elif self._inside and tag == "input":
            self._input(has)
        elif self._inside and tag == "select":
            self._select = has.get("name", "")
        elif self._inside and tag == "textarea":
            self._textarea, self._text = has.get("name", ""), ""
        elif self._inside and tag == "option" and "selected" in has:
            self._add(self._select, has.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "textarea":
            self._add(self._textarea, self._text.removeprefix("\r").removeprefix("\n"))
            self._textarea = ""

    def _input(self, has: dict[str, str]) -> None:
        kind = has.get("type", "text")
        if kind in ("submit", "button") or (kind in ("checkbox", "radio") and "checked" not in has):
            return
        self._add(has.get("name", ""), has.get("value", "on" if kind == "checkbox" else ""))

    def _add(self, name: str, value: str) -> None:
        if name:
            self.values.setdefault(name, []).append(value)


def open_form(client: Client, url: str, form_id: str) -> dict[str, Any]:
    """Return what the form at the address would post as it stands."""
    response = client.get(url)
    assert response.status_code == 200, f"{url} answered {response.status_code}"
    return dict(ShownForm(response.content.decode(), form_id).values)


def confirm(client: Client, preview: Any) -> Any:
    """Press the button of a preview of many changes and return what follows; the preview where it has none."""
    pressed = confirmation(preview.content.decode())
    return client.post(*pressed, follow=True) if pressed else preview


def confirmation(html: str) -> tuple[str, dict[str, Any]] | None:
    """Return the address and what the button of a preview would post there; None where there is nothing to confirm."""
    forms = re.findall(r'<form id="(\w+_confirm)" [^>]*action="([^"]+)"', html)
    return (forms[0][1], dict(ShownForm(html, forms[0][0]).values)) if forms else None


def add_window(form: dict[str, Any], days: list[int], start: str, end: str) -> None:
    """Add a row to the form's schedule, as the button for it does."""
    index = int(form["windows-TOTAL_FORMS"][0])
    form |= {
        "windows-TOTAL_FORMS": [str(index + 1)],
        f"windows-{index}-days_of_week": [str(day) for day in days],
        f"windows-{index}-start_time": [start],
        f"windows-{index}-end_time": [end],
        f"initial-windows-{index}-start_time": [""],
        f"initial-windows-{index}-end_time": [""],
    }


class FormTestCase(AdminTestCase):
    """Nothing is saved but through the pages."""

    def form(self, row: Brand | Campaign) -> dict[str, Any]:
        name = str(row._meta.model_name)
        return open_form(self.client, self.address(row), f"{name}_form")

    def address(self, row: Brand | Campaign) -> str:
        return reverse(f"admin:campaigns_{row._meta.model_name}_change", args=[row.pk])

    def new_form(self, model: type[Brand] | type[Campaign]) -> dict[str, Any]:
        name = str(model._meta.model_name)
        return open_form(self.client, reverse(f"admin:campaigns_{name}_add"), f"{name}_form")

    def save(self, row: Brand | Campaign, form: dict[str, Any]) -> None:
        response = self.client.post(self.address(row), form)
        self.assertEqual(response.status_code, 302, self.errors_of(response))

    def refused(self, row: Brand | Campaign, form: dict[str, Any], sentence: str) -> dict[str, Any]:
        """Post a form that is to be refused with a sentence; return the form as it is shown again."""
        response = self.client.post(self.address(row), form)
        self.assertEqual(response.status_code, 200)
        self.assertContains(response, sentence, html=False)
        return dict(ShownForm(response.content.decode(), f"{row._meta.model_name}_form").values)

    def errors_of(self, response: Any) -> str:
        if not response.context or "errors" not in response.context:
            return ""
        return str(response.context["errors"])
