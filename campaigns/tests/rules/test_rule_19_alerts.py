"""R19: an alert is a state with an identity. It fires once, and resolves by itself when it no longer holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection
from django.test import SimpleTestCase, TestCase

from campaigns.models import Alert, AlertRule, Brand, Campaign, JobRun
from campaigns.rules.alerts import after_quiet_hours
from campaigns.services.alerts.evaluate import evaluate
from campaigns.services.jobs.full_check import run_full_check
from campaigns.services.jobs.quick_check import run_quick_check
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc

NOW = utc("2026-11-28T12:00")


def fired(**filters: object) -> list[tuple[str, int, str]]:
    """Return the open alerts: kind, threshold and period."""
    rows = Alert.objects.filter(resolved_at__isnull=True, **filters)
    return sorted(rows.values_list("kind", "threshold", "period"))


class QuietHoursTests(SimpleTestCase):
    def test_quiet_hours_end_at_their_hour_of_the_persons_zone(self) -> None:
        zone = ZoneInfo("Europe/Berlin")
        night = datetime(2026, 11, 28, 22, 30, tzinfo=UTC)  # 23:30 there
        self.assertEqual(after_quiet_hours(night, zone, 22, 7), datetime(2026, 11, 29, 6, 0, tzinfo=UTC))
        early = datetime(2026, 11, 29, 5, 59, tzinfo=UTC)
        self.assertEqual(after_quiet_hours(early, zone, 22, 7), datetime(2026, 11, 29, 6, 0, tzinfo=UTC))
        day = datetime(2026, 11, 29, 6, 0, tzinfo=UTC)
        self.assertEqual(after_quiet_hours(day, zone, 22, 7), day)
        self.assertEqual(after_quiet_hours(night, zone, 7, 7), night)


class ThresholdTests(TestCase):
    def thresholds(self, spent: str, budget: str | None) -> list[int]:
        """Return the thresholds of a month's budget, in percent, that fire when so much is spent."""
        brand = make_brand(monthly_budget=None if budget is None else Decimal(budget))
        spend(make_campaign(brand), spent, NOW)
        evaluate([brand.pk], now=NOW)
        return sorted(Alert.objects.filter(brand=brand).values_list("threshold", flat=True))

    def test_a_threshold_is_crossed_from_exactly_its_percentage_on(self) -> None:
        for spent, expected in (
            ("79.999999", []),
            ("80", [80]),
            ("99.999999", [80]),
            ("100", [80, 100]),
            ("250", [80, 100]),
        ):
            with self.subTest(spent):
                self.assertEqual(self.thresholds(spent, "100"), expected)

    def test_it_is_exact_to_a_millionth(self) -> None:
        for spent, budget, expected in (
            ("0.000001", "0.000001", [80, 100]),
            ("0.000002", "0.000003", []),
            ("2.666667", "3.333333", [80]),
            ("2.666666", "3.333333", []),
            ("799999999.999199", "999999999.999", []),
            ("799999999.9992", "999999999.999", [80]),
        ):
            with self.subTest(spent, budget=budget):
                self.assertEqual(self.thresholds(spent, budget), expected)

    def test_the_largest_threshold_of_the_largest_budget_is_computed(self) -> None:
        AlertRule.objects.create(kind="budget_month", threshold=100_000)
        self.assertEqual(self.thresholds("999999999.999999", "1000000"), [80, 100])
        self.assertEqual(self.thresholds("999999999.999999", "999999.999"), [80, 100, 100_000])
        self.assertEqual(self.thresholds("999999999.999999", "999999999.999999"), [80, 100])

    def test_no_budget_and_a_budget_of_0_are_no_alert(self) -> None:
        self.assertEqual(self.thresholds("5", None), [])
        self.assertEqual(self.thresholds("5", "0"), [])


