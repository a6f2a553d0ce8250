"""manage.py prune_history: old lines go, each campaign's last one stays, and what is left tells today's state (R13)."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from unittest.mock import patch

import time_machine
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import TestCase, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import Campaign, SettingChange, SpendRecord, StatusChange
from campaigns.services.history.record import ChangedRow, Channel, Source, record_changes
from campaigns.services.ledger import prune
from campaigns.services.ledger.prune import Pruned, prune_history
from campaigns.tests.support.checking import enforce_at
from campaigns.tests.support.factories import make_campaign, spend, utc
from campaigns.tests.support.outside import POSTGRESQL
from campaigns.tests.support.together import ConcurrencyTestCase, meanwhile

CUT = utc("2026-11-01 00:00")
BEFORE, AFTER = CUT - timedelta(microseconds=1), CUT


def line(campaign: Campaign, recorded_at: datetime, before: int = 0, after: int = 1) -> int:
    """Write a line as a decision does, with the campaign's reasons, and return its id."""
    Campaign.objects.filter(pk=campaign.pk).update(pause_reasons=after)
    return StatusChange.objects.create(
        campaign=campaign,
        at=recorded_at,
        recorded_at=recorded_at,
        reasons_before=before,
        reasons_after=after,
        actor="test",
        campaign_spend=0,
        brand_day_spend=0,
        brand_month_spend=0,
    ).pk


def left() -> list[int]:
    return list(StatusChange.objects.order_by("pk").values_list("pk", flat=True))


def prune_before(before: datetime = CUT, **options: Any) -> int:
    return prune_history(before=before, on_batch=lambda pruned: None, **options)


def command(*args: str) -> str:
    out = StringIO()
    call_command("prune_history", *args, stdout=out)
    return out.getvalue()


class SettingsTests(TestCase):
    def change(self, at: datetime) -> None:
        row = ChangedRow(self.campaign.brand_id, self.campaign.pk, "Search", {"enabled": (True, False)}, "USD", "USD")
        record_changes([row], Source("amara", Channel.BULK), at=at)

    def test_changes_of_settings_go_on_request_only(self) -> None:
        self.campaign = make_campaign()
        for at in (BEFORE - timedelta(days=900), BEFORE, AFTER):
            self.change(at)
        self.assertNotIn("settings", command("--before", "2026-11-01"))
        self.assertEqual(SettingChange.objects.count(), 3)
        dry = command("--before", "2026-11-01", "--with-settings", "--dry-run")
        self.assertIn("2 changes of settings from before 2026-11-01 00:00 (UTC) would be deleted.", dry)
        self.assertEqual(SettingChange.objects.count(), 3)
        done = command("--before", "2026-11-01", "--with-settings")
        self.assertIn("2 changes of settings from before 2026-11-01 00:00 (UTC) were deleted.", done)
        self.assertEqual(list(SettingChange.objects.values_list("at", flat=True)), [AFTER])


