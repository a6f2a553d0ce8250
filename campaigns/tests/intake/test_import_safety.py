"""Importing reads values, whatever they look like: nothing in a file is run, opened or looked up elsewhere."""

from __future__ import annotations

import csv
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.urls import reverse

from campaigns.models import Brand, Campaign, SpendRecord
from campaigns.tests.support.browser import AdminTestCase

NAMES = (
    "=cmd|' /C calc'!A0",
    "$(touch /tmp/never)",
    "`touch /tmp/never`",
    "| touch /tmp/never",
    "../../../../etc/passwd",
    "file:///etc/passwd",
    "@/etc/passwd",
    "'; DROP TABLE campaigns_brand; --",
    "{{ 7*7 }}{% debug %}",
    "%(password)s {0.__class__}",
    "<script>alert(1)</script>",
    "\\copy campaigns_brand from '/etc/passwd'",
    "\\.",
    "!!python/object/apply:os.system [id]",
)


STARTS_CODE = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "pickle.find_class")
_listeners: list[list[tuple[str, str]]] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _listeners and (event == "open" or event in STARTS_CODE):
        _listeners[-1].append((event, str(arguments[0])))


sys.addaudithook(_hear)  # Python takes none back, so it listens only while a test asks for it


@contextmanager
def heard() -> Iterator[list[tuple[str, str]]]:
    """Yield the files that Python opens, and the programs and pickles that it starts."""
    events: list[tuple[str, str]] = []
    _listeners.append(events)
    try:
        yield events
    finally:
        _listeners.pop()


class ImportSafety(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def write(self, lines: list[list[str]]) -> Path:
        path = self.directory / "spend.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([["timestamp", "brand", "campaign", "amount", "external_id"], *lines])
        return path

    def run_import(self, path: Path, *options: str) -> None:
        output = (self.directory / "out").open("w")
        with output:
            call_command("import_spend", str(path), *options, stdout=output, stderr=output)

    def test_values_are_kept_as_they_are_and_opened_nowhere(self) -> None:
        path = self.write([["2026-11-20T12:00:00Z", name, name, "1", name] for name in NAMES])
        with heard() as events:
            self.run_import(path, "--create")
        self.assertIn(("open", str(path)), events)
        message = {what for event, what in events if event == "open"}
        self.assertFalse([what for what in message if "passwd" in what or "never" in what])
        self.assertLessEqual({event for event, _ in events}, {"open"})
        self.assertEqual(set(Brand.objects.values_list("name", flat=True)), set(NAMES))
        self.assertEqual(set(Campaign.objects.values_list("name", flat=True)), set(NAMES))
        self.assertEqual(set(SpendRecord.objects.values_list("external_id", flat=True)), set(NAMES))

    def test_pages_show_them_as_text(self) -> None:
        self.run_import(self.write([["2026-11-20T12:00:00Z", name, name, "1", name] for name in NAMES]), "--create")
        for name in ("brand", "campaign", "spendrecord", "statuschange", "brandperiod"):
            page = self.client.get(reverse(f"admin:campaigns_{name}_changelist"))
            self.assertNotContains(page, "<script>alert")
            self.assertNotContains(page, "49{%")
        self.assertContains(self.client.get(reverse("admin:campaigns_brand_changelist")), "{{ 7*7 }}{% debug %}")

    def test_a_spreadsheet_reckons_nothing_of_the_refused_lines(self) -> None:
        starts = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "2026")
        errors = self.directory / "errors.csv"
        good = ["2026-11-20T12:00:00Z", "Alpine", "Search", "1", "a"]
        path = self.write([[start, "Alpine", "Search", "1", ""] for start in starts] + [good])
        self.run_import(path, "--create", "--skip-errors", "--errors", str(errors))
        with errors.open(newline="") as file:
            written = [row["text"] for row in csv.DictReader(file)]
        self.assertEqual(
            [text.partition(",")[0] for text in written], ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t'=1", "2026"]
        )
