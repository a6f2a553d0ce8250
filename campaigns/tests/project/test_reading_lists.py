"""The reading lists of docs/architecture.md are what really runs: no file is missing from one, and none is too much."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from campaigns import tasks
from campaigns.models import Campaign, StatusChange
from campaigns.tests.support.browser import AdminTestCase, open_form
from campaigns.tests.support.factories import make_brand, make_campaign, spend
from campaigns.tests.totals.reports import make_account, make_link, report

PAGE = settings.BASE_DIR / "docs" / "architecture.md"
LINE = re.compile(r"^\d+\. `(campaigns/.+?)`", re.MULTILINE)
# The lists leave out helpers, but nothing that decides, books or writes.
COMPLETE = "campaigns/services/"


def reading_list(title: str) -> list[str]:
    """Return the files of the section “Follow …”, in order."""
    _, _, section = PAGE.read_text().partition(f"### {title}\n")
    return LINE.findall(section.partition("\n##")[0])


def files_run(work: Callable[[], Any]) -> set[str]:
    """Return the Python files of the application of which a function is called meanwhile."""
    found: set[str] = set()
    root = f"{settings.BASE_DIR}/"

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_name not in ("<module>", "<lambda>"):
            found.add(frame.f_code.co_filename.removeprefix(root))

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return {name for name in found if name.startswith("campaigns/") and "/tests/" not in name}


class ReadingListTests(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign(make_brand(name="Alpine", daily_budget=10), name="Search")
        tasks.check_budgets()

    def follow(self, title: str, work: Callable[[], Any]) -> None:
        files = reading_list(title)
        self.assertTrue(files, f"no list “{title}”")
        for name in files:
            self.assertTrue((settings.BASE_DIR / name).is_file(), name)
        listed, run = {name for name in files if name.endswith(".py")}, files_run(work)
        self.assertEqual(listed - run, set(), "listed, but nothing of them runs")
        self.assertEqual({name for name in run - listed if name.startswith(COMPLETE)}, set(), "run, but not listed")

    def reasons(self) -> int:
        return Campaign.objects.get(pk=self.campaign.pk).pause_reasons

    def test_one_spend_row(self) -> None:
        spend(self.campaign, 20)
        self.follow("Follow one spend row", tasks.quick_check)
        self.assertTrue(self.reasons())

    def test_one_reported_total(self) -> None:
        make_link(self.campaign, account=make_account())
        today = f"{timezone.now():%Y-%m-%d}"
        for total in (20, 0):
            report(total, day=today, as_of=f"{timezone.now():%Y-%m-%d %H:%M:%S.%f}")
            listed, files = reading_list("Follow one reported total"), files_run(tasks.quick_check)
        listed = [name for name in listed if name.endswith(".py")]
        self.assertEqual(set(listed) - files, set(), "listed, but nothing of them runs")
        booking = {name for name in files if name.startswith("campaigns/services/totals/")}
        self.assertEqual(booking - set(listed), set(), "run, but not listed")

    def test_one_save(self) -> None:
        spend(self.campaign, 5)
        address = reverse("admin:campaigns_campaign_change", args=[self.campaign.pk])
        form = open_form(self.client, address, "campaign_form") | {"daily_spend_limit": "3"}
        self.follow("Follow one save", lambda: self.client.post(address, form))
        self.assertEqual(StatusChange.objects.get().actor, "amara")

    def test_one_check(self) -> None:
        spend(self.campaign, 20)
        self.follow("Follow one check", tasks.reset_daily_spend)
        self.assertTrue(self.reasons())

    def test_a_check_without_anything_to_do_runs_less(self) -> None:
        idle = {name for name in files_run(tasks.reset_daily_spend) if name.startswith(COMPLETE)}
        listed = {name for name in reading_list("Follow one check") if name.startswith(COMPLETE)}
        self.assertEqual(
            listed - idle,
            {
                "campaigns/services/ledger/locks.py",
                "campaigns/services/enforcement/status_changes.py",
                "campaigns/services/alerts/record.py",
            },
        )

    def test_one_import(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory) / "spend.csv"
            file.write_text(f"brand,campaign,amount,timestamp\nAlpine,Search,5,{timezone.now().isoformat()}\n")
            self.follow(
                "Follow one import",
                lambda: call_command("import_spend", str(file), stdout=StringIO(), stderr=StringIO()),
            )
        self.assertEqual(self.campaign.spend_records.count(), 1)
