"""The format of instants for people: always with the zone, by its abbreviation or offset."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.test import SimpleTestCase

from campaigns.rules.times import format_clock, format_time
from campaigns.tests.support.factories import utc


class Times(SimpleTestCase):
    def test_the_zone_is_always_said(self) -> None:
        for zone, at, shown in (
            ("UTC", "2026-11-28 14:05:09", "2026-11-28 14:05:09 UTC"),
            ("Europe/Paris", "2026-11-28 14:05:09", "2026-11-28 15:05:09 CET"),
            ("Europe/Paris", "2026-10-25 00:30:00", "2026-10-25 02:30:00 CEST"),
            ("Europe/Paris", "2026-10-25 01:30:00", "2026-10-25 02:30:00 CET"),
            ("America/Sao_Paulo", "2026-11-28 02:05:09", "2026-11-27 23:05:09 UTC-3"),
            ("Asia/Kathmandu", "2026-11-28 14:05:09", "2026-11-28 19:50:09 UTC+5:45"),
            ("Pacific/Marquesas", "2026-11-28 14:05:09", "2026-11-28 04:35:09 UTC-9:30"),
            ("Pacific/Kiritimati", "2026-11-28 14:05:09", "2026-11-29 04:05:09 UTC+14"),
        ):
            self.assertEqual(format_time(utc(at), ZoneInfo(zone)), shown)
            self.assertEqual(format_clock(utc(at), ZoneInfo(zone)), shown.partition(" ")[2])

    def test_a_minute_has_no_seconds(self) -> None:
        self.assertEqual(
            format_time(utc("2026-11-28 14:05:09"), ZoneInfo("UTC"), seconds=False), "2026-11-28 14:05 UTC"
        )
