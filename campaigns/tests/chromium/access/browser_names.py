"""What a screen reader reads out: names of controls in words, never the ligature of an icon; and times in one form."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.urls import reverse
from django_celery_beat.models import ClockedSchedule, CrontabSchedule

from campaigns.models import Brand, Campaign, SpendRecord
from campaigns.rules.periods import known_zones
from campaigns.rules.times import format_time
from campaigns.tests.chromium.case import BrowserTestCase
from campaigns.tests.support.pages import first_row, make_a_row_of_each, page

ICONS = ".material-symbols-outlined"
CONTROLS = {"button", "link", "textbox", "combobox", "checkbox", "switch", "searchbox", "spinbutton", "radio"}
JANUARY, JULY = (datetime(2026, month, 15, 12, tzinfo=UTC) for month in (1, 7))


class Names(BrowserTestCase):
    def setUp(self) -> None:
        super().setUp()
        make_a_row_of_each()

    def tree(self) -> list[tuple[str, str]]:
        """Return role and name of each node of the accessibility tree."""
        session = self.page.context.new_cdp_session(self.page)
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
        session.detach()
        shown = [node for node in nodes if not node["ignored"]]
        return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in shown]

    def icons(self) -> set[str]:
        """Return the words that draw icons: in elements, and in what styles put before and after elements."""
        words = set(self.page.locator(ICONS).all_text_contents()) | set(self.page.evaluate(DRAWN_BY_STYLES))
        return {word.strip() for word in words} - {""}

    def addresses(self) -> list[str]:
        forms = [page(model, "add") for model in (Campaign, User, ClockedSchedule)]
        rows = [page(model, "change", first_row(model).pk) for model in (Brand, Campaign, CrontabSchedule)]
        lists = [page(model, "changelist") for model in (Brand, Campaign, SpendRecord, User)]
        return [reverse("admin:index"), *lists, *rows, *forms]

    def test_no_name_contains_the_ligature_of_an_icon(self) -> None:
        for address in self.addresses():
            with self.subTest(address):
                self.open(address)
                icons = self.icons()
                self.assertTrue(icons)
                read = [(role, name) for role, name in self.tree() if name.strip() in icons]
                self.assertEqual(read, [], "icons read out")
                words = {icon for icon in icons if "_" in icon}
                read = [(role, name) for role, name in self.tree() if words & set(name.split())]
                self.assertEqual(read, [], "icons read out within a name")
                self.assertEqual(self.page.evaluate(READ_OUT), [], "icons of styles without an empty alternative")
                self.assertEqual([role for role, name in self.tree() if role in CONTROLS and not name.strip()], [])


class Zones(BrowserTestCase):
    def test_the_viewers_time_has_the_zone_in_the_form_of_the_servers(self) -> None:
        self.page.goto(reverse("admin:index"))
        script = self.page.request.get("/static/campaigns/times.js").text()
        wrong = []
        for zone in sorted(known_zones()):
            for instant in (JANUARY, JULY):
                expected = format_time(instant, ZoneInfo(zone))
                shown = self.page.evaluate(TRY, [script, zone, instant.isoformat()])
                if shown != expected:
                    wrong.append((zone, shown, expected))
        self.assertEqual(wrong, [])


DRAWN_BY_STYLES = """() => {
    const word = (element, part) => {
        const style = getComputedStyle(element, part);
        return style.fontFamily.includes("Material Symbols") ? style.content.match(/^"(\\w+)"/)?.[1] ?? "" : "";
    };
    const elements = [...document.querySelectorAll("*")];
    return elements.flatMap((element) => ["::before", "::after"].map((part) => word(element, part)));
}"""

# Icons that styles draw, in sight, by a word without an empty alternative, which would be read out.
READ_OUT = """() => [...document.querySelectorAll("main *")].filter((element) => element.checkVisibility())
    .flatMap((element) => ["::before", "::after"].map((part) => {
        const style = getComputedStyle(element, part);
        const isIcon = style.fontFamily.includes("Material Symbols") && /^"\\w+"/.test(style.content);
        return isIcon && !style.content.endsWith('/ ""') ? `${element.className} ${style.content}` : "";
    })).filter(Boolean)"""

# Runs times.js as in a browser of the zone, on one time.
TRY = """([script, zone, at]) => {
    const time = document.createElement("time");
    time.dateTime = at;
    time.dataset.viewer = "second";
    const page = {
        addEventListener: (name, run) => name === "DOMContentLoaded" && run(),
        querySelectorAll: () => [time],
    };
    const Format = Intl.DateTimeFormat;
    const intl = { DateTimeFormat: function (...given) {
        return given.length ? new Format(...given) : { resolvedOptions: () => ({ timeZone: zone }) };
    } };
    new Function("document", "Intl", script)(page, intl);
    return time.textContent;
}"""