class IdentityTests(TestCase):
    def setUp(self) -> None:
        self.brand = make_brand(monthly_budget=Decimal(100))
        self.campaign = make_campaign(self.brand)

    def check(self, now: datetime = NOW) -> None:
        run_quick_check(clock=lambda: now)

    def test_nothing_fires_below_the_threshold(self) -> None:
        spend(self.campaign, "79.99", NOW)
        self.check()
        self.assertEqual(fired(), [])

    def test_several_thresholds_that_are_crossed_in_one_look_are_all_recorded(self) -> None:
        spend(self.campaign, "100", NOW)
        self.check()
        self.assertEqual(fired(), [("budget_month", 80, "2026-11"), ("budget_month", 100, "2026-11")])

    def test_it_fires_once_however_often_it_is_looked_at(self) -> None:
        spend(self.campaign, "85", NOW)
        self.check()
        opened = Alert.objects.get()
        for minutes in (1, 2):
            spend(self.campaign, "1", NOW)
            self.check(NOW + timedelta(minutes=minutes))
        run_full_check("check_budgets", clock=lambda: NOW + timedelta(minutes=5))
        self.assertEqual([(each.pk, each.opened_at) for each in Alert.objects.all()], [(opened.pk, NOW)])

    def test_it_says_how_much_of_what(self) -> None:
        Brand.objects.filter(pk=self.brand.pk).update(name="Acme", currency="EUR")
        spend(self.campaign, "85.50", NOW)
        self.check()
        self.assertEqual(
            Alert.objects.get().headline,
            "Acme has spent 85.50 EUR of the November 2026 budget: 85 % of 100.00 EUR",
        )

    def test_it_resolves_by_itself_and_opens_again_under_the_same_identity(self) -> None:
        spend(self.campaign, "85", NOW)
        self.check()
        spend(self.campaign, "-10", NOW)
        later = NOW + timedelta(minutes=1)
        self.check(later)
        self.assertEqual(Alert.objects.get().resolved_at, later)
        spend(self.campaign, "10", NOW)
        self.check(NOW + timedelta(minutes=2))
        self.assertIsNone(Alert.objects.get().resolved_at)

    def test_a_raised_budget_is_a_new_identity(self) -> None:
        spend(self.campaign, "90", NOW)
        self.check()
        Brand.objects.filter(pk=self.brand.pk).update(monthly_budget=Decimal(110))
        evaluate([self.brand.pk], now=NOW)
        rows = Alert.objects.order_by("pk").values_list("budget", "resolved_at")
        self.assertEqual(list(rows), [(Decimal(100), NOW), (Decimal(110), None)])

    def test_a_new_month_resolves_it_and_is_a_new_identity(self) -> None:
        spend(self.campaign, "90", NOW)
        self.check()
        december = utc("2026-12-01T00:00")
        evaluate(None, now=december)
        self.assertEqual(fired(), [])
        spend(self.campaign, "90", december)
        self.check(december)
        self.assertEqual(fired(), [("budget_month", 80, "2026-12")])

    def test_the_months_budget_silences_the_days_and_the_campaigns(self) -> None:
        Brand.objects.filter(pk=self.brand.pk).update(daily_budget=Decimal(50))
        self.campaign.daily_spend_limit = Decimal(50)
        self.campaign.save()
        spend(self.campaign, "100", NOW)
        self.check()
        self.assertEqual({kind for kind, _, _ in fired()}, {"budget_month"})
        # The silence ends, and what still holds is looked at again.
        Brand.objects.filter(pk=self.brand.pk).update(monthly_budget=Decimal(1000))
        evaluate([self.brand.pk], now=NOW)
        self.assertEqual({kind for kind, _, _ in fired()}, {"budget_day", "campaign_limit"})

    def test_the_months_budget_silences_whatever_rules_there_are_for_it(self) -> None:
        AlertRule.objects.filter(kind="budget_month", threshold=100).delete()
        Brand.objects.filter(pk=self.brand.pk).update(daily_budget=Decimal(50))
        spend(self.campaign, "100", NOW)
        self.check()
        self.assertEqual(fired(), [("budget_month", 80, "2026-11")])

    def test_an_alert_that_holds_stays_open_when_a_larger_one_silences_it(self) -> None:
        Brand.objects.filter(pk=self.brand.pk).update(daily_budget=Decimal(50))
        spend(self.campaign, "50", NOW)
        self.check()
        spend(self.campaign, "50", NOW)
        self.check()
        self.assertIn(("budget_day", 100, "2026-11-28"), fired())

    def test_a_rule_that_is_off_fires_nothing(self) -> None:
        AlertRule.objects.update(enabled=False)
        spend(self.campaign, "100", NOW)
        self.check()
        self.assertEqual(fired(), [])

    def test_a_rule_of_some_brands_is_for_these_only(self) -> None:
        other = make_campaign(make_brand(monthly_budget=Decimal(100)))
        AlertRule.objects.get(kind="budget_month", threshold=80).brands.add(self.brand)
        AlertRule.objects.filter(threshold=100).delete()
        for campaign in (self.campaign, other):
            spend(campaign, "90", NOW)
        self.check()
        self.assertEqual(list(Alert.objects.values_list("brand_id", flat=True)), [self.brand.pk])

    def test_a_quick_check_leaves_the_alerts_of_other_brands(self) -> None:
        spend(self.campaign, "90", NOW)
        self.check()
        spend(make_campaign(), "1", NOW)
        self.check()
        self.assertEqual(fired(), [("budget_month", 80, "2026-11")])

    def test_a_quick_check_with_nothing_due_costs_no_query(self) -> None:
        self.check()
        with self.assertNumQueries(2):
            self.check()