class WhatGoes(TestCase):
    def test_it_deletes_what_was_recorded_before_the_instant(self) -> None:
        campaign = make_campaign()
        line(campaign, BEFORE - timedelta(days=900))
        line(campaign, BEFORE)
        kept = [line(campaign, AFTER), line(campaign, AFTER)]
        self.assertEqual(prune_before(), 2)
        self.assertEqual(left(), kept)

    def test_it_keeps_each_campaigns_last_line_whatever_its_age(self) -> None:
        quiet, busy = make_campaign(), make_campaign()
        line(quiet, BEFORE - timedelta(days=900))
        line(busy, BEFORE)
        kept = [line(quiet, BEFORE - timedelta(days=800)), line(busy, BEFORE)]
        make_campaign()
        self.assertEqual(prune_before(), 2)
        self.assertEqual(left(), kept)
        self.assertEqual(prune_before(), 0)

    def test_it_goes_by_when_a_line_was_written_not_by_what_it_was_decided_for(self) -> None:
        campaign = make_campaign(enabled=False)
        enforce_at("2012-06-01 12:00")
        line(campaign, timezone.now())
        self.assertEqual(prune_before(), 0)
        self.assertEqual(len(left()), 2)

    def test_it_looks_at_the_lines_in_batches(self) -> None:
        campaign = make_campaign()
        for _ in range(10):
            line(campaign, BEFORE)
        heard: list[Pruned] = []
        with patch.object(prune, "BATCH", 3):
            prune_history(before=CUT, on_batch=heard.append)
        self.assertEqual([pruned.lines for pruned in heard], [3, 6, 9, 9])
        self.assertEqual((heard[-1].at, len(left())), (heard[-1].last, 1))

    def test_a_batch_takes_two_statements(self) -> None:
        campaign = make_campaign()
        for _ in range(30):
            line(campaign, BEFORE)
        with CaptureQueriesContext(connection) as captured, patch.object(prune, "BATCH", 10):
            prune_before()
        self.assertEqual(len(captured), 1 + 3 * 2 + 1)  # the last one is of the feed

    def test_a_dry_run_counts_and_deletes_nothing(self) -> None:
        campaign = make_campaign()
        for _ in range(5):
            line(campaign, BEFORE)
        with patch.object(prune, "BATCH", 2):
            self.assertEqual((prune_before(dry_run=True), len(left())), (4, 5))
            self.assertEqual((prune_before(), len(left())), (4, 1))

    def test_an_empty_history_is_no_error(self) -> None:
        self.assertEqual(prune_before(), 0)

    def test_the_ledger_stays(self) -> None:
        campaign = make_campaign()
        spend(campaign, 5, "2020-01-01 12:00")
        for _ in range(3):
            line(campaign, BEFORE)
        prune_before()
        self.assertEqual(SpendRecord.objects.count(), 1)


class WhatIsLeft(TestCase):
    """History replayed from the first line that is left gives today's state."""

    def test_it_still_ends_in_todays_state(self) -> None:
        chance = random.Random(8)
        campaigns = [make_campaign() for _ in range(12)]
        state = dict.fromkeys((campaign.pk for campaign in campaigns), 0)
        for day in range(150):
            campaign = chance.choice(campaigns[: 4 + day % 9])
            after = chance.choice([flags for flags in (0, 1, 8, 33) if flags != state[campaign.pk]])
            line(campaign, CUT - timedelta(days=140 - day), state[campaign.pk], after)
            state[campaign.pk] = after
        for cut in (CUT - timedelta(days=90), CUT, CUT + timedelta(days=9)):
            prune_before(cut)
            self.assert_replays()
        self.assertLess(len(left()), 30)

    def assert_replays(self) -> None:
        replayed: dict[int, int] = {}
        for campaign, before, after in StatusChange.objects.order_by("pk").values_list(
            "campaign", "reasons_before", "reasons_after"
        ):
            self.assertEqual(replayed.get(campaign, before), before)
            replayed[campaign] = after
        for pk, flags in Campaign.objects.values_list("pk", "pause_reasons"):
            self.assertEqual(replayed.get(pk, 0), flags)


