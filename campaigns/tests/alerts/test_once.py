"""Nothing is told twice or left out, also where digests come late or early, and where the clock was set back (R19)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.contrib.auth.models import User
from django.test import TestCase

from campaigns.models import Alert, AlertEmail, AlertPreference, Brand
from campaigns.services.alerts.digests import write_digests
from campaigns.services.jobs.quick_check import run_quick_check
from campaigns.tests.alerts.test_messages import NOW, at
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc

MORNING = utc("2026-11-28T08:00")
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


class DigestsCoverEachMoment(TestCase):
    """Digests of a person who wants nothing else."""

    def setUp(self) -> None:
        self.root = User.objects.create_superuser("root", "root@example.com", "x")
        AlertPreference.objects.create(user=self.root, frequency=AlertPreference.Frequency.DAILY)

    def fire(self, name: str, minutes: int) -> None:
        """Let a brand reach its month's budget, so many minutes after the first day's digest."""
        when = MORNING + minutes * MINUTE
        spend(make_campaign(make_brand(name=name, monthly_budget=Decimal(100))), "100", when)
        run_quick_check(clock=at(when))

    def digest(self, minutes: int, days: int = 0) -> str:
        """Return the text of the digest that is written then, or ""."""
        write_digests(clock=at(MORNING + days * DAY + minutes * MINUTE))
        email = AlertEmail.objects.order_by("pk").last()
        if email is None:
            return ""
        email.delete()
        return email.text

    def test_a_digest_that_came_late_is_not_repeated_the_next_day(self) -> None:
        self.fire("Acme", 60)
        self.assertIn("Acme has spent", self.digest(90))
        self.assertEqual(self.digest(0, days=1), "")

    def test_what_fired_before_a_digest_that_comes_late_is_in_it(self) -> None:
        self.fire("Acme", -60)
        self.assertIn("Acme has spent", self.digest(0))
        self.fire("Bolt", 30)
        text = self.digest(90, days=1)  # the workers were away for an hour and a half
        self.assertIn("Bolt has spent", text)
        self.assertNotIn("Acme", text)
        self.assertIn("In the time since 2026-11-28 08:30 UTC 2 alerts fired", text)

    def test_days_without_workers_are_made_up_for(self) -> None:
        self.fire("Acme", -60)
        self.digest(0)
        self.fire("Bolt", 60)
        self.assertIn("Bolt has spent", self.digest(0, days=5))

    def test_the_first_digest_tells_of_one_day(self) -> None:
        self.fire("Acme", -25 * 60)
        self.assertEqual(self.digest(0), "")


class ClocksThatWereSetBack(TestCase):
    def test_what_fired_by_a_clock_that_was_ahead_resolves_and_holds_nothing_else_up(self) -> None:
        ahead, other = (make_campaign(make_brand(monthly_budget=Decimal(100))) for _ in range(2))
        spend(ahead, "100", NOW - DAY)
        run_quick_check(clock=at(NOW + timedelta(hours=1)))
        Brand.objects.filter(pk=ahead.brand_id).update(monthly_budget=None)
        for campaign in (ahead, other):
            spend(campaign, "100", NOW - DAY)
        run = run_quick_check(clock=at(NOW))
        self.assertEqual(run.unfinished.problem, "")
        self.assertFalse(Alert.objects.filter(brand=ahead.brand_id, resolved_at=None).exists())
        self.assertTrue(Alert.objects.filter(brand=other.brand_id, resolved_at=None).exists())
