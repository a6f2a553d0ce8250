"""The page of alerts, home, the brand's page, one's own choices, the local mail."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.auth.models import Group, User
from django.test import TestCase
from django.urls import reverse

from campaigns.models import Alert, AlertPreference, AlertRule, BrandAssignment
from campaigns.services.alerts.handling import snooze_end
from campaigns.services.alerts.outgoing import send_alerts
from campaigns.services.jobs.quick_check import run_quick_check
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc

NOW = utc("2026-11-28T12:00")
PAGE, MINE = "admin:campaigns_alert_changelist", "admin:campaigns_alert_mine"


class AlertPageTests(TestCase):
    def setUp(self) -> None:
        self.root = User.objects.create_superuser("root", "root@example.com", "x")
        self.client.force_login(self.root)

    def cross(self, name: str, amount: str = "90") -> None:
        self.brand = make_brand(name=name, monthly_budget=Decimal(100))
        spend(make_campaign(self.brand), amount, NOW)
        run_quick_check(clock=lambda: NOW)

    def read(self, name: str = PAGE, query: str = "") -> str:
        return self.client.get(f"{reverse(name)}{query}").content.decode()

    def test_it_says_that_nothing_needs_attention(self) -> None:
        self.assertIn("Nothing needs attention: no alert is open.", self.read())
        self.assertIn("No alert has resolved yet.", self.read(query="?state=resolved"))

    def test_a_rule_says_when_it_fires(self) -> None:
        rule = AlertRule.objects.get(kind="projected_under")
        sentence = "when the brand is under-pacing on two days in a row, from the 5th of the month on"
        self.assertIn(sentence, self.read("admin:campaigns_alertrule_changelist"))
        page = self.client.get(reverse("admin:campaigns_alertrule_change", args=[rule.pk]))
        self.assertContains(page, f"It fires {sentence}")
        self.assertEqual(page.context["subtitle"], "Projected below the month’s budget")

    def test_the_worst_is_first(self) -> None:
        self.cross("Fast", "120")
        self.cross("Slow")
        page = self.read()
        self.assertLess(page.index("<strong>Fast has spent"), page.index("<strong>Slow has spent"))
        self.assertLess(page.index("All campaigns are paused until 2026-12-01"), page.index("<strong>Slow"))

    def test_what_is_urgent_comes_before_budgets_that_are_used_up(self) -> None:
        self.cross("Fast", "120")
        rule = AlertRule.objects.get(kind="silent")
        fields = {"headline": "An account is silent", "is_bad": True, "opened_at": NOW}
        Alert.objects.create(rule=rule, kind="silent", subject="account meta_ads 1", threshold=0, **fields)
        page = self.read()
        self.assertLess(page.index("<strong>An account is silent"), page.index("<strong>Fast has spent"))
        self.assertIn("<strong>2 to handle</strong>, 2 of them need action.", page)
        self.assertNotIn("Acknowledged or snoozed", page)

    def test_what_is_handled_stands_below_a_heading(self) -> None:
        self.cross("Fast", "120")
        self.cross("Slow")
        alerts = Alert.objects.get(brand__name="Fast", threshold=100).pk
        self.client.post(reverse(PAGE), {"alert": alerts, "action": "acknowledge"})
        page = self.read()
        self.assertIn("<strong>1 to handle</strong>. The most urgent", page)
        heading = page.index("<h3>Acknowledged or snoozed</h3>")
        self.assertLess(page.index("<strong>Slow"), heading)
        self.assertLess(heading, page.index("<strong>Fast"))

    def test_acknowledging_puts_it_below_the_others_with_name_and_note(self) -> None:
        self.cross("Fast", "120")
        self.cross("Slow")
        # The highest threshold is shown, and covers the lower one.
        alerts = Alert.objects.get(brand__name="Fast", threshold=100).pk
        page = self.client.post(reverse(PAGE), {"alert": alerts, "action": "acknowledge", "note": "on it"}, follow=True)
        self.assertContains(page, "Acknowledged 1 alert.")
        self.assertContains(page, "Acknowledged by root: on it", 1)
        self.assertFalse(Alert.objects.filter(brand__name="Fast", acknowledged_at=None).exists())
        text = page.content.decode()
        self.assertLess(text.index("<strong>Slow has spent"), text.index("<strong>Fast has spent"))

    def test_snoozing_needs_a_note(self) -> None:
        self.cross("Slow")
        pk = Alert.objects.get().pk
        page = self.client.post(reverse(PAGE), {"alert": pk, "action": "snooze"}, follow=True)
        self.assertContains(page, "Enter a note that says why it can wait.")
        self.assertContains(page, f'id="alert-{pk}" checked')
        page = self.client.post(reverse(PAGE), {"action": "acknowledge", "note": "on it"})
        self.assertContains(page, "Choose the alerts first.")
        self.assertContains(page, 'name="note" value="on it"')
        page = self.client.post(reverse(PAGE), {"alert": pk, "action": "snooze", "note": "tomorrow"}, follow=True)
        self.assertContains(page, "Snoozed 1 alert until tomorrow, ")
        self.assertContains(page, "Snoozed by root until")

    def test_a_snooze_ends_on_the_next_morning_of_the_person(self) -> None:
        """24 hours from the afternoon on would miss it."""
        self.assertEqual(snooze_end(self.root, utc("2026-11-28T17:00")), utc("2026-11-29T08:00"))
        AlertPreference.objects.create(user=self.root, timezone="Asia/Tokyo", digest_hour=7)
        # It is the 29th in Tokyo already.
        self.assertEqual(snooze_end(self.root, utc("2026-11-28T17:00")), utc("2026-11-29T22:00"))

    def test_a_viewer_may_not_acknowledge(self) -> None:
        self.cross("Slow")
        viewer = User.objects.create_user("vera", is_staff=True)
        viewer.groups.add(Group.objects.get(name="Viewers"))
        self.client.force_login(viewer)
        self.assertNotIn("Acknowledge the chosen", self.read())
        answer = self.client.post(reverse(PAGE), {"alert": Alert.objects.get().pk, "action": "acknowledge"})
        self.assertEqual(answer.status_code, 403)

    def test_people_with_some_brands_see_and_handle_only_these(self) -> None:
        self.cross("Mine")
        anna = User.objects.create_user("anna", is_staff=True)
        anna.groups.add(Group.objects.get(name="Brand managers"))
        BrandAssignment.objects.create(user=anna, brand=self.brand)
        self.cross("Theirs")
        self.client.force_login(anna)
        self.assertIn("Mine has spent", self.read())
        self.assertNotIn("Theirs has spent", self.read())
        theirs = Alert.objects.get(brand__name="Theirs")
        self.client.post(reverse(PAGE), {"alert": theirs.pk, "action": "acknowledge"})
        theirs.refresh_from_db()
        self.assertIsNone(theirs.acknowledged_at)

    def test_home_and_the_brands_page_show_it(self) -> None:
        self.cross("Slow")
        self.assertIn("Slow has spent", self.read("admin:index"))
        page = self.client.get(reverse("admin:campaigns_brand_change", args=[self.brand.pk]))
        self.assertContains(page, "Open alerts")
        self.assertContains(page, "<strong>Slow has spent")

    def test_the_local_mail_shows_what_would_have_been_sent(self) -> None:
        self.cross("Slow")
        send_alerts(clock=lambda: NOW)
        page = self.read("admin:campaigns_alertemail_changelist")
        self.assertIn("Slow has spent", page)
        self.assertIn("kept here: no mail server is set up", page)

    def test_everybody_chooses_for_themselves(self) -> None:
        self.assertIn("No mail server is set up", self.read(MINE))
        answers = {
            "frequency": "daily",
            "timezone": "europe/berlin",
            "digest_hour": 7,
            "quiet_from": 0,
            "quiet_until": 0,
        }
        page = self.client.post(reverse(MINE), answers, follow=True)
        self.assertContains(page, "Saved which e-mails you get.")
        stored = AlertPreference.objects.get()
        self.assertEqual((stored.user, stored.frequency, stored.timezone), (self.root, "daily", "Europe/Berlin"))

    def test_everybody_chooses_to_be_reminded(self) -> None:
        self.assertIn("Remind me daily", self.read(MINE))
        answers = {"frequency": "daily", "timezone": "UTC", "digest_hour": 7, "quiet_from": 0, "quiet_until": 0}
        for chosen in (True, False):
            self.client.post(reverse(MINE), answers | ({"reminders": "on"} if chosen else {}))
            self.assertEqual(AlertPreference.objects.get().reminders, chosen)

    def test_an_unknown_zone_is_refused(self) -> None:
        answers = {"frequency": "daily", "timezone": "Mars", "digest_hour": 7, "quiet_from": 0, "quiet_until": 0}
        self.client.post(reverse(MINE), answers)
        self.assertEqual(AlertPreference.objects.count(), 0)
