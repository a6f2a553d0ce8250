"""People of the staff who save brands and campaigns through the admin's forms, and notice what they lose."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from html import unescape
from random import Random
from typing import Any, Protocol

from django.urls import reverse

from campaigns.admin.brand.zone_change import CONFIRMED
from campaigns.models import Brand, Campaign
from campaigns.tests.support.browser import ShownForm, add_window, confirmation
from campaigns.tests.support.together import pause

ZONES = ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu", "America/New_York")
LIMITS = ("", "0", "0.000001", "20", "100", "100000")
THEIRS = "Someone else changed"

Row = tuple[type[Brand] | type[Campaign], int]
Form = dict[str, Any]


class Browser(Protocol):
    """What Django's test client and a real one have in common; an answer has status_code and content."""

    def get(self, path: str, /) -> Any: ...

    def post(self, path: str, data: Form, /) -> Any: ...


@dataclass
class Office:
    """What two people know together: which rows there are, and what is switched off."""

    brands: Sequence[int]
    campaigns: Sequence[int]
    # The window of a campaign that both people change.
    windows: dict[int, int]

    # The brands that a person moves to other time zones.
    moving: Sequence[int] = ()

    # Campaigns without spend, that may move to another brand.
    spare: Sequence[int] = ()

    # Rows that both people rename.
    contested: Sequence[Row] = ()

    # What is off from the answer to the switching until a person begins to switch it on again, each with a number.
    off: dict[Row, int] = field(default_factory=dict)

    # Of each row, the name that a form showed and the one that was saved with it.
    renamed: dict[Row, list[tuple[str, str]]] = field(default_factory=dict)

    saves: Counter[str] = field(default_factory=Counter)
    numbers: itertools.count[int] = field(default_factory=itertools.count)


