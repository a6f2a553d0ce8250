"""R6 and R12: spend that passes 64 bits stops nothing for the others, decides right, is reported, and can be put right.

Ten thousand records of the largest amount come to 9,999,999,999,999.99 units: in millionths, more than 64 bits hold.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.management import call_command
from django.db import connection

from campaigns.database.connection import execute
from campaigns.models import Brand, BrandPeriod, Campaign, CampaignDay, JobRun, PendingSpend, SpendRecord, StatusChange
from campaigns.rules.money import DAY_TOTAL_LIMIT, SUM_LIMIT, from_micros
from campaigns.rules.reasons import PauseReason
from campaigns.services.jobs.full_check import CHECK_BUDGETS, run_full_check
from campaigns.services.ledger.fold import fold
from campaigns.services.ledger.verify import TotalsRange, repair, verify
from campaigns.tests.support.checking import ACTIVE, brand_spent, campaign_spent, check_at, period, reasons_of
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc

NOON = "2026-11-20 12:00"
LARGEST = Decimal("999999999.999999")
MANY = 10_000
SATURATED = from_micros(SUM_LIMIT)
DAY_LIMIT = from_micros(DAY_TOTAL_LIMIT)

FLOOD = """
WITH RECURSIVE numbers(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < %s)
INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount, timestamp)
SELECT %s, %s, {amount}, %s FROM numbers
"""


def flood(campaign: Campaign, count: int = MANY, sign: str = "", at: str = NOON) -> None:
    """Record the largest amount many times, in one statement."""
    when = connection.ops.adapt_datetimefield_value(utc(at))
    execute(FLOOD.format(amount=f"{sign}{LARGEST}"), [count, campaign.brand_id, campaign.pk, when])


class OverflowCase(CommittedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(name="Flood", daily_budget=LARGEST, monthly_budget=LARGEST)
        self.flooded = make_campaign(self.brand)
        self.good = make_campaign(make_brand(daily_budget=5))
        spend(self.good, 5, NOON)


class ABrandWhoseSpendPasses64Bits(OverflowCase):
    def test_it_takes_every_row_and_pauses_the_brand(self) -> None:
        flood(self.flooded)
        self.assertEqual(SpendRecord.objects.filter(campaign=self.flooded).count(), MANY)
        check_at(NOON)
        reached = PauseReason.BRAND_DAILY_BUDGET | PauseReason.BRAND_MONTHLY_BUDGET
        self.assertEqual(reasons_of(self.flooded), reached)
        line = StatusChange.objects.get(campaign=self.flooded)
        self.assertEqual((line.brand_day_spend, line.brand_month_spend), (SATURATED, SATURATED))

    def test_it_decides_and_folds_for_the_others(self) -> None:
        flood(self.flooded)
        self.assertEqual(check_at(NOON).folded, 1)
        self.assertEqual(reasons_of(self.good), PauseReason.BRAND_DAILY_BUDGET)
        self.assertEqual(period(self.good.brand, "day", "2026-11-20").spend, 5)
        self.assertEqual(set(PendingSpend.objects.values_list("brand", flat=True)), {self.brand.pk})
        self.assertEqual(verify(), [])

    def test_it_closes_the_periods_of_the_others(self) -> None:
        flood(self.flooded)
        check_at("2026-11-21 12:00")
        self.assertEqual(period(self.good.brand, "day", "2026-11-20").spend_at_close, 5)

    def test_it_opens_nothing_that_credits_beyond_64_bits_bring_below_0(self) -> None:
        flood(self.flooded, sign="-")
        Brand.objects.filter(pk=self.brand.pk).update(monthly_budget=0)
        check_at(NOON)
        self.assertEqual(reasons_of(self.flooded), PauseReason.BRAND_MONTHLY_BUDGET)
        Brand.objects.filter(pk=self.brand.pk).update(monthly_budget=1)
        check_at(NOON)
        self.assertEqual(reasons_of(self.flooded), ACTIVE)
        self.assertEqual(brand_spent(self.brand, NOON), (-SATURATED, -SATURATED))

    def test_it_sums_campaigns_that_pass_64_bits_in_both_directions(self) -> None:
        """Each campaign's sum is cut where it is told, but not where it is added up for the brand."""
        flood(self.flooded)
        flood(make_campaign(self.brand), count=MANY - 1, sign="-")
        check_at(NOON)
        self.assertEqual(brand_spent(self.brand, NOON), (LARGEST, LARGEST))
        self.assertEqual(reasons_of(self.flooded), PauseReason.BRAND_DAILY_BUDGET | PauseReason.BRAND_MONTHLY_BUDGET)
        Campaign.objects.update(daily_spend_limit=1)
        check_at(NOON)
        self.assertEqual(StatusChange.objects.filter(campaign=self.flooded).latest("id").campaign_spend, SATURATED)

    def test_it_shows_its_spend(self) -> None:
        flood(self.flooded)
        self.assertEqual(campaign_spent(self.flooded, NOON), SATURATED)
        self.assertEqual(brand_spent(self.brand, NOON), (SATURATED, SATURATED))

    def test_it_is_reported_with_the_remedy(self) -> None:
        flood(self.flooded)
        run_full_check(CHECK_BUDGETS, clock=lambda: utc(NOON))
        self.assertEqual(
            JobRun.objects.get().problem,
            "The spend of the brand “Flood” comes to more than a total holds, 100,000,000,000 in a day or"
            " 1,000,000,000,000 in a month: it counts for every decision, but its statements lack it until the wrong"
            " records are corrected, deleted or refunded.",
        )

    def test_it_is_put_right_by_deleting_the_records(self) -> None:
        flood(self.flooded, count=2 * MANY)
        spend(self.flooded, "0.1", NOON)
        check_at(NOON)
        SpendRecord.objects.filter(campaign=self.flooded, amount__gt=1).delete()
        self.assert_right_again("0.1")

    def test_it_is_put_right_by_refunds_at_another_hour(self) -> None:
        flood(self.flooded, count=2 * MANY)
        check_at(NOON)
        flood(self.flooded, count=2 * MANY, sign="-", at="2026-11-20 20:00")
        spend(self.flooded, "0.1", NOON)
        self.assert_right_again("0.1")

    def assert_right_again(self, amount: str) -> None:
        check = check_at("2026-11-20 22:00")
        self.assertEqual(check.problem, "")
        self.assertEqual(PendingSpend.objects.count(), 0)
        self.assertEqual(period(self.brand, "day", "2026-11-20").spend, Decimal(amount))
        self.assertEqual(period(self.brand, "month", "2026-11-01").spend, Decimal(amount))
        self.assertEqual(reasons_of(self.flooded), ACTIVE)
        self.assertEqual(verify(), [])


