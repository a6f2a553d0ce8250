from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from random import Random
from zoneinfo import ZoneInfo

import time_machine
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import SimpleTestCase, TestCase

from campaigns.models import Brand, BrandPeriod, Campaign, DaypartingSchedule, PendingSpend, SpendRecord, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.services.demo.advertisers import ADVERTISERS
from campaigns.services.demo.delivery import deliver, start_of_data
from campaigns.services.demo.fill import ACTOR, Made, fill
from campaigns.services.demo.live import SECONDS, LiveSpend, demo_brands
from campaigns.services.enforcement.enforce import preview
from campaigns.services.insight.forecast import is_open
from campaigns.services.jobs.quick_check import quick_check
from campaigns.services.scope import Scope
from campaigns.tests.support.checking import Spent, brand_spent, enforce_at
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc

NOW = utc("2026-11-25 16:20")


class Demo(TestCase):
    """As it is made, and beside demo --live with a quick check every ten seconds, as fast as it goes."""

    made: Made | None

    @classmethod
    def setUpTestData(cls) -> None:
        cls.made = fill(now=NOW)

    def setUp(self) -> None:
        self.now = NOW
        self.live = LiveSpend(demo_brands(), random=Random(1))

    def shares(self, name: str) -> Spent:
        """Return a brand's spend of the day and of the month as parts of its budgets; 0 where it has none."""
        brand = Brand.objects.get(name=name)
        spent, nothing = brand_spent(brand, NOW), Decimal(0)
        return Spent(
            spent.day / brand.daily_budget if brand.daily_budget else nothing,
            spent.month / brand.monthly_budget if brand.monthly_budget else nothing,
        )

    def go_on(self, *, minutes: int) -> None:
        end = self.now + timedelta(minutes=minutes)
        while self.now < end:
            for _ in range(2):
                self.now += timedelta(seconds=SECONDS)
                self.live.spend(now=self.now)
            quick_check("live", clock=lambda: self.now)

    def changes(self, **reasons: int) -> int:
        return StatusChange.objects.filter(actor="live", **reasons).count()

    def spent(self) -> Counter[str]:
        """Return the number of the live rows of each brand."""
        rows = SpendRecord.objects.filter(external_id__startswith="live-")
        return Counter(rows.values_list("campaign__brand__name", flat=True))

    def test_it_says_what_it_made(self) -> None:
        self.assertEqual(
            self.made,
            Made(
                since=date(2026, 10, 1),
                brands=8,
                campaigns=32,
                active=Campaign.objects.filter(status="active").count(),
                records=SpendRecord.objects.count(),
                changes=StatusChange.objects.count(),
            ),
        )

    def test_it_has_tens_of_thousands_of_records_and_none_ahead(self) -> None:
        self.assertTrue(30_000 < SpendRecord.objects.count() < 60_000)
        self.assertFalse(SpendRecord.objects.filter(timestamp__gte=NOW).exists())
        self.assertFalse(SpendRecord.objects.filter(recorded_at__gt=NOW).exists())
        self.assertTrue(SpendRecord.objects.filter(amount__lt=0).exists())

    def test_everything_in_it_is_valid(self) -> None:
        for model in (Brand, Campaign, DaypartingSchedule):
            for row in model._default_manager.all():
                row.full_clean()

    def test_it_leaves_nothing_for_the_jobs_to_do(self) -> None:
        self.assertEqual(list(preview(Scope.everything(), now=NOW)), [])
        self.assertFalse(PendingSpend.objects.exists())

    def test_the_totals_are_the_sums_of_the_records(self) -> None:
        for campaign in Campaign.objects.all():
            recorded = sum(campaign.spend_records.values_list("amount", flat=True))
            self.assertEqual(sum(campaign.days.values_list("spend", flat=True)), recorded, campaign)
        for brand in Brand.objects.all():
            recorded = sum(SpendRecord.objects.filter(brand=brand).values_list("amount", flat=True))
            for kind in ("day", "month"):
                periods = brand.periods.filter(kind=kind)
                self.assertEqual(sum(periods.values_list("spend", flat=True)), recorded, (brand, kind))

    def test_every_day_and_month_that_has_ended_is_closed_with_its_budget(self) -> None:
        self.assertFalse(BrandPeriod.objects.filter(closed_at=None, starts_on__lt=date(2026, 11, 1)).exists())
        self.assertFalse(BrandPeriod.objects.filter(starts_on__lt=date(2026, 10, 1)).exists())
        for brand in Brand.objects.all():
            days = brand.periods.filter(kind="day", starts_on__range=("2026-10-01", "2026-11-24"))
            self.assertEqual(set(days.values_list("budget_at_close", flat=True)), {brand.daily_budget}, brand)
            self.assertFalse(days.filter(closed_at=None).exists(), brand)

    def test_limits_are_reached_by_a_little(self) -> None:
        self.assertTrue(1 <= self.shares("Harbour & Pine Coffee").day < 1.1)
        self.assertTrue(1 <= self.shares("Bluestem Insurance").month < 1.02)

    def test_other_brands_are_near_their_budgets_or_far_below(self) -> None:
        shares = self.shares("Kawabe Electronics")
        self.assertTrue(0.85 < shares.month < 1)
        self.assertTrue(0 < shares.day < 0.4)

    def test_some_days_were_over_budget_and_some_below(self) -> None:
        closed = BrandPeriod.objects.filter(kind="day", closed_at__isnull=False, budget_at_close__isnull=False)
        ratios = [day.spend / day.budget_at_close for day in closed if day.spend and day.budget_at_close]
        self.assertTrue(any(ratio > 1.05 for ratio in ratios))
        self.assertTrue(any(ratio < 0.9 for ratio in ratios))
        self.assertLess(max(ratios), 1.6)

    def test_some_rows_arrived_after_their_day_was_closed(self) -> None:
        closed = BrandPeriod.objects.filter(kind="day", closed_at__isnull=False)
        self.assertTrue(any(day.adjustment for day in closed))

    def test_it_has_a_campaign_for_every_reason(self) -> None:
        held = PauseReason(0)
        for flags in StatusChange.objects.values_list("reasons_after", flat=True):
            held |= PauseReason(flags)
        self.assertEqual(held, PauseReason(255))

    def test_its_history_is_of_the_last_days_and_in_its_own_name(self) -> None:
        changes = StatusChange.objects.all()
        self.assertEqual(set(changes.values_list("actor", flat=True)), {ACTOR})
        instants = sorted(changes.values_list("at", flat=True))
        self.assertTrue(utc("2026-11-22 16:20") < instants[0] < instants[-1] <= NOW)

    def test_nothing_was_spent_outside_a_window(self) -> None:
        for campaign in Campaign.objects.filter(windows__isnull=False).distinct().prefetch_related("windows"):
            windows, zone = campaign.windows.all(), campaign.brand.timezone
            with self.subTest(campaign.name):
                spent_at = campaign.spend_records.filter(amount__gt=0).values_list("timestamp", flat=True)
                self.assertTrue(spent_at)
                self.assertTrue(all(is_open(windows, at.astimezone(ZoneInfo(zone))) for at in spent_at))

    def test_a_campaign_pauses_within_three_minutes_and_one_resumes_in_the_next_three(self) -> None:
        self.go_on(minutes=3)
        self.assertGreater(self.changes(reasons_before=0), 0)
        self.go_on(minutes=3)
        self.assertGreater(self.changes(reasons_after=0), 0)

    def test_it_goes_on_for_an_hour_without_spending_much_more_than_usual(self) -> None:
        self.go_on(minutes=60)
        self.assertGreater(self.changes(reasons_before=0), 15)
        self.assertGreater(self.changes(reasons_after=0), 15)
        for brand in Brand.objects.filter(daily_budget__isnull=False, enabled=True):
            self.assertLess(brand_spent(brand, self.now).day / brand.daily_budget, Decimal("1.3"), brand)

    def test_a_schedule_pauses_and_resumes_a_campaign_twice_in_a_quarter_of_an_hour(self) -> None:
        self.go_on(minutes=15)
        lines = StatusChange.objects.filter(campaign__name="Store phone line", at__gt=NOW).order_by("at")
        changes = [(line.reasons_after, line.at - NOW) for line in lines]
        minutes = [timedelta(minutes=minutes) for minutes in (4, 7, 10, 13)]
        self.assertEqual(changes, list(zip([PauseReason.OUTSIDE_SCHEDULE, 0] * 2, minutes, strict=True)))

    def test_a_midnight_ends_the_hurry_to_a_limit_of_the_day_before(self) -> None:
        self.live.spend(now=NOW)
        before = self.live.hurried
        assert before
        for seconds in (0, SECONDS):
            self.live.spend(now=NOW + timedelta(days=1, seconds=seconds))
        after = self.live.hurried
        assert after
        self.assertEqual(after.day - before.day, timedelta(days=1))

    def test_several_brands_have_their_turn(self) -> None:
        self.go_on(minutes=20)
        changed = StatusChange.objects.filter(actor="live").values_list("campaign__brand__name", flat=True)
        self.assertGreater(len(set(changed)), 1)
        self.assertLessEqual(set(self.spent()), {advertiser.name for advertiser in ADVERTISERS})

    def test_only_active_campaigns_spend(self) -> None:
        paused = set(Campaign.objects.filter(status="paused").values_list("pk", flat=True))
        self.live.spend(now=NOW + timedelta(seconds=SECONDS))
        rows = SpendRecord.objects.filter(external_id__startswith="live-")
        self.assertTrue(rows.exists())
        self.assertFalse(rows.filter(campaign__in=paused).exists())

    def test_it_leaves_brands_and_campaigns_of_others_alone(self) -> None:
        theirs = make_campaign(make_brand(name="Ours", daily_budget=10), name="Always on: search")
        added = make_campaign(Brand.objects.get(name="Nordlicht Optik"), name="Added by hand")
        renamed = Brand.objects.get(name="Cascadia Outfitters")
        Brand.objects.filter(pk=renamed.pk).update(name="A client", name_key="a client")
        self.go_on(minutes=5)
        self.assertFalse(SpendRecord.objects.filter(campaign__in=[theirs, added]).exists())
        self.assertNotIn("A client", self.spent())
        self.assertGreater(self.spent()["Nordlicht Optik"], 0)


