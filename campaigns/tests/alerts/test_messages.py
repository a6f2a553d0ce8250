"""Alerts reach people by e-mail: once an identity and person, to those who may see it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import TestCase
from django.utils.html import escape

from campaigns.models import AlertEmail, AlertMessage, AlertPreference, AlertRule, Brand, BrandAssignment, Campaign
from campaigns.services.alerts.digests import write_digests
from campaigns.services.alerts.messages import route, write
from campaigns.services.alerts.outgoing import send_alerts
from campaigns.services.alerts.sending import RETRIES, send_waiting
from campaigns.services.jobs.full_check import CHECK_BUDGETS, run_full_check
from campaigns.services.jobs.quick_check import run_quick_check
from campaigns.tests.people.mail_server import MailServer
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.together import Crew

NOW = utc("2026-11-28T12:00")
SUBJECT_OF_CHANGES = "Campaigns: 1 pause in the last 24 hours"


def person(name: str, group: str = "Viewers", **fields: Any) -> User:
    user = User.objects.create_user(name, f"{name}@example.com", "x", **{"is_staff": True} | fields)
    user.groups.add(Group.objects.get(name=group))
    return user


def at(now: datetime = NOW) -> Any:
    return lambda: now


class Alerting(TestCase):
    def setUp(self) -> None:
        self.root = User.objects.create_superuser("root", "root@example.com", "x")
        self.brand = make_brand(name="Acme", monthly_budget=Decimal(100))
        self.campaign = make_campaign(self.brand)

    def cross(self, amount: str = "90", now: datetime = NOW) -> None:
        spend(self.campaign, amount, NOW)
        run_quick_check(clock=at(now))

    def send(self, now: datetime = NOW) -> list[tuple[str, str]]:
        """Return who got which subject."""
        with MailServer() as server:
            send_alerts(clock=at(now))
            return sorted((message["To"], message["Subject"]) for message in server.messages)


class RecipientTests(Alerting):
    def test_a_superuser_is_told_where_nobody_is_given_the_brand(self) -> None:
        self.cross()
        subject = "Acme has spent 90.00 EUR of the November 2026 budget: 90 % of 100.00 EUR"
        self.assertEqual(self.send(), [("root@example.com", subject.replace("EUR", self.brand.currency))])

    def test_people_who_are_given_the_brand_are_told_instead(self) -> None:
        anna = person("anna", "Brand managers")
        BrandAssignment.objects.create(user=anna, brand=self.brand)
        Brand.objects.filter(pk=self.brand.pk).update(owner=person("olga"))
        self.cross()
        self.assertEqual([to for to, _ in self.send()], ["anna@example.com", "olga@example.com"])

    def test_the_rules_group_is_told_before_superusers(self) -> None:
        person("oscar", "Operators")
        AlertRule.objects.update(group=Group.objects.get(name="Operators"))
        self.cross()
        self.assertEqual([to for to, _ in self.send()], ["oscar@example.com"])

    def test_someone_whose_rights_have_ended_before_sending_is_not_told(self) -> None:
        anna = person("anna", "Brand managers")
        given = BrandAssignment.objects.create(user=anna, brand=self.brand)
        self.cross()
        route(clock=at())
        write(clock=at())
        given.delete()
        self.assertNotIn("anna@example.com", [to for to, _ in self.send()])
        self.assertEqual(AlertEmail.objects.get(person=anna).state, AlertEmail.State.FAILED)

    def test_an_inactive_person_is_not_told(self) -> None:
        BrandAssignment.objects.create(user=person("anna", is_active=False), brand=self.brand)
        self.cross()
        self.assertEqual([to for to, _ in self.send()], ["root@example.com"])

    def test_what_reaches_nobody_is_sent_as_soon_as_somebody_can_be_told(self) -> None:
        User.objects.update(email="")
        self.cross()
        self.assertEqual(self.send(), [])
        User.objects.update(email="root@example.com")
        self.assertEqual(len(self.send()), 1)


class OnceTests(Alerting):
    def test_one_identity_is_sent_once(self) -> None:
        self.cross()
        self.assertEqual(len(self.send()), 1)
        self.cross("1", NOW + timedelta(minutes=1))
        self.assertEqual(self.send(NOW + timedelta(minutes=1)), [])

    def test_of_several_thresholds_one_message_is_sent(self) -> None:
        self.cross("100")
        self.assertEqual(len(self.send()), 1)
        self.assertEqual(AlertMessage.objects.exclude(email=None).count(), 2)

    def test_what_resolves_before_it_is_sent_is_not_sent_and_not_when_it_opens_again(self) -> None:
        self.cross()
        route(clock=at())
        self.cross("-20")
        self.assertEqual(self.send(), [])
        self.cross("20")
        self.assertEqual(self.send(), [])

    def test_more_than_five_are_one_message(self) -> None:
        for _ in range(6):
            spend(make_campaign(make_brand(monthly_budget=Decimal(100))), "90", NOW)
        self.cross("0.01")
        sent = self.send()
        self.assertEqual(len(sent), 1)
        self.assertTrue(sent[0][1].startswith("6 alerts: "), sent)

    def test_five_are_five_messages(self) -> None:
        for _ in range(5):
            spend(make_campaign(make_brand(monthly_budget=Decimal(100))), "90", NOW)
        self.cross("0.01")
        self.assertEqual(len(self.send()), 5)


class PreferenceTests(Alerting):
    def prefer(self, **fields: Any) -> None:
        AlertPreference.objects.create(user=self.root, **fields)

    def test_never_means_never(self) -> None:
        self.prefer(frequency="never")
        self.cross()
        self.assertEqual(self.send(), [])

    def test_quiet_hours_delay_a_message(self) -> None:
        self.prefer(timezone="UTC", quiet_from=11, quiet_until=13)
        self.cross()
        self.assertEqual(self.send(), [])
        self.assertEqual(self.send(utc("2026-11-28T12:59:59")), [])
        self.assertEqual(len(self.send(utc("2026-11-28T13:00"))), 1)


class SendingTests(Alerting):
    def test_it_is_text_and_html_that_no_machine_answers(self) -> None:
        self.cross()
        with MailServer() as server:
            send_alerts(clock=at())
        (message,) = server.messages
        self.assertEqual(message["Auto-Submitted"], "auto-generated")
        text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
        assert text and html
        for part in (text.get_content(), html.get_content()):
            self.assertIn("Acme has spent 90.00", part)
            self.assertIn(f"/admin/campaigns/brand/{self.brand.pk}/change/", part)
        self.assertNotIn("&#x27;", text.get_content())
        self.assertIn("width=device-width", html.get_content())

    def test_without_a_mail_server_it_is_kept(self) -> None:
        self.root.email = ""
        self.root.save()
        self.cross()
        self.assertEqual(send_alerts(clock=at()), 1)
        self.assertEqual(AlertEmail.objects.get().state, AlertEmail.State.LOCAL)

    def test_a_refused_mail_is_tried_again_under_the_same_id_and_causes_no_mail(self) -> None:
        self.cross()
        with MailServer(refuses=True), self.assertLogs("campaigns.services.alerts.sending", "WARNING"):
            send_alerts(clock=at())
        email = AlertEmail.objects.get()
        self.assertEqual((email.state, email.attempts, email.next_attempt_at), ("waiting", 1, NOW + RETRIES[0]))
        with MailServer() as server:
            send_alerts(clock=at(NOW + RETRIES[0]))
        self.assertEqual([message["Message-ID"] for message in server.messages], [email.message_id])

    def test_it_gives_up_after_the_last_attempt(self) -> None:
        self.cross()
        now = NOW
        with MailServer(refuses=True), self.assertLogs("campaigns.services.alerts.sending", "WARNING"):
            for wait in (*RETRIES, timedelta(0)):
                send_alerts(clock=at(now))
                now += wait
        self.assertEqual((AlertEmail.objects.get().state, AlertEmail.objects.count()), ("failed", 1))

    def test_a_worker_that_died_while_sending_is_followed_by_another_with_the_same_id(self) -> None:
        self.cross()
        route(clock=at())
        write(clock=at())
        # It had claimed the e-mail and was killed before it could note that it had sent it.
        email = AlertEmail.objects.get()
        AlertEmail.objects.update(attempts=1, next_attempt_at=NOW + timedelta(minutes=5))
        self.assertEqual(self.send(NOW + timedelta(minutes=4)), [])
        with MailServer() as server:
            send_waiting(clock=at(NOW + timedelta(minutes=5)))
        self.assertEqual([message["Message-ID"] for message in server.messages], [email.message_id])


class DigestTests(Alerting):
    def setUp(self) -> None:
        super().setUp()
        # The alerts of a day's budget go into the digest.
        Brand.objects.filter(pk=self.brand.pk).update(monthly_budget=None, daily_budget=Decimal(50))

    def prefer(self, **fields: Any) -> None:
        AlertPreference.objects.update_or_create(user=self.root, defaults={"timezone": "UTC"} | fields)

    def test_what_is_not_sent_at_once_is_in_the_daily_digest_once_a_day(self) -> None:
        self.prefer(digest_hour=13)
        self.cross()
        self.assertEqual(self.send(), [])
        self.assertEqual(self.send(utc("2026-11-28T12:59")), [])
        sent = [("root@example.com", "1 alert in the last 24 hours, 1 open; 1 pause")]
        self.assertEqual(self.send(utc("2026-11-28T13:00")), sent)
        self.assertEqual(self.send(utc("2026-11-28T13:01")), [])
        self.assertEqual(self.send(utc("2026-11-29T13:01")), [])

    def test_it_counts_what_has_paused_and_resumed(self) -> None:
        self.prefer(digest_hour=13)
        self.cross()
        self.send(utc("2026-11-28T13:00"))
        sentence = (
            "Status changes of campaigns in the last 24 hours: 1 paused (1 brand's daily budget reached), 0 resumed."
        )
        email = AlertEmail.objects.get()
        self.assertIn(sentence, email.text)
        self.assertIn(escape(sentence), email.html)

    def test_status_changes_alone_are_a_digest_of_people_who_chose_digests(self) -> None:
        AlertRule.objects.update(enabled=False)
        self.cross()
        for frequency, sent in (("at_once", []), ("never", []), ("daily", [SUBJECT_OF_CHANGES])):
            self.prefer(frequency=frequency, digest_hour=13, digested_on=None, digested_at=None)
            self.assertEqual([subject for _, subject in self.send(utc("2026-11-28T13:00"))], sent, frequency)
        self.assertEqual(self.send(utc("2026-11-28T13:01")), [])
        text = AlertEmail.objects.get().text
        self.assertIn("No alert fired.", text)
        self.assertIn("1 paused (1 brand's daily budget reached), 0 resumed.", text)
        self.assertIn(f"{self.campaign.name} (Acme): paused, brand's daily budget reached, 2026-11-28 12:00 UTC", text)
        # A day later there is nothing.
        self.assertEqual(self.send(utc("2026-11-29T13:30")), [])

    def test_status_changes_of_other_peoples_brands_are_no_digest(self) -> None:
        AlertRule.objects.update(enabled=False)
        anna = person("anna", "Brand managers")
        BrandAssignment.objects.create(user=anna, brand=make_brand())
        AlertPreference.objects.create(user=anna, frequency="daily")
        self.cross()
        self.assertEqual(self.send(), [])

    def test_the_hour_is_that_of_the_persons_zone(self) -> None:
        self.prefer(digest_hour=8, timezone="America/New_York")
        self.cross()
        self.assertEqual(self.send(utc("2026-11-28T12:59")), [])
        self.assertEqual(len(self.send(utc("2026-11-28T13:00"))), 1)

    def test_a_person_who_moves_west_has_no_second_digest_of_a_date(self) -> None:
        """It would break the rule of one a date, and with it the e-mails of everybody."""
        self.prefer(frequency="daily", digest_hour=8, timezone="Asia/Tokyo")
        self.cross()
        self.assertEqual(len(self.send(utc("2026-11-28T23:00"))), 1)  # the 29th
        self.pause_and_resume(utc("2026-11-29T01:00"))
        self.assertEqual(len(self.send(utc("2026-11-29T23:00"))), 1)  # the 30th
        self.prefer(timezone="America/New_York")
        self.pause_and_resume(utc("2026-11-29T23:10"))
        self.assertEqual(self.send(utc("2026-11-29T23:30")), [])  # the 29th again
        self.assertEqual(self.send(utc("2026-11-30T23:30")), [])
        self.assertEqual(len(self.send(utc("2026-12-01T13:00"))), 1)

    def pause_and_resume(self, now: datetime) -> None:
        for enabled in (False, True):
            Campaign.objects.filter(pk=self.campaign.pk).update(enabled=enabled)
            run_full_check(CHECK_BUDGETS, clock=at(now))

    def test_its_times_are_in_the_persons_zone(self) -> None:
        self.prefer(digest_hour=8, timezone="America/New_York")
        self.cross()
        self.send(utc("2026-11-28T13:00"))
        text = AlertEmail.objects.get().text
        self.assertIn("In the last 24 hours 1 alert fired; it still holds.", text)
        self.assertIn("\nSince 2026-11-28 07:00 EST.", text)
        self.assertIn(": paused, brand's daily budget reached, 2026-11-28 07:00 EST", text)
        self.assertNotIn("UTC", text)

    def test_it_says_how_many_still_hold(self) -> None:
        self.prefer(digest_hour=13)
        other = make_brand(daily_budget=Decimal(50))
        spend(make_campaign(other), "90", NOW)
        self.cross()
        self.cross("-50")
        self.send(utc("2026-11-28T13:00"))
        self.assertIn("2 alerts fired; 1 of them still holds.", AlertEmail.objects.get().text)

    def test_a_weekly_digest_comes_on_mondays(self) -> None:
        self.prefer(frequency="weekly")
        self.cross()
        self.assertEqual(self.send(utc("2026-11-29T23:00")), [])
        sent = [("root@example.com", "1 alert in the last 7 days, 1 open; 1 pause")]
        self.assertEqual(self.send(utc("2026-11-30T08:00")), sent)

    def test_a_weekly_digest_that_missed_monday_comes_once_in_that_week(self) -> None:
        self.prefer(frequency="weekly", digest_hour=8)
        self.cross()
        self.assertEqual(self.send(utc("2026-11-28T13:00")), [])  # a Saturday
        late = "1 alert in the time since 2026-11-28 12:00 UTC, 1 open"
        self.assertEqual(self.send(utc("2026-12-07T07:59")), [("root@example.com", late)])
        self.assertEqual(AlertEmail.objects.get().digest_day, date(2026, 12, 7))
        self.assertEqual(self.send(utc("2026-12-07T08:00")), [])

    def test_after_a_late_weekly_digest_the_next_one_comes_on_monday(self) -> None:
        self.prefer(frequency="weekly", digest_hour=8, digested_on=date(2026, 11, 16))
        self.cross("60", utc("2026-11-28T12:00"))
        tuesday = utc("2026-12-01T00:10")
        self.assertEqual(len(self.send(tuesday)), 1)
        for later in ("2026-12-01T08:00", "2026-12-06T23:59", "2026-12-07T07:59"):
            self.assertEqual(self.send(utc(later)), [])
        # There is nothing to tell then, but it counts.
        self.send(utc("2026-12-07T08:00"))
        self.assertEqual(AlertPreference.objects.get().digested_on, date(2026, 12, 7))

    def test_what_came_at_once_is_not_told_again(self) -> None:
        self.prefer(digest_hour=13)
        Brand.objects.filter(pk=self.brand.pk).update(monthly_budget=Decimal(100), daily_budget=None)
        self.cross()
        self.assertEqual(len(self.send()), 1)
        self.assertEqual(self.send(utc("2026-11-28T13:00")), [])

    def test_what_another_worker_is_about_to_send_is_not_in_a_digest(self) -> None:
        """Its routing may commit only after the digest has been read."""
        Brand.objects.filter(pk=self.brand.pk).update(monthly_budget=Decimal(100), daily_budget=None)
        self.cross()
        self.assertEqual(write_digests(clock=at()), 0)
        self.assertEqual(len(self.send()), 1)

    def test_nothing_to_read_is_no_digest(self) -> None:
        self.prefer()
        self.assertEqual(self.send(), [])


class TwoWorkersTests(CommittedTestCase):
    def test_two_workers_send_one_message_an_identity_and_person(self) -> None:
        User.objects.create_superuser("root", "root@example.com", "x")
        for _ in range(5):
            spend(make_campaign(make_brand(monthly_budget=Decimal(100))), "90", NOW)
        run_quick_check(clock=at())
        with MailServer(delay=0.05) as server:
            crew = Crew()
            for _ in range(3):
                crew.start(lambda: send_alerts(clock=at()))
            crew.finish()
            # One of them may have sent nothing because another one was sending.
            send_alerts(clock=at())
        subjects = [message["Subject"] for message in server.messages]
        self.assertEqual((len(subjects), len(set(subjects))), (5, 5), subjects)