class TotalsAtTheirLimit(OverflowCase):
    def test_it_folds_up_to_the_limit_of_a_day_and_no_further(self) -> None:
        flood(self.flooded, count=100)
        spend(self.flooded, "0.0001", NOON)
        self.assertEqual(check_at(NOON).problem, "")
        self.assertEqual(period(self.brand, "day", "2026-11-20").spend, DAY_LIMIT)
        spend(self.flooded, "0.000001", NOON)
        self.assertEqual(check_at(NOON).unfinished.too_large, {self.brand.pk})
        self.assertEqual(period(self.brand, "day", "2026-11-20").spend, DAY_LIMIT)
        self.assertEqual(brand_spent(self.brand, NOON).day, DAY_LIMIT + Decimal("0.000001"))
        self.assertEqual(verify(), [])

    def test_it_counts_days_ahead_at_their_limits(self) -> None:
        """R3: the largest total that days ahead can have is taken off the month, and the rest decides."""
        for day in range(21, 31):
            flood(self.flooded, count=100, at=f"2026-11-{day} 12:00")
            spend(self.flooded, "0.0001", f"2026-11-{day} 12:00")
        spend(self.flooded, -1, "2026-11-20 11:00")
        fold()
        self.assertEqual(period(self.brand, "month", "2026-11-01").spend, 10 * DAY_LIMIT - 1)
        self.assertEqual(brand_spent(self.brand, NOON), (-1, -1))
        flood(self.flooded)
        check_at(NOON)
        line = StatusChange.objects.get(campaign=self.flooded)
        self.assertEqual((line.brand_day_spend, line.brand_month_spend), (SATURATED - 1, SATURATED - 1))

    def test_it_finds_lost_spend_that_is_too_large_and_mends_the_others(self) -> None:
        flood(self.flooded)
        PendingSpend.objects.all().delete()
        names = {(row.total, row.starts_on.isoformat(), row.lacks) for row in verify()}
        self.assertEqual(
            names,
            {("campaign day", "2026-11-20", 5), ("campaign day", "2026-11-20", LOST)}
            | {(f"brand {kind}", day, lacks) for lacks in (5, LOST) for kind, day in PERIODS},
        )
        self.assertEqual(repair(TotalsRange()), 3)
        self.assertEqual({row.lacks for row in verify()}, {LOST})
        self.assertEqual(CampaignDay.objects.get().spend, 5)

    def test_the_database_refuses_a_total_beyond_its_limit(self) -> None:
        cases: list[tuple[str, str, dict[str, Any]]] = [
            ("brand_period_spend_in_range", "campaigns_brandperiod", {"brand_id": self.brand.pk, "kind": "day"}),
            ("campaign_day_spend_in_range", "campaigns_campaignday", {"campaign_id": self.flooded.pk}),
        ]
        for rule, table, keys in cases:
            for micros in (DAY_TOTAL_LIMIT + 1, -DAY_TOTAL_LIMIT - 1):
                with self.subTest(rule), self.assertRaisesMessage(Exception, rule):
                    self.insert(table, keys, micros)

    def insert(self, table: str, keys: dict[str, Any], micros: int) -> None:
        day = "day" if table.endswith("day") else "starts_on"
        names = ", ".join([*keys, day, "spend"])
        places = ", ".join(["%s"] * (len(keys) + 2))
        execute(f"INSERT INTO {table} ({names}) VALUES ({places})", [*keys.values(), "2026-11-20", micros])


# SQLite clamps what doesn't fit into 64 bits.
LOST = MANY * LARGEST if connection.vendor == "postgresql" else SATURATED

PERIODS = (("day", "2026-11-20"), ("month", "2026-11-01"))


class TheCommand(OverflowCase):
    def test_it_verifies_beside_the_flood(self) -> None:
        flood(self.flooded)
        check_at(NOON)
        call_command("verify_spend", verbosity=0)
        self.assertEqual(BrandPeriod.objects.filter(brand=self.brand, spend__gt=0).count(), 0)