class Filling(TestCase):
    def test_a_brand_that_only_has_such_a_name_is_not_the_demos(self) -> None:
        campaign = make_campaign(make_brand(name="Nordlicht Optik", daily_budget=10), name="Always on: search")
        spend(campaign, 10, NOW)
        enforce_at("2026-11-25 16:20")
        self.assertEqual(campaign.status_changes.count(), 1)
        self.assertEqual(demo_brands(), [])
        with self.assertRaisesMessage(CommandError, "The demo data isn't in this database"):
            call_command("demo", "--live")

    def test_it_leaves_a_database_with_a_brand_alone(self) -> None:
        make_brand()
        self.assertIsNone(fill(now=NOW))
        self.assertEqual((Brand.objects.count(), Campaign.objects.count()), (1, 0))

    def test_the_command_says_so_and_succeeds(self) -> None:
        make_brand()
        out = StringIO()
        call_command("demo", stdout=out)
        self.assertEqual(out.getvalue(), "Keeping existing data.\n")

    def test_the_command_fills_an_empty_database_as_of_the_clock(self) -> None:
        out = StringIO()
        with time_machine.travel(utc("2026-03-01 09:00"), tick=False):
            call_command("demo", stdout=out)
        self.assertRegex(out.getvalue(), r"^Made the demo: 8 brands with 32 campaigns, of which \d+ are active now, ")
        self.assertIn(" since 2026-02-01", out.getvalue())


class Delivered(SimpleTestCase):
    INSTANTS = (
        NOW,
        utc("2026-01-01 00:00"),
        utc("2026-03-01 00:05"),
        utc("2026-10-31 23:55"),
        datetime(2028, 2, 29, 12, tzinfo=UTC),
    )

    def test_it_is_the_same_for_the_same_instant(self) -> None:
        advertiser = ADVERTISERS[0]
        start = start_of_data(advertiser, NOW)
        self.assertEqual(deliver(advertiser, start, NOW), deliver(advertiser, start, NOW))

    def test_it_works_at_any_instant(self) -> None:
        for now in self.INSTANTS:
            for advertiser in ADVERTISERS:
                with self.subTest(now=now, advertiser=advertiser.name):
                    delivery = deliver(advertiser, start := start_of_data(advertiser, now), now)
                    self.assertTrue(all(start < spend.at < now for spend in delivery.spends))
                    self.assertTrue(all(spend.recorded_at <= now for spend in delivery.spends))
                    self.assertEqual(delivery.limits.daily is None, advertiser.daily is None)
                    self.assertEqual(delivery.limits.monthly is None, advertiser.monthly is None)