class Person:
    """A person with fields of their own, which must always show what they saved last, and one that both change."""

    def __init__(self, name: str, browser: Browser, office: Office, seed: int) -> None:
        self.name, self.browser, self.office, self.random = name, browser, office, Random(seed)
        self.mine: dict[Row, dict[str, str]] = {}
        self.habits: list[Callable[[], None]] = []

    def turn(self) -> None:
        self.random.choice(self.habits)()

    def look_at_everything(self) -> None:
        for row in list(self.mine):
            self.open(row)

    def brand(self) -> Row:
        return Brand, self.one_of(self.office.brands)

    def campaign(self) -> Row:
        return Campaign, self.one_of(self.office.campaigns)

    def one_of(self, ids: Sequence[int]) -> int:
        """Return mostly the last one, so that two people often have the same form open."""
        return self.random.choice([*ids, *[ids[-1]] * len(ids) * 2])

    def think(self) -> None:
        pause(self.random.uniform(0, 0.2))

    def open(self, row: Row) -> Form:
        """Return the row's form, in which nothing of mine may be lost."""
        form = self.page(address(row), row[0])
        for name, expected in self.mine.get(row, {}).items():
            shown = str(len(windows_of(form))) if name == "windows" else shown_value(form, name)
            if not same(shown, expected):
                raise AssertionError(f"{self.name} saved {expected!r} as {name} of {row} and finds {shown!r}")
        return form

    def page(self, url: str, model: type[Brand] | type[Campaign]) -> Form:
        answer = self.browser.get(url)
        if answer.status_code != 200:
            raise AssertionError(f"{url} answered {answer.status_code} to {self.name}: {errors_of(answer)}")
        return dict(ShownForm(answer.content.decode(), f"{model._meta.model_name}_form").values)

    def post(self, url: str, form: Form) -> None:
        answer = self.browser.post(url, form)
        if answer.status_code != 302:
            raise AssertionError(f"{self.name} posted to {url}: {answer.status_code}, {errors_of(answer)}")
        self.office.saves[self.name] += 1

    def edit(self, row: Row, name: str, value: str) -> None:
        """Change a field of my own: nobody else does, so it is never refused."""
        form = self.open(row)
        self.think()
        confirmed = {CONFIRMED: value} if name == "timezone" else {}
        self.post(address(row), form | {name: value} | confirmed)
        self.mine.setdefault(row, {})[name] = value

    def rename(self) -> None:
        """Change a field that both change: the second must see a conflict, and tries again later."""
        row = self.random.choice(self.office.contested)
        form, new = self.open(row), f"{self.name} {next(self.office.numbers)}"
        self.think()
        answer = self.browser.post(address(row), form | {"name": new})
        if answer.status_code == 200 and THEIRS in answer.content.decode():
            self.office.saves["conflicts"] += 1
        elif answer.status_code == 302:
            self.office.saves[self.name] += 1
            self.office.renamed.setdefault(row, []).append((shown_value(form, "name"), new))
        else:
            raise AssertionError(f"{self.name} renamed {row}: {answer.status_code}, {errors_of(answer)}")

    def switch(self, row: Row) -> None:
        """Turn a switch that only I turn."""
        form = self.open(row)
        self.think()
        if "enabled" in form:
            del form["enabled"]
            self.post(address(row), form)
            self.note_off([row])
        else:
            self.office.off.pop(row, None)
            self.post(address(row), form | {"enabled": "on"})
            self.mine.setdefault(row, {})["enabled"] = "on"

    def note_off(self, rows: Sequence[Row]) -> None:
        self.office.saves["switched off"] += len(rows)
        for row in rows:
            self.mine.setdefault(row, {})["enabled"] = ""
            self.office.off[row] = next(self.office.numbers)

    def switch_several(self, model: type[Brand] | type[Campaign], ids: Sequence[int]) -> None:
        """Select rows of a list and switch them all, after a look at the preview."""
        chosen = self.some_of(model, ids)
        word = self.random.choice(["on", "off"])
        if word == "on":
            for row in chosen:
                self.office.off.pop(row, None)
        self.confirm(self.choose(f"switch_{word}", chosen))
        if word == "off":
            self.note_off(chosen)
        for row in chosen:
            self.mine.setdefault(row, {})["enabled"] = "on" if word == "on" else ""

    def limit_several(self, name: str, value: str) -> None:
        """Select brands, ask for the same budget for all, and confirm what the preview shows."""
        chosen = self.some_of(Brand, self.office.brands)
        asked = self.choose("change_budget", chosen)
        wanted = {"limit": name, "how": "set" if value else "remove", "amount": value}
        form = dict(ShownForm(asked.content.decode(), "bulk_form").values) | wanted
        self.confirm(self.browser.post(reverse("admin:campaigns_brand_bulk"), form))
        for row in chosen:
            self.mine.setdefault(row, {})[name] = value

    def some_of(self, model: type[Brand] | type[Campaign], ids: Sequence[int]) -> list[Row]:
        return [(model, pk) for pk in self.random.sample(ids, min(3, len(ids)))]

    def choose(self, action: str, rows: Sequence[Row]) -> Any:
        """Return the page with which the list of the rows answers to an action."""
        url = reverse(f"admin:campaigns_{rows[0][0]._meta.model_name}_changelist")
        selected = [str(pk) for _, pk in rows]
        return self.browser.post(url, {"action": action, "_selected_action": selected, "index": "0"})

    def confirm(self, preview: Any) -> None:
        """Think, and press the button of a preview; it has none where all is so already."""
        if preview.status_code != 200 or b"campaigns-preview" not in preview.content:
            raise AssertionError(f"{self.name} sees no preview: {preview.status_code}, {errors_of(preview)}")
        self.think()
        if pressed := confirmation(preview.content.decode()):
            self.post(*pressed)

    def edit_window(self, name: str, value: str) -> None:
        """Change one side of a window, whose place in the list may change; the other side is a colleague's."""
        row = self.campaign()
        window = self.office.windows[row[1]]
        form = self.open(row)
        self.think()
        self.post(address(row), form | {f"windows-{windows_of(form).index(str(window))}-{name}": value})
        self.mine.setdefault(row, {})[f"window {window} {name}"] = value


