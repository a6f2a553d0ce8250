"""manage.py enforce: the full check by hand, told line by line, for any instant."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import time_machine
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models.functions import Now
from django.test import TestCase, override_settings

from campaigns.database.connection import execute
from campaigns.models import Brand, BrandPeriod, Campaign, JobRun, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.tests.support.checking import ACTIVE, check_at, reasons_of
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend, utc

NOON = "2026-11-20 12:00"
NOTHING = "Nothing to change."
SATURDAY = 1 << 5


class CommandTestCase(TestCase):
    """It is noon of Friday 2026-11-20, UTC."""

    def setUp(self) -> None:
        clock = time_machine.travel(utc(NOON), tick=False)
        clock.start()
        self.addCleanup(clock.stop)

    def enforce(self, *arguments: str) -> list[str]:
        """Run the command; return the lines that it printed, and keep its warnings."""
        out, err = StringIO(), StringIO()
        call_command("enforce", *arguments, stdout=out, stderr=err, no_color=True)
        self.warnings = err.getvalue()
        return out.getvalue().splitlines()

    def refused(self, *arguments: str) -> str:
        with self.assertRaises(CommandError) as refusal:
            self.enforce(*arguments)
        self.assertEqual(StatusChange.objects.count(), 0)
        return str(refusal.exception)


class ItTellsWhatItChanged(CommandTestCase):
    """R1: every reason, with what it was decided on."""

    def test_it_says_so_where_there_is_nothing_to_change(self) -> None:
        make_campaign()
        self.assertEqual(self.enforce(), [NOTHING])
        self.assertEqual(self.warnings, "")

    def test_it_tells_each_reason_with_spend_and_limit(self) -> None:
        brand = make_brand(name="Alpine", daily_budget=110, monthly_budget=1000)
        campaign = make_campaign(brand, name="Search", daily_spend_limit="0.5")
        spend(campaign, "1234.5", NOON)
        self.assertEqual(
            self.enforce(),
            [
                "Alpine / Search: active → paused: daily spend limit reached (1,234.50 of 0.50),"
                " brand's daily budget reached (1,234.50 of 110.00),"
                " brand's monthly budget reached (1,234.50 of 1,000.00)",
                "1 campaign changed.",
                "1 paused, 0 resumed, 1 changed, 1 pending rows folded.",
            ],
        )

    def test_it_tells_the_other_reasons_in_words(self) -> None:
        brand = make_brand(name="Alpine", enabled=False)
        make_window(make_campaign(brand, name="Search", enabled=False, starts_on="2026-11-21"), SATURDAY)
        make_campaign(brand, name="Video", ends_on="2026-11-19")
        self.assertEqual(
            self.enforce()[:3],
            [
                "Alpine / Search: active → paused: turned off, brand paused, not started yet, outside its schedule",
                "Alpine / Video: active → paused: brand paused, ended",
                "2 campaigns changed.",
            ],
        )

    def test_it_tells_them_by_brand_and_campaign(self) -> None:
        for brand, campaigns in (("Bison", ("Video", "Search")), ("Alpine", ("Search", "Video"))):
            made = make_brand(name=brand)
            for name in campaigns:
                make_campaign(made, name=name, enabled=False)
        expected = ["Alpine / Search", "Alpine / Video", "Bison / Search", "Bison / Video"]
        for arguments in (["--dry-run"], []):
            told = self.enforce(*arguments)
            self.assertEqual([line.split(":")[0] for line in told if " / " in line], expected, arguments)

    def test_it_tells_a_change_of_reasons_and_a_resumption(self) -> None:
        alpine = make_brand(name="Alpine")
        search, video = make_campaign(alpine, name="Search", enabled=False), make_campaign(alpine, name="Video")
        Campaign.objects.filter(pk=video.pk).update(pause_reasons=int(PauseReason.ENDED))
        Campaign.objects.filter(pk=search.pk).update(pause_reasons=int(PauseReason.ENDED))
        self.assertEqual(
            self.enforce(),
            [
                "Alpine / Search: paused: ended → paused: turned off",
                "Alpine / Video: paused: ended → active",
                "2 campaigns changed.",
                "0 paused, 1 resumed, 2 changed.",
            ],
        )

    def test_it_writes_history_in_its_own_name_and_notes_no_run_of_a_job(self) -> None:
        campaign = make_campaign(enabled=False)
        self.enforce()
        line = StatusChange.objects.get()
        self.assertEqual((line.campaign_id, line.actor, line.at), (campaign.pk, "manage.py enforce", utc(NOON)))
        self.assertEqual(JobRun.objects.count(), 0)

    def test_it_folds_and_closes_as_the_jobs_do(self) -> None:
        campaign = make_campaign()
        spend(campaign, 5, "2026-10-31 12:00")
        self.assertIn("1 pending rows folded, 2 periods closed", self.enforce()[-1])
        self.assertEqual(BrandPeriod.objects.filter(closed_at=utc(NOON), spend_at_close=5).count(), 2)

    def test_it_warns_of_a_zone_that_nobody_knows(self) -> None:
        make_brand(name="Lost")
        execute("UPDATE campaigns_brand SET timezone = 'Mars/Olympus'")
        make_campaign(make_brand(name="Alpine"), name="Search", enabled=False)
        self.assertEqual(self.enforce()[0], "Alpine / Search: active → paused: turned off")
        self.assertIn("Unknown time zone 'Mars/Olympus'", self.warnings)


@override_settings(DEBUG=True)
class AtMovesTheClockOnly(CommandTestCase):
    """--at changes only the time; budgets, spend and settings are the current ones."""

    def test_it_decides_for_that_instant(self) -> None:
        campaign = make_campaign(make_brand(name="Alpine"), name="Search", ends_on="2026-11-20")
        self.assertEqual(self.enforce("--at", "2026-11-20T23:59:59.999999+00:00")[0], NOTHING)
        self.assertEqual(
            self.enforce("--at", "2026-11-21T00:00:00+00:00")[0], "Alpine / Search: active → paused: ended"
        )
        self.assertEqual(reasons_of(campaign), PauseReason.ENDED)

    def test_it_takes_an_offset(self) -> None:
        make_campaign(ends_on="2026-11-20")
        self.assertEqual(self.enforce("--at", "2026-11-21T00:59:59+01:00")[0], NOTHING)
        self.assertIn("1 campaign changed.", self.enforce("--at", "2026-11-21T01:00:00+01:00"))

    def test_it_takes_an_offset_that_postgresql_does_not_read(self) -> None:
        make_campaign(ends_on="2026-11-20")
        self.assertIn("1 campaign changed.", self.enforce("--at", "2026-11-21T16:00:00+16:00"))

    @override_settings(TIME_ZONE="America/New_York")
    def test_it_takes_a_time_without_offset_in_the_applications_zone(self) -> None:
        make_campaign(make_brand(timezone="America/New_York"), ends_on="2026-11-20")
        self.assertEqual(self.enforce("--at", "2026-11-20 23:59")[0], NOTHING)
        self.assertIn("1 campaign changed.", self.enforce("--at", "2026-11-21 00:00"))
        self.assertEqual(StatusChange.objects.get().at, utc("2026-11-21 05:00"))

    def test_it_counts_todays_facts(self) -> None:
        campaign = make_campaign(daily_spend_limit=10)
        spend(campaign, 10, "2026-11-19 09:00")
        self.enforce("--at", "2026-11-19T12:00Z")
        self.assertEqual(reasons_of(campaign), PauseReason.CAMPAIGN_DAILY_LIMIT)
        Campaign.objects.update(daily_spend_limit=11)
        self.enforce("--at", "2026-11-19T12:00Z")
        self.assertEqual(reasons_of(campaign), ACTIVE)

    def test_it_warns_and_names_both_instants(self) -> None:
        self.enforce("--at", "2026-12-24T18:00:00+01:00")
        self.assertIn(
            "Using 2026-12-24T18:00:00+01:00 instead of the current time (2026-11-20T12:00:00+0000)", self.warnings
        )

    def test_it_notes_both_instants_in_the_history(self) -> None:
        make_campaign(enabled=False)
        self.enforce("--at", "2026-12-24T18:00:00+01:00")
        line = StatusChange.objects.get()
        self.assertEqual(
            (line.at, line.actor), (utc("2026-12-24 17:00"), "manage.py enforce --at 2026-12-24T18:00:00+01:00")
        )
        self.assertLess(abs(line.recorded_at - real_time()), timedelta(minutes=1))

    def test_it_is_put_right_by_the_next_check(self) -> None:
        campaign = make_campaign(ends_on="2026-11-20")
        self.enforce("--at", "2026-11-21T00:00Z")
        self.enforce()
        self.assertEqual(reasons_of(campaign), ACTIVE)


@override_settings(DEBUG=True)
class AtClosesByTheRealClock(CommandTestCase):
    """--at closes only periods that have ended by the real clock."""

    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign(make_brand(daily_budget=10, monthly_budget=100))
        spend(self.campaign, 4, "2026-11-19 12:00")
        spend(self.campaign, 5, NOON)

    def closed(self) -> list[tuple[str, Any]]:
        rows = BrandPeriod.objects.filter(closed_at__isnull=False).order_by("kind", "starts_on")
        return [(str(row), row.closed_at) for row in rows]

    def test_it_closes_nothing_ahead(self) -> None:
        self.enforce("--at", "2027-02-01T00:00Z")
        self.assertEqual(self.closed(), [("2026-11-19", utc(NOON))])

    def test_it_closes_what_has_ended_although_the_clock_is_moved_back(self) -> None:
        self.enforce("--at", "2026-11-18T12:00Z")
        self.assertEqual(self.closed(), [("2026-11-19", utc(NOON))])

    def test_it_leaves_the_next_checks_closing_as_it_would_have_been(self) -> None:
        self.enforce("--at", "2026-11-25T00:00Z")
        check_at("2026-11-21 00:00")
        self.assertEqual(self.closed(), [("2026-11-19", utc(NOON)), ("2026-11-20", utc("2026-11-21 00:00"))])


class AtNeedsForceWhereDebugIsOff(CommandTestCase):
    """--at needs --force in production. The test runner switches DEBUG off."""

    AT = ("--at", "2026-11-21T00:00Z")

    def test_it_refuses_and_says_what_to_do(self) -> None:
        make_campaign(enabled=False)
        sentence = self.refused(*self.AT)
        self.assertIn("--at 2026-11-21T00:00:00+00:00 would write statuses for another time than now", sentence)
        self.assertIn("Use --dry-run to write nothing, or --force to write.", sentence)

    def test_it_writes_with_force(self) -> None:
        campaign = make_campaign(enabled=False)
        self.enforce(*self.AT, "--force")
        self.assertEqual(reasons_of(campaign), PauseReason.CAMPAIGN_DISABLED)
        self.assertIn("instead of the current time", self.warnings)

    def test_it_may_look_without_force(self) -> None:
        campaign = make_campaign(enabled=False)
        self.assertIn("1 campaign would change.", self.enforce(*self.AT, "--dry-run"))
        self.assertEqual(reasons_of(campaign), ACTIVE)

    def test_it_needs_no_force_without_at(self) -> None:
        campaign = make_campaign(enabled=False)
        self.enforce()
        self.assertEqual(reasons_of(campaign), PauseReason.CAMPAIGN_DISABLED)


@override_settings(DEBUG=True)
class BadTimesAreRefused(CommandTestCase):
    """An invalid time gives a sentence and exit status 1, and changes nothing."""

    def test_it_refuses_an_invalid_time(self) -> None:
        make_campaign(enabled=False)
        for text in ("", "noon", "2026-02-30T12:00", "2026-11-20T24:01", "2026-11-20T12:00+25:00", "1795176000", "nan"):
            with self.subTest(text):
                sentence = f"--at {text!r} isn't a valid time: use the form 2026-11-30T23:59:00+01:00."
                self.assertEqual(self.refused("--at", text), sentence)

    def test_it_refuses_what_lies_out_of_range(self) -> None:
        make_campaign(enabled=False)
        for text in (
            "2011-12-31T23:59:59Z",
            "2100-01-01T00:00Z",
            "0001-01-01T00:00",
            "0001-01-01T00:00+14:00",
            "9999-12-31T23:59-12:00",
        ):
            with self.subTest(text):
                sentence = f"--at {text!r} is out of range: use a time between 2012 and 2100."
                self.assertEqual(self.refused("--at", text), sentence)

    def test_it_takes_the_first_and_the_last_instant(self) -> None:
        for text in ("2012-01-01T00:00Z", "2099-12-31T23:59:59.999999Z"):
            self.assertEqual(self.enforce("--at", text)[0], NOTHING)

    def test_it_refuses_an_argument_that_it_does_not_know(self) -> None:
        with self.assertRaisesMessage(CommandError, "unrecognized arguments: --now"):
            self.enforce("--now")


def real_time() -> datetime:
    """Return the database's own clock, which a test does not move."""
    return Brand.objects.annotate(clock=Now()).values_list("clock", flat=True)[0]
