"""A late check: shown while it lasts, recorded by the first check that runs again, one message to operators."""

from __future__ import annotations

from datetime import datetime, timedelta

import time_machine
from django.contrib.auth.models import User
from django.test import TestCase, override_settings
from django.urls import reverse

from campaigns.models import Alert, AlertEmail, AlertMessage, BrandAssignment, JobRun
from campaigns.services.alerts.digests import write_digests
from campaigns.services.alerts.outgoing import send_alerts
from campaigns.services.jobs.full_check import CHECK_BUDGETS, RESET_DAILY_SPEND, run_full_check
from campaigns.services.jobs.processes import note_heartbeat
from campaigns.services.jobs.shards import begin_check, run_shard
from campaigns.tests.alerts.test_messages import at, person
from campaigns.tests.support.factories import make_brand, utc

BEFORE, NOW = utc("2026-11-28T12:00"), utc("2026-11-28T12:35")
MINUTE = timedelta(minutes=1)
SENTENCE = "Budgets weren’t checked from 2026-11-28 12:00 to 2026-11-28 12:35 UTC, for 35 minutes"


def check(now: datetime, name: str = CHECK_BUDGETS) -> None:
    run_full_check(name, clock=at(now))


class LateCheckTests(TestCase):
    def setUp(self) -> None:
        self.oscar = person("oscar", "Operators")
        check(BEFORE)

    def told(self, now: datetime) -> list[str]:
        send_alerts(clock=at(now))
        return list(AlertEmail.objects.values_list("subject", flat=True))

    def test_checks_in_time_are_no_alert(self) -> None:
        for minutes in (5, 10, 19):
            check(BEFORE + minutes * MINUTE)
        self.assertFalse(Alert.objects.exists())

    def test_the_first_check_is_not_late(self) -> None:
        JobRun.objects.all().delete()
        check(NOW)
        self.assertFalse(Alert.objects.exists())

    def test_the_check_that_comes_late_records_the_time_before_and_the_next_one_resolves_it(self) -> None:
        check(NOW)
        alert = Alert.objects.get()
        self.assertEqual((alert.headline, alert.period), (SENTENCE, "2026-11-28T12:00:00"))
        self.assertEqual((alert.opened_at, alert.resolved_at), (NOW, None))
        self.assertEqual(self.told(NOW), [SENTENCE])
        check(NOW + 5 * MINUTE)
        self.assertEqual(Alert.objects.get().resolved_at, NOW + 5 * MINUTE)
        self.assertEqual(self.told(NOW + 6 * MINUTE), [SENTENCE])

    def test_a_reset_beside_it_neither_resolves_nor_repeats_it(self) -> None:
        check(NOW)
        check(NOW + timedelta(seconds=2), RESET_DAILY_SPEND)
        self.assertEqual(list(Alert.objects.values_list("resolved_at", flat=True)), [None])
        self.assertEqual(self.told(NOW + timedelta(seconds=3)), [SENTENCE])

    def test_each_such_time_is_an_alert_of_its_own(self) -> None:
        check(NOW)
        check(NOW + 60 * MINUTE)
        self.assertEqual(Alert.objects.count(), 2)

    def test_a_check_in_shards_records_it_too(self) -> None:
        started = begin_check(CHECK_BUDGETS, of=1, clock=at(NOW))
        run_shard(started, 0, clock=at(NOW))
        self.assertEqual(Alert.objects.get().headline, SENTENCE)

    @override_settings(WATCH_EMAIL=["Oscar@example.com"])
    def test_people_whom_watch_notifies_get_no_second_message(self) -> None:
        other = person("olga", "Operators")
        check(NOW)
        self.told(NOW)
        self.assertEqual(list(AlertEmail.objects.values_list("person", flat=True)), [other.pk])
        self.assertEqual(AlertMessage.objects.count(), 2)
        write_digests(clock=at(NOW + timedelta(days=1)))
        self.assertFalse(AlertEmail.objects.filter(person=self.oscar).exists())


@time_machine.travel(NOW, tick=False)
class WhileItIsLateTests(TestCase):
    SHOWN = "<strong>Budgets haven’t been checked since 2026-11-28 12:00 UTC</strong>"

    def setUp(self) -> None:
        self.client.force_login(User.objects.create_superuser("root", "root@example.com", "x"))
        check(BEFORE)

    def read(self, name: str = "admin:campaigns_alert_changelist") -> str:
        return self.client.get(reverse(name)).text

    def test_alerts_and_home_show_it_as_an_open_alert_though_nothing_evaluates(self) -> None:
        page = self.read()
        self.assertIn(self.SHOWN, page)
        self.assertIn("Open (1)", page)
        self.assertNotIn("Nothing needs attention", page)
        # It can't be acknowledged.
        self.assertNotIn('name="alert"', page)
        home = self.read("admin:index")
        self.assertIn(self.SHOWN, home)
        self.assertIn("1 open", home)
        self.assertFalse(Alert.objects.exists())

    def test_once_the_check_runs_again_the_recorded_alert_stands_there_instead(self) -> None:
        check(NOW)
        page = self.read()
        self.assertNotIn("haven’t been checked", page)
        self.assertIn(f"<strong>{SENTENCE}", page)
        self.assertIn("Open (1)", page)

    def test_a_stopped_worker_is_shown_before_the_check_is_late(self) -> None:
        JobRun.objects.update(succeeded_at=NOW - MINUTE)
        note_heartbeat("beat", "one", now=NOW)
        note_heartbeat("worker", "one", now=NOW - 3 * MINUTE)
        self.assertIn("<strong>There has been no worker since 2026-11-28 12:32 UTC</strong>", self.read())

    def test_people_of_some_brands_have_the_banner_only(self) -> None:
        anna = person("anna", "Brand managers")
        BrandAssignment.objects.create(user=anna, brand=make_brand())
        self.client.force_login(anna)
        page = self.read()
        self.assertNotIn("haven’t been checked since", page)
        self.assertIn("Budgets were last checked 35 minutes ago", page)
