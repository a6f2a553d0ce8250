"""Alerts about active brands that spend nothing in hours in which they usually do."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.test import TestCase

from campaigns.models import Alert, AlertRule, Brand, BrandPace, BrandQuiet, PlatformAccount
from campaigns.rules.periods import minute_of
from campaigns.services.alerts.evaluate import evaluate
from campaigns.services.alerts.look import Look
from campaigns.services.alerts.no_spend import AT_FIRST, look_at_spend
from campaigns.services.ledger.fold import fold
from campaigns.tests.feed.links import make_link
from campaigns.tests.support.checking import enforce_at
from campaigns.tests.support.factories import make_brand, make_campaign, make_profile, make_window, spend, utc

NINE = utc("2026-11-12T09:00")
HOUR = timedelta(hours=1)


class NoSpendTests(TestCase):
    def setUp(self) -> None:
        self.brand = make_brand(name="Acme")
        self.campaign = make_campaign(self.brand)
        make_profile(self.brand, NINE.date(), "100")
        enforce_at(NINE)
        evaluate(None, now=NINE)
        # It is known that the brand usually spends every hour.
        BrandQuiet.objects.update(longest=0)

    def look(self, now: datetime) -> list[str]:
        evaluate(None, now=now)
        rows = Alert.objects.filter(kind="no_spend", resolved_at__isnull=True)
        return list(rows.values_list("period", flat=True))

    def look_hourly(self, hours: int, begin: datetime = NINE) -> list[str]:
        """Look once an hour for so many hours; return the periods of what is open then."""
        return [self.look(begin + number * HOUR) for number in range(1, hours + 1)][-1]

    def spend(self, at: datetime) -> None:
        spend(self.campaign, "1", at)
        fold()

    def test_it_fires_after_three_hours_and_says_since_when(self) -> None:
        self.assertEqual(self.look_hourly(2), [])
        self.assertEqual(self.look(NINE + 3 * HOUR), ["2026-11-12T09:00"])
        alert = Alert.objects.get()
        self.assertEqual(
            (alert.headline, alert.brand_id, alert.is_bad),
            (
                "Acme has spent nothing since 2026-11-12 09:00 UTC, for 3 hours in which it usually spends",
                self.brand.pk,
                True,
            ),
        )
        self.assertTrue(alert.meaning.startswith("Spend is known up to 2026-11-12 12:00 UTC."), alert.meaning)

    def test_it_fires_once_and_resolves_when_spend_comes(self) -> None:
        self.look_hourly(5)
        self.assertEqual(Alert.objects.count(), 1)
        self.spend(NINE + 5 * HOUR)
        self.assertEqual(self.look(NINE + 6 * HOUR), [])
        self.assertEqual(self.look_hourly(3, NINE + 6 * HOUR), [])  # half as long again as the three hours before
        self.assertEqual(self.look_hourly(2, NINE + 9 * HOUR), ["2026-11-12T15:00"])

    def test_other_hours_are_a_rule(self) -> None:
        AlertRule.objects.filter(kind="no_spend").update(threshold=5)
        self.assertEqual(self.look_hourly(4), [])
        self.assertEqual(self.look(NINE + 5 * HOUR), ["2026-11-12T09:00"])

    def test_spend_in_between_begins_anew(self) -> None:
        self.look_hourly(2)
        self.spend(NINE + 2 * HOUR)
        self.assertEqual(self.look_hourly(3, NINE + 2 * HOUR), [])

    def test_only_the_brands_own_hours_count(self) -> None:
        """Its campaigns may run until ten, and again from six on."""
        opened = [60 * min(hour, 10) + 60 * max(hour - 18, 0) for hour in range(25)]
        BrandPace.objects.update(open_minutes="".join(f"{minutes:04}" for minutes in opened))
        self.assertEqual(self.look_hourly(10), [])
        self.assertEqual(BrandQuiet.objects.get().minutes, 120)
        self.assertEqual(self.look(NINE + 11 * HOUR), ["2026-11-12T09:00"])

    def test_a_weekday_on_which_it_never_spends_does_not_count(self) -> None:
        BrandPace.objects.update(thursday=0)
        self.assertEqual(self.look_hourly(6), [])

    def test_a_brand_without_an_active_campaign_is_no_alert(self) -> None:
        make_window(self.campaign, start="00:00", end="01:00")
        enforce_at(NINE)
        self.assertEqual(self.look_hourly(6), [])

    def test_a_brand_that_pauses_resolves_it(self) -> None:
        self.look_hourly(3)
        Brand.objects.filter(pk=self.brand.pk).update(enabled=False)
        self.assertEqual(self.look(NINE + 4 * HOUR), [])

    def test_it_is_counted_back_from_known_until(self) -> None:
        link = make_link(self.campaign)
        accounts = PlatformAccount.objects.filter(pk=link.account_id)
        accounts.update(reported_until=NINE + 2 * HOUR)
        self.assertEqual(self.look_hourly(6), [])
        accounts.update(reported_until=NINE + 3 * HOUR)
        self.assertEqual(self.look(NINE + 7 * HOUR), ["2026-11-12T09:00"])

    def test_a_brand_is_looked_at_once_an_hour_also_where_its_account_is_silent(self) -> None:
        link = make_link(self.campaign)
        for until in (NINE, None):
            PlatformAccount.objects.filter(pk=link.account_id).update(reported_until=until)
            BrandQuiet.objects.update(looked_minute=None)
            looks = [look_at_spend(Look(NINE + timedelta(minutes=5 * number), None)) for number in range(13)]
            self.assertEqual(looks, [1, *[0] * 11, 1], until)
            self.assertEqual(BrandQuiet.objects.get().known_minute, minute_of(NINE))

    def test_a_brand_without_a_profile_of_today_is_not_looked_at(self) -> None:
        BrandPace.objects.update(day=NINE.date() - timedelta(days=1))
        self.assertEqual(look_at_spend(Look(NINE + HOUR, None)), 0)

    def test_a_brand_of_an_account_that_never_says_until_when_is_left_out(self) -> None:
        make_link(self.campaign)
        self.assertEqual(self.look_hourly(6), [])

    def test_a_brand_whose_spend_comes_once_a_day_is_not_told_of(self) -> None:
        BrandQuiet.objects.update(longest=AT_FIRST)
        for number in range(72):
            now = NINE + number * HOUR
            make_profile(self.brand, now.date(), "100")
            if now.hour == NINE.hour:
                self.spend(now)
            self.assertEqual(self.look(now), [], now)
        self.assertGreaterEqual(BrandQuiet.objects.get().longest, AT_FIRST)

    def test_the_month_that_turns_is_no_spend(self) -> None:
        last = utc("2026-11-30T22:00")
        self.spend(last - HOUR)
        BrandQuiet.objects.all().delete()
        make_profile(self.brand, last.date(), "100")
        evaluate(None, now=last)
        BrandQuiet.objects.update(longest=0)
        self.assertEqual(self.look(last + HOUR), [])
        make_profile(self.brand, (last + 3 * HOUR).date(), "100")
        self.assertEqual(self.look(last + 3 * HOUR), [])
        self.assertEqual(self.look(last + 4 * HOUR), ["2026-11-30T22:00"])

    def test_with_its_rules_off_nothing_is_noted(self) -> None:
        AlertRule.objects.filter(kind="no_spend").update(enabled=False)
        BrandQuiet.objects.all().delete()
        self.look_hourly(4)
        self.assertFalse(BrandQuiet.objects.exists())

    def test_it_counts_exactly(self) -> None:
        self.look(NINE + HOUR + timedelta(minutes=17))
        self.assertEqual(BrandQuiet.objects.get().minutes, 77)
        self.assertEqual(BrandQuiet.objects.get().spend, Decimal(0))