class TheCommand(TestCase):
    def test_it_says_how_many_and_from_when(self) -> None:
        campaign = make_campaign()
        for _ in range(3):
            line(campaign, BEFORE)
        told = "2 status changes from before 2026-11-01 00:00 (UTC) {} be deleted. Each campaign keeps its latest.\n"
        with time_machine.travel(utc("2026-11-20 12:00")):
            self.assertEqual(command("--before", "2026-11-01", "--dry-run"), told.format("would"))
            self.assertEqual(command("--before", "2026-11-01"), told.format("were").replace(" be ", " "))
            self.assertIn("0 status changes", command("--before", "2026-11-01"))

    @override_settings(TIME_ZONE="America/New_York")
    def test_a_day_begins_at_midnight_in_the_applications_zone(self) -> None:
        campaign = make_campaign()
        line(campaign, utc("2026-11-01 03:59:59"))
        kept = [line(campaign, utc("2026-11-01 04:00")), line(campaign, utc("2026-11-01 05:00"))]
        with time_machine.travel(utc("2026-11-20 12:00")):
            self.assertIn(
                "1 status change from before 2026-11-01 00:00 (America/New_York) was", command("--before=2026-11-01")
            )
        self.assertEqual(left(), kept)

    def test_it_refuses_what_is_no_date(self) -> None:
        for text in ("yesterday", "2026-02-30", "", "2026-11-01 12:00", "9999999-01-01", "01.11.2026", "2026"):
            with (
                self.subTest(text),
                self.assertRaisesMessage(CommandError, "isn't a valid date: use the form 2026-11-01."),
            ):
                command("--before", text)

    def test_it_refuses_a_date_that_is_still_to_come(self) -> None:
        with time_machine.travel(utc("2026-11-20 23:59")):
            with self.assertRaisesMessage(CommandError, "--before 2026-11-21 is in the future") as refused:
                command("--before", "2026-11-21")
            self.assertEqual(refused.exception.returncode, 1)
            command("--before", "2026-11-20")

    def test_the_ends_of_the_calendar_are_no_error(self) -> None:
        with override_settings(TIME_ZONE="Asia/Tokyo"):
            self.assertIn("0 status changes", command("--before", "0001-01-02"))
        with self.assertRaisesMessage(CommandError, "is in the future"):
            command("--before", "9999-12-31")

    def test_what_is_interrupted_says_what_is_done_and_goes_on(self) -> None:
        campaign = make_campaign()
        for _ in range(10):
            line(campaign, BEFORE)
        real, calls = prune._prune, [0]

        def interrupted(*args: Any) -> int:
            calls[0] += 1
            if calls[0] == 3:
                raise KeyboardInterrupt
            return real(*args)

        with time_machine.travel(utc("2026-11-20 12:00")), patch.object(prune, "BATCH", 3):
            with (
                patch.object(prune, "_prune", interrupted),
                self.assertRaisesMessage(CommandError, "Interrupted. 6 status changes") as stopped,
            ):
                command("--before", "2026-11-01")
            self.assertEqual((stopped.exception.returncode, len(left())), (130, 4))
            command("--before", "2026-11-01")
        self.assertEqual(len(left()), 1)


class BesideOthers(ConcurrencyTestCase):
    def test_a_line_that_is_not_committed_makes_the_one_before_it_no_former_one(self) -> None:
        campaign = make_campaign()
        last = line(campaign, BEFORE)
        if POSTGRESQL:
            with transaction.atomic():
                line(campaign, AFTER)
                meanwhile(prune_before)
                transaction.set_rollback(True)
        self.assertEqual(left(), [last])

    def test_a_line_written_meanwhile_lets_the_one_before_it_go_and_stays(self) -> None:
        campaign = make_campaign()
        written: list[int] = []
        line(campaign, BEFORE)
        line(campaign, BEFORE)

        def write(pruned: Pruned) -> None:
            if not written:
                meanwhile(lambda: written.append(line(campaign, BEFORE)))

        with patch.object(prune, "BATCH", 1):
            prune_history(before=CUT, on_batch=write)
        self.assertEqual(left(), written)

    def test_two_at_once_leave_each_last_line(self) -> None:
        campaigns = [make_campaign() for _ in range(5)]
        kept = [line(campaign, BEFORE) for _ in range(20) for campaign in campaigns][-5:]
        with patch.object(prune, "BATCH", 7):
            prune_history(before=CUT, on_batch=lambda pruned: meanwhile(prune_before))
        self.assertEqual(left(), kept)

    if POSTGRESQL:  # SQLite has one writer at a time

        def test_it_waits_for_nobody(self) -> None:
            """A campaign that somebody is deleting holds its lines; those of others go."""
            going, staying = make_campaign(), make_campaign()
            for campaign in (going, going, staying):
                line(campaign, BEFORE)
            last = line(staying, BEFORE)
            with transaction.atomic():
                Campaign.objects.filter(pk=going.pk).delete()
                meanwhile(prune_before)
            self.assertEqual(left(), [last])
