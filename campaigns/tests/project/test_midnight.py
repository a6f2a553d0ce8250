"""The runner of the tests: none begins so shortly before midnight that it could end on another day."""

from __future__ import annotations

from django.test import SimpleTestCase

from campaigns.tests.support.factories import utc
from campaigns.tests.support.runner import seconds_to_wait


class Midnight(SimpleTestCase):
    def test_a_test_waits_for_the_midnight_of_its_brands(self) -> None:
        for now, seconds in (
            ("2026-11-30T23:59:39", 0),
            ("2026-11-30T23:59:50", 10),
            ("2026-12-01T00:00:00", 0),
            ("2026-11-30T22:59:45", 15),
            ("2026-07-01T21:59:45", 15),
            ("2026-11-30T12:00:00", 0),
        ):
            with self.subTest(now):
                self.assertEqual(seconds_to_wait(utc(now)), seconds)