class LimitTests(TestCase):
    """What enforcement has stored of a campaign may be older than its limit, and than the day."""

    def setUp(self) -> None:
        self.campaign = make_campaign(daily_spend_limit=Decimal(50))
        spend(self.campaign, "30", NOW)
        run_full_check("check_budgets", clock=lambda: NOW)
        spend(self.campaign, "20", NOW)
        run_quick_check(clock=lambda: NOW)

    def limits(self, now: datetime = NOW) -> list[Decimal]:
        """Return the limits of the open alerts after a look that the brand gets because of another campaign."""
        evaluate([self.campaign.brand_id], now=now)
        return [alert.budget for alert in Alert.objects.filter(kind="campaign_limit", resolved_at__isnull=True)]

    def test_folded_and_pending_spend_reach_a_limit(self) -> None:
        self.assertEqual(self.limits(), [50])
        spend(self.campaign, "1", NOW)
        self.assertEqual(self.limits(), [50])

    def test_a_limit_that_sql_raises_is_reached_only_if_the_spend_reaches_it(self) -> None:
        for limit, expected in (("50.000001", []), ("40", [40]), ("50", [50])):
            with self.subTest(limit):
                Campaign.objects.filter(pk=self.campaign.pk).update(daily_spend_limit=Decimal(limit))
                self.assertEqual(self.limits(), expected)

    def test_a_limit_of_yesterday_is_not_one_of_today(self) -> None:
        self.assertEqual(self.limits(NOW + timedelta(days=1)), [])


class FailureTests(CommittedTestCase):
    def rename(self, before: str, after: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {before} RENAME TO {after}")

    def test_a_failure_is_reported_and_stops_nothing(self) -> None:
        campaign = make_campaign(make_brand(monthly_budget=Decimal(100)))
        spend(campaign, "100", NOW)
        self.rename("campaigns_alert", "campaigns_alert_gone")
        try:
            with self.assertLogs("campaigns.services.alerts.evaluate", "ERROR"):
                run_quick_check(clock=lambda: NOW)
        finally:
            self.rename("campaigns_alert_gone", "campaigns_alert")
        campaign.refresh_from_db()
        self.assertEqual(campaign.status, "paused")
        self.assertIn("Alerts couldn't be evaluated (", JobRun.objects.get(name="quick_check").problem)
