"""What a user does in a real browser: headless Chromium against a live server, with no other host in reach."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import sys
import zlib
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Literal, TypeVar
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.staticfiles.testing import StaticLiveServerTestCase
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, ViewportSize, expect, sync_playwright

from campaigns.tests.support.committed import CommittedTestCase

DESKTOP: ViewportSize = {"width": 1440, "height": 900}
LAPTOP: ViewportSize = {"width": 1366, "height": 768}
PHONE: ViewportSize = {"width": 375, "height": 812}
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
# In an accessibility tree: a control that has no name.
NAMELESS = re.compile(
    r"^\s*- (?:link|button|textbox|combobox|checkbox|spinbutton|searchbox)(?: \[.*\])?:?$", re.MULTILINE
)
# Milliseconds that a page may take on a busy machine.
PATIENCE = 10_000

expect.set_options(timeout=PATIENCE)


def find_chromium() -> str:
    found = next((path for path in map(shutil.which, NAMES) if path), None)
    if found is None:
        raise RuntimeError("Chromium is missing: install it (Debian: apt install chromium-headless-shell).")
    return found


@cache
def start_browser() -> Browser:
    """Return the browser of this process, which ends with it; each test has windows of its own there."""
    driver = sync_playwright().start()
    atexit.register(driver.stop)
    # Text as wide as in a browser with windows. Chromium's sandbox refuses to start for root, as whom containers run.
    flags = ["--font-render-hinting=none", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    return driver.chromium.launch(executable_path=find_chromium(), args=flags)


# A story is told on a desktop, and on these.
SCREENS: dict[str, tuple[ViewportSize, Literal["light", "dark"]]] = {
    "OnALaptop": (LAPTOP, "light"),
    "OnADarkPhone": (PHONE, "dark"),
}
OTHER_COLOURS: dict[str, tuple[ViewportSize, Literal["light", "dark"]]] = {
    "OnADarkDesktop": (DESKTOP, "dark"),
    "OnADarkLaptop": (LAPTOP, "dark"),
    "OnAPhone": (PHONE, "light"),
}

# Continuous integration has twenty minutes: there half of the stories are told on a desktop, half on a dark phone.
ON_ONE_SCREEN = os.environ.get("BROWSER_SCREENS") == "few"

Story = TypeVar("Story", bound="type[BrowserTestCase]")


def on_every_screen(story: Story, screens: Mapping[str, tuple[ViewportSize, str]] = SCREENS) -> Story:
    """Add classes with the same tests in other windows and colours to the module of a class."""
    if ON_ONE_SCREEN:
        on_phone = bool(zlib.crc32(story.__name__.encode()) % 2)
        screens = {"OnADarkPhone": screens["OnADarkPhone"]} if on_phone else {}
        skipped = {"__unittest_skip__": on_phone, "__unittest_skip_why__": "told on a phone"}
        for name, value in skipped.items():
            setattr(story, name, value)
    for name, (viewport, colours) in screens.items():
        values: dict[str, Any] = {"viewport": viewport, "colours": colours, "__module__": story.__module__}
        values |= {"__unittest_skip__": False}
        setattr(sys.modules[story.__module__], story.__name__ + name, type(story.__name__ + name, (story,), values))
    return story


def in_all_colours(story: Story) -> Story:
    """The same on every screen, light and dark."""
    return on_every_screen(story, SCREENS | OTHER_COLOURS)


class BrowserTestCase(CommittedTestCase, StaticLiveServerTestCase):
    """Somebody of the staff, "amara", is signed in; each test has a page of its own, and fails on what is wrong there.

    Wrong is: an error in a script, an answer of 500, a request to another host, something that the security policy
    refuses.
    """

    browser: ClassVar[Browser]
    viewport: ClassVar[ViewportSize] = DESKTOP
    colours: ClassVar[Any] = "light"
    javascript: ClassVar[bool] = True

    @classmethod
    def setUpClass(cls) -> None:
        # The browser is driven from a loop in this thread, where Django would refuse to ask the database.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        super().setUpClass()
        cls.browser = start_browser()

    def setUp(self) -> None:
        super().setUp()
        self.user = User.objects.create(username="amara", is_staff=True, is_superuser=True)
        self.wrong: list[str] = []
        self.page = self.open_browser().new_page()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out pages and the like, so that a failure can be told from one process to another."""
        return {name: value for name, value in self.__dict__.items() if name != "page" and not name.startswith("_pw_")}

    def tearDown(self) -> None:
        self.page.context.close()
        self.assertEqual(self.wrong, [])
        super().tearDown()

    def open_browser(self, user: User | None = None, **options: Any) -> BrowserContext:
        """Return a browser window of its own in which the user, amara if none is named, is signed in."""
        context = self.browser.new_context(
            **{
                "base_url": self.live_server_url,
                "viewport": self.viewport,
                "color_scheme": self.colours,
                "java_script_enabled": self.javascript,
            }
            | options
        )
        context.set_default_timeout(PATIENCE)
        host = str(urlsplit(self.live_server_url).hostname)
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": self._session(user), "domain": host, "path": "/"}])
        context.on("request", self._note_other_hosts)
        context.on("response", lambda r: self.wrong.append(f"{r.status} at {r.url}") if r.status >= 500 else None)
        context.on("weberror", lambda error: self.wrong.append(f"script: {error.error}"))
        context.on("console", lambda m: self.wrong.append(f"console: {m.text}") if m.type == "error" else None)
        return context

    def open(self, address: str) -> Page:
        """Go to an address of the live server, wait until it and its scripts are loaded, and return the page."""
        self.page.goto(address, wait_until="load")
        return self.page

    def follow(self, link: Locator) -> None:
        """Click a link or a button that leads to another page, and wait until that and its scripts are loaded."""
        with self.page.expect_navigation(wait_until="load"):
            link.click()

    def proceed(self, name: str) -> None:
        """Press the button of that name, which leads to another page."""
        self.follow(self.page.get_by_role("button", name=name, exact=True))

    def look(self) -> None:
        """Fail where the page keeps people out, leaves a control without a name or scrolls sideways."""
        self.assert_accessible()
        self.assert_named()
        self.assert_fits()

    def assert_accessible(self, page: Page | None = None, within: str | None = None) -> None:
        """Fail with every violation of WCAG 2.1 AA that axe-core finds on the page, or in a part of it, in words."""
        found = Axe().run(page or self.page, within, {"runOnly": {"type": "tag", "values": LEVELS}})
        self.assertEqual(found.violations_count, 0, found.generate_report())

    def assert_named(self) -> None:
        """Fail with what a screen reader would read out as a bare "link", "button" or as the name of an icon."""
        tree = self.page.locator("body").aria_snapshot()
        self.assertEqual(NAMELESS.findall(tree), [], "controls without a name")
        icons = set(self.page.locator(".material-symbols-outlined").all_text_contents())
        words = {icon.strip() for icon in icons if "_" in icon}
        named = re.findall(r'^\s*- (?:link|button|columnheader|cell|img) "(.*?)"', tree, re.MULTILINE)
        self.assertEqual([name for name in named if words & set(name.split())], [], "names of icons read out")

    def assert_fits(self, page: Page | None = None) -> None:
        """Fail where the page scrolls sideways."""
        script = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        self.assertLessEqual((page or self.page).evaluate(script), 0, "the page is wider than the window")

    def _session(self, user: User | None) -> str:
        client = Client()
        client.force_login(user or self.user)
        return client.cookies[settings.SESSION_COOKIE_NAME].value

    def _note_other_hosts(self, request: Request) -> None:
        if not request.url.startswith((self.live_server_url, "data:", "blob:")):
            self.wrong.append(f"request to another host: {request.url}")
