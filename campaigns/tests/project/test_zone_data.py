"""Zone data: the newer of the system's and the package's, and what a change of them asks for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib.resources import as_file, files
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import time_machine
import tzdata
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client, SimpleTestCase, TestCase
from django_celery_beat.models import CrontabSchedule

from budget_manager import zone_data
from campaigns.models import BrandPeriod, CampaignDay
from campaigns.services.ledger.fold import fold
from campaigns.tests.support.checking import check_at
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.processes import BASE_DIR

LONG_AGO, FAR_AHEAD = "2012a", "2999a"


@contextmanager
def folder_of_zones(version_file: str, version: str) -> Iterator[Path]:
    """Give zone data in which Vancouver keeps Los Angeles's winter time, as releases before 2026 have it."""
    with tempfile.TemporaryDirectory() as name, as_file(files("tzdata") / "zoneinfo") as packaged:
        folder = Path(name)
        (folder / "America").mkdir()
        shutil.copy(packaged / "UTC", folder)
        shutil.copy(packaged / "America/Los_Angeles", folder / "America/Vancouver")
        if version_file:
            (folder / version_file).write_text(version)
        yield folder


def used_with(folder: Path, **values: str) -> list[str]:
    """Return what a process uses whose system has its zone data there, and what Vancouver's clocks are from UTC."""
    code = (
        "import sys, zoneinfo; from datetime import datetime\n"
        "if sys.argv[2:]: zoneinfo.reset_tzpath(to=[sys.argv[2]])\n"
        "zoneinfo.ZoneInfo('UTC')\n"
        "from budget_manager.zone_data import use_newest\n"
        "print(use_newest())\n"
        "winter = datetime(2027, 1, 10, tzinfo=zoneinfo.ZoneInfo('America/Vancouver'))\n"
        "print(winter.utcoffset().total_seconds() // 3600)\n"
    )
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONTZPATH"}
    at_start = [str(folder)] if "PYTHONTZPATH" not in values else []
    result = subprocess.run(
        [sys.executable, "-c", code, "-", *at_start],
        cwd=BASE_DIR,
        env={**clean, **values},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


class Newest(SimpleTestCase):
    PACKAGE = [f"{tzdata.IANA_VERSION} (the package tzdata)", "-7.0"]

    def test_it_uses_the_packages_where_the_systems_are_older(self) -> None:
        for name, text in (("tzdata.zi", f"# version {LONG_AGO}\n# more\n"), ("+VERSION", f"{LONG_AGO}\n")):
            with self.subTest(name), folder_of_zones(name, text) as folder:
                self.assertEqual(used_with(folder), self.PACKAGE)

    def test_it_uses_the_systems_where_they_are_newer_or_the_same(self) -> None:
        for version in (FAR_AHEAD, tzdata.IANA_VERSION):
            with self.subTest(version), folder_of_zones("tzdata.zi", f"# version {version}\n") as folder:
                self.assertEqual(used_with(folder), [f"{version} ({folder})", "-8.0"])

    def test_it_uses_the_packages_where_the_systems_have_no_version(self) -> None:
        for name, text in (("", ""), ("tzdata.zi", "# something else\n"), ("+VERSION", "")):
            with self.subTest(name), folder_of_zones(name, text) as folder:
                self.assertEqual(used_with(folder), self.PACKAGE)

    def test_it_uses_the_packages_where_the_system_has_none(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(used_with(Path(folder)), self.PACKAGE)

    def test_it_leaves_it_to_pythontzpath(self) -> None:
        with folder_of_zones("tzdata.zi", f"# version {LONG_AGO}\n") as folder:
            used = used_with(folder, PYTHONTZPATH=str(folder))
            self.assertEqual(used, [f"{LONG_AGO} ({folder})", "-8.0"])

    def test_a_release_follows_another(self) -> None:
        versions = ["2027a", "2026za", "2026z", "2026f", "2025b", ""]
        self.assertEqual(sorted(versions, key=zone_data._key, reverse=True), versions)


class InUse(TestCase):
    def test_this_process_uses_none_that_are_older_than_the_packages(self) -> None:
        self.assertGreaterEqual(settings.ZONE_DATA.version, tzdata.IANA_VERSION)

    def test_health_says_which(self) -> None:
        self.assertEqual(Client().get("/health/jobs").json()["zone_data"], str(settings.ZONE_DATA))

    def test_a_row_after_midnight_counts_for_the_day_that_its_zones_clocks_show(self) -> None:
        campaign = make_campaign(make_brand(timezone="America/Vancouver"))
        spend(campaign, 3, at=utc("2027-01-10 07:30"))  # 00:30 there, where clocks stay on summer time since 2026
        fold()
        self.assertEqual(CampaignDay.objects.get().day, date(2027, 1, 10))


@contextmanager
def zones_of(folder: Path) -> Iterator[None]:
    """Let this process read Vancouver's clocks there.

    Other zones stay as they are loaded: zones compare by identity, and fields have them as their choices.
    """
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=[str(folder)])
    ZoneInfo.clear_cache(only_keys=["America/Vancouver"])
    try:
        yield
    finally:
        zoneinfo.reset_tzpath(to=before)
        ZoneInfo.clear_cache(only_keys=["America/Vancouver"])


@time_machine.travel(utc("2027-01-12 12:00"), tick=False)
class Update(TestCase):
    """docs/operations.md, "Zone data": what has been booked by old rules is verified and repaired by new ones."""

    def test_it_leaves_other_zones_as_fields_have_them(self) -> None:
        with folder_of_zones("tzdata.zi", f"# version {LONG_AGO}\n") as folder, zones_of(folder):
            pass
        zone = CrontabSchedule._meta.get_field("timezone")
        self.assertIn(ZoneInfo("UTC"), [choice for choice, _ in zone.choices or ()])

    def test_a_repair_books_by_the_new_rules_and_keeps_closed_statements(self) -> None:
        campaign = make_campaign(make_brand(timezone="America/Vancouver", created_at=utc("2027-01-01 12:00")))
        spend(campaign, 3, at=utc("2027-01-10 07:30"))
        with folder_of_zones("tzdata.zi", f"# version {LONG_AGO}\n") as folder, zones_of(folder):
            check_at(utc("2027-01-11 12:00"))
            self.assertEqual(CampaignDay.objects.get().day, date(2027, 1, 9))
        with self.assertRaisesMessage(CommandError, "run verify_spend --repair"):
            call_command("verify_spend", "--since", "2027-01-01", stdout=StringIO())
        call_command("verify_spend", "--since", "2027-01-01", "--repair", stdout=StringIO())
        call_command("verify_spend", stdout=StringIO())
        spent = dict(CampaignDay.objects.exclude(spend=0).values_list("day", "spend"))
        self.assertEqual(spent, {date(2027, 1, 10): 3})
        closed = BrandPeriod.objects.filter(kind="day", starts_on=date(2027, 1, 9))
        self.assertEqual(closed.values_list("spend", "spend_at_close").get(), (0, 3))
