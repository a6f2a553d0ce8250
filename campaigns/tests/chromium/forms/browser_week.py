"""A campaign's schedule as account staff paint it: with mouse, keyboard and finger, and by presets."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from campaigns.models import DaypartingSchedule
from campaigns.services.insight.forecast import is_open
from campaigns.tests.chromium.case import PHONE
from campaigns.tests.chromium.forms.campaign_page import CampaignPageTestCase
from campaigns.tests.support.factories import make_window

SHORT = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class PaintingTests(CampaignPageTestCase):
    def test_painting_with_the_mouse_writes_rows(self) -> None:
        self.open_campaign()
        self.press("Clear")
        self.drag(self.cell("Mon", "09:00"), self.cell("Fri", "17:00"))
        self.assertEqual(self.said(), "Monday to Friday 09:00 to 18:00, on")
        self.drag(self.cell("Wed", "12:00"), self.cell("Wed", "12:00"))
        self.assertEqual(self.said(), "Wednesday 12:00, off")
        self.save()
        self.assertEqual(self.windows(), ["Wed 09:00–12:00", "Mon, Tue, Thu, Fri 09:00–18:00", "Wed 13:00–18:00"])
        expect(self.cell("Wed", "12:00")).to_have_attribute("aria-selected", "false")
        expect(self.cell("Wed", "13:00")).to_have_attribute("aria-selected", "true")

    def test_always_is_the_whole_week_and_painting_takes_hours_away(self) -> None:
        self.open_campaign()
        self.drag(self.cell("Mon", "00:00"), self.cell("Sun", "05:00"))
        self.save()
        self.assertEqual(self.windows(), ["every day 06:00–00:00"])
        self.press("Always")
        self.save()
        self.assertEqual(self.windows(), [])

    def test_painting_with_the_keyboard(self) -> None:
        page = self.open_campaign()
        self.press("Clear")
        self.cell("Mon", "00:00").focus()
        for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Space"):
            page.keyboard.press(key)
        self.assertEqual(self.said(), "Tuesday 02:00, on")
        for key in ("End", "Shift+ArrowLeft", "Shift+ArrowDown"):
            page.keyboard.press(key)
        self.assertEqual(self.said(), "Tuesday to Wednesday 22:00 to 24:00 selected")
        page.keyboard.press("Enter")
        for key in ("Control+End", "Space", "Control+z"):
            page.keyboard.press(key)
        self.save()
        self.assertEqual(self.windows(), ["Tue 02:00–03:00", "Tue, Wed 22:00–00:00"])

    def test_presets(self) -> None:
        self.open_campaign()
        for name, rows in (
            ("Business hours", ["Mon–Fri 09:00–18:00"]),
            ("Evenings", ["every day 18:00–23:00"]),
            ("Weekends", ["Sat, Sun all day"]),
            ("Always", []),
        ):
            self.press(name)
            self.save()
            self.assertEqual(self.windows(), rows)

    def test_nothing_chosen_is_told_as_what_it_means(self) -> None:
        page = self.open_campaign()
        self.press("Clear")
        expect(page.locator("[data-summary]")).to_contain_text("No hours selected, so the campaign would run")

    def test_an_overnight_window_is_shown_as_it_is_and_stays_one_row(self) -> None:
        night = make_window(self.campaign, 16, "22:00", "02:00")
        page = self.open_campaign()
        for day, clock, is_on in (
            ("Fri", "21:00", "false"),
            ("Fri", "22:00", "true"),
            ("Sat", "01:00", "true"),
            ("Sat", "02:00", "false"),
        ):
            expect(self.cell(day, clock)).to_have_attribute("aria-selected", is_on)
        expect(page.locator("[data-summary]")).to_contain_text("Fri 22:00–02:00 of the next day")
        self.cell("Sat", "02:00").click()
        self.save()
        self.assertEqual(self.windows(), ["Fri 22:00–03:00"])
        self.assertEqual(DaypartingSchedule.objects.get().pk, night.pk)

    def test_half_and_quarter_hours_by_zooming(self) -> None:
        self.open_campaign()
        self.press("Clear")
        self.press("½ h")
        self.cell("Mon", "09:30").click()
        self.press("¼ h")
        self.assert_accessible(within=".campaigns-week-tools")
        self.cell("Mon", "10:00").click()
        self.save()
        self.assertEqual(self.windows(), ["Mon 09:30–10:15"])
        expect(self.cell("Mon", "09:00")).to_have_attribute("aria-label", "Monday 09:00, partly on, 09:30 to 10:00")

    def test_minutes_that_were_typed_are_shown_and_kept(self) -> None:
        exact = make_window(self.campaign, 1, "09:10", "11:50")
        page = self.open_campaign()
        expect(self.cell("Mon", "09:00")).to_have_attribute("aria-label", "Monday 09:00, partly on, 09:10 to 10:00")
        self.cell("Tue", "09:00").click()
        page.get_by_text("Edit as list", exact=True).click()
        page.locator("[name=windows-1-end_time]").fill("09:20")
        expect(self.cell("Tue", "09:00")).to_have_attribute("aria-label", "Tuesday 09:00, partly on, 09:00 to 09:20")
        self.save()
        self.assertEqual(self.windows(), ["Tue 09:00–09:20", "Mon 09:10–11:50"])
        self.assertTrue(DaypartingSchedule.objects.filter(pk=exact.pk).exists())

    def test_the_present_moment_is_marked_in_the_brands_zone(self) -> None:
        wall = timezone.now().astimezone(ZoneInfo("Europe/Paris"))
        page = self.open_campaign()
        expect(page.locator(".campaigns-week-note")).to_contain_text("Times in Europe/Paris, now")
        marked = str(page.locator("[role=gridcell].is-now").get_attribute("data-day"))
        self.assertIn(int(marked), (wall.weekday(), (wall.weekday() + 1) % 7))


class PhoneTests(CampaignPageTestCase):
    viewport = PHONE

    def test_a_finger_taps_and_holds_to_paint(self) -> None:
        page = self.open_browser(has_touch=True).new_page()
        self.open_campaign(page)
        page.get_by_role("button", name="Clear").tap()
        self.cell("Mon", "09:00", page).tap()
        self.hold(page, self.cell("Tue", "10:00", page), self.cell("Wed", "11:00", page))
        self.assert_fits(page)
        self.save(page)
        self.assertEqual(self.windows(), ["Mon 09:00–10:00", "Tue, Wed 10:00–12:00"])

    def hold(self, page: Page, start: Locator, end: Locator) -> None:
        start.scroll_into_view_if_needed()
        touch = page.context.new_cdp_session(page)
        boxes = [place.bounding_box() for place in (start, end)]
        points = [{"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2} for box in boxes if box]
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [points[0]]})
        page.wait_for_timeout(400)
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [points[1]]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def test_the_grid_is_no_wider_than_the_phone(self) -> None:
        page = self.open_campaign()
        for zoom in ("1 h", "½ h", "¼ h"):
            self.press(zoom)
            self.assert_fits()
        box = page.locator("[role=grid]").bounding_box()
        assert box is not None
        self.assertLess(box["width"], PHONE["width"])


class ScriptTests(CampaignPageTestCase):
    """The scripts' own functions, against the rule as Python has it (R7)."""

    RUN = """async ([rows, week]) => {
        const {fill, plan, rowsOf, clock} = await import("/static/campaigns/week_minutes.js");
        const saved = rows.map(([days, start, end]) => ({days, start, end}));
        const wanted = Uint8Array.from(week ?? fill(saved));
        const {rows: kept, added} = plan(saved, wanted);
        const left = [...kept.filter((row) => row !== null), ...added];
        const plain = (list) => list.map(({days, start, end}) => [days, clock(start), clock(end)]);
        return {
            filled: Array.from(fill(saved)),
            rows: plain(rowsOf(wanted)),
            planned: plain(left),
            stays: kept.every((row, index) => row === saved[index]) && !added.length,
        };
    }"""

    def setUp(self) -> None:
        super().setUp()
        self.open_campaign()
        self.random = random.Random(7)

    def run_with(self, rows: list[tuple[int, int, int]], week: list[int] | None = None) -> dict[str, Any]:
        return dict(self.page.evaluate(self.RUN, [rows, week]))

    def some_rows(self) -> list[tuple[int, int, int]]:
        minutes = [0, 1, 540, 600, 720, 1320, 1439]
        rows = []
        for _ in range(self.random.randint(1, 4)):
            start, end = self.random.choice(minutes), self.random.choice(minutes)
            rows.append((self.random.randint(1, 127), start, end if start != end else 0))
        return rows

    def opened(self, rows: Iterable[tuple[int, str, str]]) -> list[int]:
        """Return the minutes of the week at which one of the rows is open, by the rule itself."""
        windows = [
            DaypartingSchedule(
                days_of_week=days, start_time=time.fromisoformat(start), end_time=time.fromisoformat(end)
            )
            for days, start, end in rows
        ]
        monday = datetime(2026, 11, 23)  # noqa: DTZ001  # a wall clock has no zone
        return [int(is_open(windows, monday + timedelta(minutes=minute))) for minute in range(10_080)]

    def test_the_grid_shows_what_the_rule_opens(self) -> None:
        for _ in range(25):
            rows = self.some_rows()
            done = self.run_with(rows)
            plain = [(days, clock(start), clock(end)) for days, start, end in rows]
            self.assertEqual(done["filled"], self.opened(plain), rows)
            self.assertEqual(done["filled"], self.opened(done["rows"]), rows)
            self.assertTrue(done["stays"], rows)

    def test_whatever_is_painted_over_whatever_rows_the_rows_then_say_it(self) -> None:
        for _ in range(40):
            rows = self.some_rows()
            week = list(self.run_with(rows)["filled"])
            for _ in range(self.random.randint(1, 3)):
                start, length = self.random.randrange(0, 10_080, 15), self.random.randrange(15, 2_000, 15)
                on = self.random.randint(0, 1)
                for minute in range(start, start + length):
                    week[minute % 10_080] = on
            planned = self.run_with(rows, week)["planned"]
            if all(week) or not any(week):
                self.assertIn(self.opened(planned), ([0] * 10_080, week), rows)
            else:
                self.assertEqual(self.opened(planned), week, rows)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
