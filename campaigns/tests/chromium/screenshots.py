"""Pictures of every page on the demo's data: light, dark and on a phone. `make screenshots` makes them.

All of them go to .screenshots, which is not kept; those that README.md and the documentation show, to docs/images.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize

from campaigns.models import Brand, Campaign
from campaigns.reasons import PauseReason
from campaigns.services.demo.fill import fill
from campaigns.services.jobs import CHECK_BUDGETS, run_full_check
from campaigns.tests.chromium.case import DESKTOP, PHONE, BrowserTestCase
from campaigns.tests.pages import every_model, page

ALL = settings.BASE_DIR / ".screenshots"
SHOWN = settings.BASE_DIR / "docs" / "images"
REDRAWN = 300
"""Milliseconds after which a page has followed its window."""

Look = tuple[str, ViewportSize, Literal["light", "dark"]]
LOOKS: Sequence[Look] = (("light", DESKTOP, "light"), ("dark", DESKTOP, "dark"), ("phone", PHONE, "light"))

IN_THE_DOCS = {
    "home-light": "home.png",
    "home-dark": "home-dark.png",
    "brand-light": "brand.png",
    "campaign-light": "campaign.png",
    "campaign-phone": "campaign-phone.png",
    "campaign-list-light": "campaigns.png",
}
"""Which pictures the documentation shows, and under which names."""


def pages() -> dict[str, str]:
    """Return the address of each page by the name of its picture."""
    lists = {
        f"{model._meta.model_name}-list": page(model, "changelist")
        for model in every_model()
        if model._meta.app_label in ("campaigns", "django_celery_beat")
    }
    reached = Campaign.objects.filter(pause_reasons=int(PauseReason.CAMPAIGN_DAILY_LIMIT), windows__isnull=False)
    campaign = reached.first() or Campaign.objects.filter(windows__isnull=False)[0]
    brand = Brand.objects.filter(monthly_budget__isnull=False)[0]
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
        shutil.rmtree(ALL, ignore_errors=True)
        ALL.mkdir()
        for look, viewport, colours in LOOKS:
            with self.open_browser(viewport=viewport, color_scheme=colours) as window:
                shown = window.new_page()
                for name, address in pages().items():
                    shown.goto(address, wait_until="networkidle")
                    if "-list" not in name:
                        show_whole(shown)
                    shown.screenshot(path=ALL / f"{name}-{look}.png")
                    shown.set_viewport_size(viewport)
        for name, file in IN_THE_DOCS.items():
            self.keep(ALL / f"{name}.png", SHOWN / file)

    def keep(self, taken: Path, shown: Path) -> None:
        self.assertTrue(taken.exists(), f"there is no picture {taken.name}: IN_THE_DOCS names it")
        shutil.copyfile(taken, shown)
