"""Pictures of every page on the demo's data: light, dark and on a phone. `make screenshots` makes them.

All of them go to .screenshots, which is not kept; those that README.md and the documentation show, to docs/images.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Literal

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize

from campaigns.models import Brand, Campaign, Heartbeat
from campaigns.services.demo.fill import fill
from campaigns.services.jobs.full_check import CHECK_BUDGETS, run_full_check
from campaigns.services.jobs.processes import note_heartbeat
from campaigns.tests.chromium.case import DESKTOP, PHONE, BrowserTestCase
from campaigns.tests.support.pages import every_model, page

ALL = settings.BASE_DIR / ".screenshots"
SHOWN = settings.BASE_DIR / "docs" / "images"
# Milliseconds after which a page has followed its window.
REDRAWN = 300

Look = tuple[str, ViewportSize, Literal["light", "dark"]]
LOOKS: Sequence[Look] = (("light", DESKTOP, "light"), ("dark", DESKTOP, "dark"), ("phone", PHONE, "light"))

# Of the demo: a brand with both budgets, and a campaign with a limit and windows.
BRAND, CAMPAIGN = "Nordlicht Optik", "Eye test bookings"

# Of which pictures the documentation shows so many pixels from the top.
IN_THE_DOCS = {
    "home-light": 1290,
    "home-dark": 900,
    "brand-light": 680,
    "campaign-light": 1420,
    "campaign-phone": 1100,
    "campaign-list-light": 900,
}


def pages() -> dict[str, str]:
    """Return the address of each page by the name of its picture."""
    lists = {
        f"{model._meta.model_name}-list": page(model, "changelist")
        for model in every_model()
        if model._meta.app_label in ("campaigns", "django_celery_beat")
    }
    campaign = Campaign.objects.get(name=CAMPAIGN)
    brand = Brand.objects.get(name=BRAND)
    return {
        "home": reverse("admin:index"),
        "brand": page(Brand, "change", brand.pk),
        "campaign": page(Campaign, "change", campaign.pk),
        "brand-new": page(Brand, "add"),
        "campaign-new": page(Campaign, "add"),
        **lists,
    }


def show_whole(shown: Page) -> None:
    """Make the window as high as the page, or what sticks to the window's edge would lie across the picture."""
    assert shown.viewport_size
    height = int(shown.evaluate("() => document.documentElement.scrollHeight"))
    shown.set_viewport_size({"width": shown.viewport_size["width"], "height": height})
    shown.wait_for_timeout(REDRAWN)


class Screenshots(BrowserTestCase):
    def test_they_are_taken(self) -> None:
        fill(now=timezone.now())
        run_full_check(CHECK_BUDGETS, clock=timezone.now)
        for kind in Heartbeat.Kind.values:
            note_heartbeat(kind, "one", now=timezone.now())
        shutil.rmtree(ALL, ignore_errors=True)
        ALL.mkdir()
        for look, viewport, colours in LOOKS:
            with self.open_browser(viewport=viewport, color_scheme=colours) as window:
                shown = window.new_page()
                for name, address in pages().items():
                    shown.goto(address, wait_until="networkidle")
                    self.take(shown, f"{name}-{look}", is_list="-list" in name)
                    shown.set_viewport_size(viewport)
        self.assertEqual({path.stem for path in SHOWN.glob("*.png")} & set(IN_THE_DOCS), set(IN_THE_DOCS))

    def take(self, shown: Page, name: str, *, is_list: bool) -> None:
        """Take the picture of a page; of a list only what a window shows of it."""
        if not is_list:
            show_whole(shown)
        shown.screenshot(path=ALL / f"{name}.png")
        if name in IN_THE_DOCS and shown.viewport_size:
            width, height = shown.viewport_size["width"], IN_THE_DOCS[name]
            shown.screenshot(path=SHOWN / f"{name}.png", clip={"x": 0, "y": 0, "width": width, "height": height})
