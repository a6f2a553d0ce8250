"""Alerts that are looked at once a local day: where a month leads, and a day unlike its weekdays."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from django.test import TestCase

from campaigns.models import Alert, Brand, BrandOutlook, BrandPace, BrandPeriod
from campaigns.services.alerts.evaluate import evaluate
from campaigns.services.ledger.fold import fold
from campaigns.tests.support.factories import make_brand, make_campaign, make_profile, spend, utc

NINE = utc("2026-11-12T09:00")
DAY = timedelta(days=1)


class DailyLook(TestCase):
    """A brand that usually spends 100 a day, and has spent as usual up to the day before."""

    currency = "EUR"

    def setUp(self) -> None:
        self.brand = make_brand(name="Acme", currency=self.currency, monthly_budget=Decimal(3000))
        self.campaign = make_campaign(self.brand)
        for day in range(1, 12):
            self.spend("100", date(2026, 11, day))

    def spend(self, amount: str, day: date) -> None:
        spend(self.campaign, amount, f"{day}T00:30")
        fold()

    def budget(self, amount: int) -> None:
        Brand.objects.filter(pk=self.brand.pk).update(monthly_budget=Decimal(amount))

    def look(self, now: datetime) -> list[str]:
        """Look on a day, with a profile of that day; return the kinds of open alerts."""
        make_profile(self.brand, now.date(), "100", range_low=-10, range_high=10)
        evaluate(None, now=now)
        return self.open_kinds()

    def open_kinds(self) -> list[str]:
        return sorted(Alert.objects.filter(resolved_at__isnull=True).values_list("kind", flat=True))


class ProjectionTests(DailyLook):
    def test_it_fires_on_the_second_day_in_a_row_and_says_how_much(self) -> None:
        self.budget(2000)
        self.assertEqual(self.look(NINE), [])
        self.spend("100", date(2026, 11, 12))
        self.assertEqual(self.look(NINE + DAY), ["projected_over"])
        alert = Alert.objects.get()
        self.assertEqual(
            (alert.headline, alert.meaning),
            (
                "Acme is projected to spend 2,962.50 EUR this month: 962.50 EUR (48 %) more than its budget of"
                " 2,000.00 EUR",
                "It has been so since 2026-11-12. At this pace the budget is used up before the month ends, and all"
                " campaigns pause then.",
            ),
        )
        self.assertEqual((alert.period, alert.budget, alert.brand_id), ("2026-11", 2000, self.brand.pk))

    def test_below_the_budget_is_a_kind_of_its_own(self) -> None:
        self.budget(9000)
        self.look(NINE)
        self.spend("100", date(2026, 11, 12))
        self.assertEqual(self.look(NINE + DAY), ["projected_under"])

    def test_a_brand_on_pace_is_no_alert(self) -> None:
        self.look(NINE)
        self.spend("100", date(2026, 11, 12))
        self.assertEqual(self.look(NINE + DAY), [])

    def test_it_is_looked_at_once_a_local_day_from_eight_on(self) -> None:
        self.budget(2000)
        self.look(utc("2026-11-12T07:59"))
        self.assertFalse(BrandOutlook.objects.exists())
        self.look(utc("2026-11-12T08:00"))
        first = BrandOutlook.objects.values().get()
        self.budget(9000)
        self.look(utc("2026-11-12T23:59"))
        self.assertEqual(BrandOutlook.objects.values().get(), first)

    def test_a_day_in_between_begins_anew(self) -> None:
        self.budget(2000)
        self.look(NINE)
        self.spend("100", date(2026, 11, 12))
        self.spend("100", date(2026, 11, 13))
        self.assertEqual(self.look(NINE + 2 * DAY), [])

    def test_it_fires_once_and_resolves_with_the_next_check_after_the_budget_is_raised(self) -> None:
        self.budget(2000)
        self.look(NINE)
        for number in (1, 2):
            self.spend("100", date(2026, 11, 11 + number))
            self.look(NINE + number * DAY)
        self.assertEqual(Alert.objects.filter(kind="projected_over").count(), 1)
        self.budget(3000)
        later = NINE + 2 * DAY + timedelta(hours=1)
        evaluate(None, now=later)
        self.assertEqual(Alert.objects.get(kind="projected_over").resolved_at, later)

    def test_the_first_four_days_of_a_month_are_not_looked_at(self) -> None:
        self.budget(500)
        BrandPeriod.objects.all().delete()
        for day, expected in ((4, []), (5, []), (6, ["projected_over"])):
            self.look(utc(f"2026-11-{day:02}T09:00"))
            self.assertEqual([kind for kind in self.open_kinds() if kind == "projected_over"], expected, day)

    def test_a_new_month_ends_it(self) -> None:
        self.budget(2000)
        self.look(NINE)
        self.spend("100", date(2026, 11, 12))
        self.look(NINE + DAY)
        evaluate(None, now=utc("2026-12-01T00:00"))
        self.assertEqual(self.open_kinds(), [])

    def test_a_quick_check_neither_looks_nor_resolves(self) -> None:
        self.budget(2000)
        self.look(NINE)
        self.spend("100", date(2026, 11, 12))
        self.look(NINE + DAY)
        self.budget(3000)
        evaluate([self.brand.pk], now=NINE + DAY)
        self.assertEqual(self.open_kinds(), ["projected_over"])


class UnlikeDayTests(DailyLook):
    def after_a_day(self, amount: str) -> list[str]:
        """Return what is open on the day after one on which so much was spent."""
        self.look(NINE)
        if amount != "0":
            self.spend(amount, date(2026, 11, 12))
        self.look(NINE + DAY)
        return [kind for kind in self.open_kinds() if kind == "unlike_day"]

    def test_a_day_unlike_its_weekdays_fires_and_says_how_much(self) -> None:
        self.assertEqual(self.after_a_day("250"), ["unlike_day"])
        alert = Alert.objects.get(kind="unlike_day")
        self.assertEqual(
            alert.headline,
            "Acme spent 250.00 EUR on Thursday, 2026-11-12: 150 % more than the usual 100.00 EUR",
        )
        self.assertTrue(alert.meaning.startswith("That is 150.00 EUR more than on other Thursdays."), alert.meaning)
        self.assertEqual(alert.period, "2026-11-12")

    def test_the_percentage_is_reached_exactly(self) -> None:
        self.assertEqual(self.after_a_day("149.999999"), [])
        self.spend("0.000001", date(2026, 11, 12))
        BrandOutlook.objects.update(spent_before=Decimal(150))
        evaluate(None, now=NINE + DAY)
        self.assertIn("unlike_day", self.open_kinds())

    def test_less_is_unlike_too(self) -> None:
        self.assertEqual(self.after_a_day("0"), ["unlike_day"])

    def test_a_small_amount_of_money_is_not_worth_it(self) -> None:
        self.look(NINE)
        BrandOutlook.objects.update(expected=Decimal(10))
        self.spend("29.999999", date(2026, 11, 12))
        self.look(NINE + DAY)
        self.assertEqual(self.open_kinds(), [])

    def test_a_volatile_brand_needs_twice_the_percentage(self) -> None:
        self.after_a_day("190")
        BrandOutlook.objects.update(volatility=2)
        evaluate(None, now=NINE + DAY)
        self.assertNotIn("unlike_day", self.open_kinds())

    def test_it_resolves_when_the_next_day_is_looked_at(self) -> None:
        self.after_a_day("250")
        self.spend("100", date(2026, 11, 13))
        self.look(NINE + 2 * DAY)
        self.assertNotIn("unlike_day", self.open_kinds())

    def test_a_brand_that_was_paused_or_has_no_weekdays_is_not_compared(self) -> None:
        Brand.objects.filter(pk=self.brand.pk).update(enabled=False)
        self.look(NINE)
        Brand.objects.filter(pk=self.brand.pk).update(enabled=True)
        self.look(NINE + DAY)
        self.assertEqual(self.open_kinds(), [])
        self.assertTrue(BrandPace.objects.exists())


class YenTests(DailyLook):
    currency = "JPY"

    def test_the_least_amount_is_another(self) -> None:
        self.look(NINE)
        BrandOutlook.objects.update(expected=Decimal(1000))
        self.spend("2999", date(2026, 11, 12))
        self.look(NINE + DAY)
        self.assertNotIn("unlike_day", self.open_kinds())
        BrandOutlook.objects.update(spent_before=Decimal(3000))
        evaluate(None, now=NINE + DAY)
        self.assertIn("unlike_day", self.open_kinds())