class Amara(Person):
    """Switches brands, sets daily limits, opens windows, begins campaigns; makes campaigns and deletes them again."""

    def __init__(self, browser: Browser, office: Office) -> None:
        super().__init__("amara", browser, office, seed=1)
        choose = self.random.choice
        self.made: list[int] = []
        self.habits = [
            lambda: self.switch(self.brand()),
            lambda: self.switch(self.brand()),
            lambda: self.switch_several(Brand, self.office.brands),
            lambda: self.switch_several(Brand, self.office.brands),
            lambda: self.edit(self.brand(), "daily_budget", choose(LIMITS)),
            lambda: self.limit_several("daily_budget", choose(LIMITS)),
            lambda: self.edit(self.campaign(), "daily_spend_limit", choose(LIMITS)),
            lambda: self.edit(self.campaign(), "starts_on", choose(["", "2020-01-01", "2090-01-01"])),
            lambda: self.edit_window("start_time", choose(["00:00", "05:00", "11:30"])),
            self.rename,
            self.rename,
            self.make_or_delete,
        ]

    def make_or_delete(self) -> None:
        if len(self.made) > 2:
            self.post(reverse("admin:campaigns_campaign_delete", args=[self.made.pop(0)]), {"post": "yes"})
            return
        name = f"made by amara {next(self.office.numbers)}"
        url = reverse("admin:campaigns_campaign_add")
        form = self.page(url, Campaign)
        self.post(url, form | {"brand": str(self.random.choice(self.office.brands)), "name": name})
        self.made.append(Campaign.objects.get(name=name).pk)


class Bo(Person):
    """Switches campaigns, moves brands to other zones, closes windows, sets monthly budgets, ends campaigns."""

    def __init__(self, browser: Browser, office: Office) -> None:
        super().__init__("bo", browser, office, seed=2)
        choose = self.random.choice
        self.habits = [
            lambda: self.switch(self.campaign()),
            lambda: self.switch(self.campaign()),
            lambda: self.switch_several(Campaign, self.office.campaigns),
            lambda: self.switch_several(Campaign, self.office.campaigns),
            lambda: self.edit((Brand, self.one_of(self.office.moving)), "timezone", choose(ZONES)),
            lambda: self.edit(self.brand(), "monthly_budget", choose(LIMITS)),
            lambda: self.edit(self.campaign(), "ends_on", choose(["", "2090-01-01", "2090-12-31"])),
            lambda: self.edit_window("end_time", choose(["00:00", "12:00", "23:59"])),
            self.rename,
            self.rename,
            self.move,
            self.add_or_delete_window,
        ]

    def move(self) -> None:
        if self.office.spare:
            row: Row = (Campaign, self.random.choice(self.office.spare))
            self.edit(row, "brand", str(self.random.choice(self.office.brands)))

    def add_or_delete_window(self) -> None:
        row = self.campaign()
        window = self.office.windows[row[1]]
        form = self.open(row)
        others = [index for index, pk in enumerate(windows_of(form)) if pk != str(window)]
        if len(others) > 1:
            form[f"windows-{self.random.choice(others)}-DELETE"] = "on"
            expected = len(others)
        else:
            add_window(form, [1, 16], "13:00", "14:00")
            expected = len(others) + 2
        self.post(address(row), form)
        self.mine.setdefault(row, {})["windows"] = str(expected)


def address(row: Row) -> str:
    model, pk = row
    return reverse(f"admin:campaigns_{model._meta.model_name}_change", args=[pk])


def windows_of(form: Form) -> list[str]:
    """Return the keys of the windows that a form shows, in its order."""
    keys = (form.get(f"windows-{index}-id", [""])[0] for index in range(int(form["windows-TOTAL_FORMS"][0])))
    return [key for key in keys if key]


def shown_value(form: Form, name: str) -> str:
    """Return what a form shows of a field; "window 7 start_time" is that of the window with the key 7."""
    if name.startswith("window "):
        _, window, name = name.split()
        name = f"windows-{windows_of(form).index(window)}-{name}"
    return str(form.get(name, [""])[0])


def same(shown: str, expected: str) -> bool:
    try:
        # Forms separate thousands.
        return Decimal(shown.replace(",", "")) == Decimal(expected)
    except InvalidOperation:
        return shown == expected


def errors_of(answer: Any) -> str:
    """Return the sentences of a page that begin like an error, or its beginning."""
    text = unescape(answer.content.decode(errors="replace"))
    lines = [line.strip() for line in text.splitlines() if "error" in line.lower() or "Someone else" in line]
    return " | ".join(lines)[:2000] or text[:500]
