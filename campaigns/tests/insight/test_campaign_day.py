"""The day's curve on a campaign's page: what is read for it, and when the campaign was paused."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from django.db import connection
from django.test import SimpleTestCase, TestCase
from django.test.utils import CaptureQueriesContext

from campaigns.models import Campaign, StatusChange
from campaigns.rules.reasons import PauseReason as Reason
from campaigns.services.insight import campaign_day
from campaigns.services.insight.campaign_day import (
    Pause,
    Point,
    Source,
    campaign_changes,
    find_pauses,
    read_day,
    total_paused,
)
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc

PARIS = ZoneInfo("Europe/Paris")
NOW = utc("2026-11-20 01:20+01:00")
START = utc("2026-11-20 00:00+01:00")


def local(clock: str) -> datetime:
    return utc(f"2026-11-20 {clock}+01:00")


def clock(at: datetime) -> str:
    return f"{at.astimezone(PARIS):%H:%M}"


class CurveTests(TestCase):
    def setUp(self) -> None:
        self.campaign = make_campaign(make_brand(timezone="Europe/Paris"))

    def day(self, spend_today: str, *lines: StatusChange, now: datetime = NOW) -> campaign_day.Day:
        return read_day(self.campaign, PARIS, spend_today=Decimal(spend_today), changes=lines[::-1], now=now)

    def test_it_adds_up_by_quarter_hours_of_the_brands_day(self) -> None:
        for at, amount in (
            ("2026-11-19 23:59:59+01:00", "7"),
            ("2026-11-20 00:00+01:00", "1.000001"),
            ("2026-11-20 00:14:59+01:00", "2"),
            ("2026-11-20 00:15+01:00", "-0.5"),
            ("2026-11-20 01:16+01:00", "4"),
            ("2026-11-21 00:00+01:00", "9"),
        ):
            spend(self.campaign, amount, at)
        spend(make_campaign(self.campaign.brand), 100, "2026-11-20 01:00+01:00")
        day = self.day("6.500001")
        self.assertEqual((day.start, day.end, day.source), (START, utc("2026-11-21 00:00+01:00"), Source.RECORDS))
        self.assertEqual(
            [(point.at, point.spend) for point in day.points],
            [
                (START, 0),
                (local("00:15"), Decimal("3.000001")),
                (local("00:30"), Decimal("2.500001")),
                (local("00:45"), Decimal("2.500001")),
                (local("01:00"), Decimal("2.500001")),
                (local("01:15"), Decimal("2.500001")),
                (NOW, Decimal("6.500001")),
            ],
        )

    def test_a_record_of_later_today_counts_now_as_it_does_for_the_limit(self) -> None:
        spend(self.campaign, 5, "2026-11-20 20:00+01:00")
        self.assertEqual(self.day("5").points[-1], Point(NOW, Decimal(5)))

    def test_at_the_first_instant_of_the_day_there_is_one_point(self) -> None:
        self.assertEqual(self.day("0", now=START).points, [Point(START, Decimal(0))])

    def test_a_day_whose_clocks_change_has_its_own_length(self) -> None:
        day = read_day(self.campaign, PARIS, spend_today=Decimal(0), changes=[], now=utc("2026-10-25 12:00"))
        self.assertEqual((day.end - day.start).total_seconds(), 25 * 3600)

    def test_a_campaign_of_many_records_reads_those_that_came_last(self) -> None:
        spend(self.campaign, 1, "2026-11-19 10:00+01:00")
        first = spend(self.campaign, 2, "2026-11-20 00:10+01:00")
        spend(self.campaign, 3, "2026-11-20 01:10+01:00")
        old = type(first)._base_manager.filter(pk__lt=first.pk)
        old.update(recorded_at=START)
        spend(make_campaign(), 1)
        with patch.object(campaign_day, "MAX_OWN_RECORDS", 2), patch.object(campaign_day, "MAX_LATEST_RECORDS", 3):
            self.assertEqual(self.day("5").source, Source.HISTORY)  # that one may be of today too
            old.update(recorded_at=utc("2026-11-19 23:59:59+01:00"))
            self.assertEqual(self.day("5").source, Source.RECORDS)
            self.assertEqual(self.day("5").points[-1].spend, 5)
            self.assertEqual(self.day("5.000001").source, Source.HISTORY)  # a record that was dated ahead
        with patch.object(campaign_day, "MAX_OWN_RECORDS", 2):
            self.assertEqual(self.day("5").source, Source.HISTORY)  # three of its own are among them
        with patch.object(campaign_day, "MAX_OWN_RECORDS", 3), patch.object(campaign_day, "MAX_LATEST_RECORDS", 0):
            self.assertEqual(self.day("5").source, Source.RECORDS)

    def test_too_many_records_leave_what_the_history_knows(self) -> None:
        for _ in range(3):
            spend(self.campaign, 1, "2026-11-20 01:00+01:00")
        of = {"campaign": self.campaign, "reasons_before": 0, "reasons_after": 32}
        lines = [
            StatusChange(at=utc(f"2026-11-{at}+01:00"), campaign_spend=Decimal(spent), **of)
            for at, spent in (("19 23:00", 9), ("20 00:00", 8), ("20 01:00", 2))
        ]
        with patch.object(campaign_day, "MAX_OWN_RECORDS", 2), patch.object(campaign_day, "MAX_LATEST_RECORDS", 1):
            day = self.day("3", *lines)
        self.assertEqual(day.source, Source.HISTORY)
        self.assertEqual(
            day.points, [Point(START, Decimal(0)), Point(local("01:00"), Decimal(2)), Point(NOW, Decimal(3))]
        )

    def test_what_it_reads_does_not_grow_with_the_ledger(self) -> None:
        for _ in range(30):
            spend(self.campaign, 1, "2026-11-20 01:00+01:00")
        with patch.object(campaign_day, "MAX_OWN_RECORDS", 5), patch.object(campaign_day, "MAX_LATEST_RECORDS", 10):
            with CaptureQueriesContext(connection) as captured:
                self.day("30")
            self.assertLessEqual(len(captured), 5)
            asked = captured.captured_queries[0]["sql"]
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{asked}")
            plan = str(cursor.fetchall())
        if connection.vendor == "sqlite":
            self.assertIn("SEARCH campaigns_spendrecord USING COVERING INDEX", plan)

    def test_the_lines_that_are_read_are_the_last_ones(self) -> None:
        amounts = dict.fromkeys(("campaign_spend", "brand_day_spend", "brand_month_spend"), Decimal(0))
        for minute in range(4):
            StatusChange.objects.create(
                campaign=self.campaign,
                at=local(f"00:0{minute}"),
                reasons_before=0,
                reasons_after=1,
                actor="amara",
                **amounts,
            )
        with patch.object(campaign_day, "MAX_CHANGES", 2):
            self.assertEqual([line.at for line in campaign_changes(self.campaign)], [local("00:03"), local("00:02")])


class PausesTests(SimpleTestCase):
    """Lines are given as clock, reasons before and reasons after, in the order in which they were written."""

    def found(self, reasons: int, *lines: tuple[str, int, int]) -> list[tuple[Any, Any, int]]:
        written = [
            StatusChange(at=utc(f"2026-11-{at}+01:00"), reasons_before=before, reasons_after=after)
            for at, before, after in lines
        ]
        campaign = Campaign(pause_reasons=reasons)
        stretches = find_pauses(campaign, written[::-1], START, NOW)
        return [
            (f"{x.start.astimezone(PARIS):%H:%M}", f"{x.end.astimezone(PARIS):%H:%M}", x.reasons) for x in stretches
        ]

    def test_active_all_day(self) -> None:
        self.assertEqual(self.found(0), [])
        self.assertEqual(self.found(0, ("19 22:00", 16, 0)), [])

    def test_paused_all_day(self) -> None:
        self.assertEqual(self.found(16), [("00:00", "01:20", 16)])
        self.assertEqual(self.found(16, ("19 22:00", 0, 16)), [("00:00", "01:20", 16)])
        self.assertEqual(self.found(16, ("20 00:00", 0, 16)), [("00:00", "01:20", 16)])

    def test_each_stretch_has_its_reasons(self) -> None:
        self.assertEqual(
            self.found(
                0,
                ("19 22:00", 0, 16),
                ("20 00:30", 16, 48),
                ("20 00:40", 48, 0),
                ("20 00:50", 0, 1),
                ("20 01:00", 1, 0),
            ),
            [("00:00", "00:30", 16), ("00:30", "00:40", 48), ("00:50", "01:00", 1)],
        )

    def test_what_began_before_the_lines_that_were_read(self) -> None:
        self.assertEqual(self.found(0, ("20 00:40", 16, 0)), [("00:00", "00:40", 16)])

    def test_a_line_of_later_than_now(self) -> None:
        self.assertEqual(self.found(16, ("20 02:00", 0, 16)), [])

    def test_how_long_in_all(self) -> None:
        reason = Reason.OUTSIDE_SCHEDULE
        stretches = [Pause(local("00:00"), local("00:30"), reason), Pause(local("01:00"), local("01:20"), reason)]
        self.assertEqual(total_paused(stretches).total_seconds(), 50 * 60)
