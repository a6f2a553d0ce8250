"""Which brands are at risk: on both sides of each boundary, as enforcement counts spend, and as the list shows it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.urls import reverse

from campaigns.models import Brand
from campaigns.rules.pace import OFTEN_REACHED
from campaigns.services.insight.brand_now import MAX_WORST_BRANDS
from campaigns.services.insight.home import brands_now
from campaigns.services.insight.risk import Risk
from campaigns.tests.admin.test_home import NOW, HomeTestCase
from campaigns.tests.support.factories import make_profile, spend


class RiskTests(HomeTestCase):
    def of_risk(self, risk: Risk) -> set[str]:
        """Return the names in the list behind a risk, and check that the home page counts as many."""
        self.assertEqual(self.user, User.objects.get(pk=self.client.session["_auth_user_id"]))
        rows = (
            self.client.get(reverse("admin:campaigns_brand_changelist"), {"risk": risk.code}).context["cl"].result_list
        )
        self.assertEqual(brands_now(self.user, now=NOW).at[risk], len(rows), risk)
        return {brand.name for brand in rows}

    def test_a_brand_is_where_its_spend_puts_it(self) -> None:
        cases: tuple[tuple[str, dict[str, Any]], ...] = (
            ("100", {}),
            ("99.999999", {}),
            ("52.500001", {}),
            ("52.5", {}),
            ("45", {}),
            ("44.999999", {}),
            ("0", {}),
            ("200", {"enabled": False}),
            ("0", {"daily_budget": 0}),
            ("5", {"daily_budget": None}),
        )
        for number, (today, fields) in enumerate(cases):
            self.spending(today, name=f"{number}: {today}", **{"daily_budget": 100, **fields})
        self.assertEqual(self.of_risk(Risk.REACHED_TODAY), {"0: 100", "8: 0"})

    def test_the_month_is_judged_by_where_it_leads(self) -> None:
        # 5.5 of 30 days are left, with 10 a day: 55. The tolerance is 3.3 %.
        cases = (("600", 600), ("564.81", 565), ("564.8", 564), ("525.2", 526), ("525.1", 525), ("0", 0))
        for name, before in cases:
            make_profile(self.spending(0, before, name=name, monthly_budget=600), NOW.date(), 10)
        self.spending(0, 0, name="early", monthly_budget=600)
        self.assertEqual(self.of_risk(Risk.REACHED_MONTH), {"600"})
        self.assertEqual(self.of_risk(Risk.OVER_PACING), {"564.81"})
        self.assertEqual(self.of_risk(Risk.UNDER_PACING), {"525.1", "0"})

    def test_a_daily_budget_is_no_target(self) -> None:
        make_profile(self.spending(0, daily_budget=100), NOW.date(), 10)
        make_profile(self.spending(90, daily_budget=100), NOW.date(), 500)
        self.assertEqual(brands_now(self.user, now=NOW).need_attention, 0)

    def test_refunds_and_spend_dated_ahead_count_as_they_do_for_budgets(self) -> None:
        brand = self.spending(100, name="refunded", daily_budget=100, monthly_budget=150)
        campaign = brand.campaigns.get()
        spend(campaign, -60, NOW)
        spend(campaign, 500, NOW + timedelta(days=2))
        for fold in (False, True):
            if fold:
                self.check()
            self.assertEqual(self.of_risk(Risk.REACHED_TODAY) | self.of_risk(Risk.REACHED_MONTH), set())
            self.assertEqual(brands_now(self.user, now=NOW).need_attention, 0)

    def test_an_unknown_zone_is_told_and_judged_by_nothing(self) -> None:
        self.spending(500, name="lost", timezone="Mars/Olympus", daily_budget=100)
        self.assertEqual(self.of_risk(Risk.UNKNOWN_ZONE), {"lost"})
        self.assertEqual(self.of_risk(Risk.REACHED_TODAY), set())
        self.assertContains(self.home(), "in an unknown time zone")

    def test_figures_are_those_of_with_spend(self) -> None:
        brand = self.spending(5, 7, daily_budget=3, timezone="Asia/Tokyo")
        self.spending(9, 1, timezone="America/New_York", monthly_budget=10)
        self.check()
        spend(brand.campaigns.get(), 3, NOW)
        worst = {each.pk: (each.day_spend, each.month_spend) for each in brands_now(self.user, now=NOW).worst}
        expected = {each.pk: (each.spend_today, each.spend_this_month) for each in Brand.objects.with_spend(NOW)}
        self.assertEqual(worst, expected)

    def test_currencies_are_never_added(self) -> None:
        self.spending(10, 40, currency="EUR", daily_budget=100, monthly_budget=1000)
        self.spending(20, 0, currency="EUR", daily_budget=50)
        self.spending(30, 0, currency="USD")
        self.spending(5, 0, currency="EUR", daily_budget=500, enabled=False)
        currencies = brands_now(self.user, now=NOW).currencies
        euro, dollar = currencies["EUR"], currencies["USD"]
        self.assertEqual((euro.today.spend, euro.today.budget, euro.today.other_spend), (30, 150, 5))
        self.assertEqual((euro.this_month.spend, euro.this_month.budget, euro.this_month.other_spend), (50, 1000, 25))
        self.assertEqual((dollar.today.budgets, dollar.today.other_spend), (0, 30))
        self.assertContains(self.home(), "30.00 of 150.00 EUR")

    def test_the_worst_brands_are_named_and_not_all(self) -> None:
        for number in range(MAX_WORST_BRANDS + 1):
            self.spending(100 + number, name=f"Over {number}", daily_budget=100)
            make_profile(self.spending(0, name=f"Slow {number}", monthly_budget=100), NOW.date(), 1)
        self.spending(50, name="Even", daily_budget=100)
        now = brands_now(self.user, now=NOW)
        names = [f"Over {number}" for number in range(MAX_WORST_BRANDS, 0, -1)]
        self.assertEqual([brand.name for brand in now.worst], names)
        self.assertEqual({brand.name[:4] for brand in now.under_pacing}, {"Slow"})
        page, count = self.home(), MAX_WORST_BRANDS + 1
        self.assertContains(page, f"Showing {MAX_WORST_BRANDS} of {count}, worst first by money.", 2)
        every = f"{reverse('admin:campaigns_brand_changelist')}?risk=attention"
        self.assertContains(page, f'<a class="text-link" href="{every}">View all')
        self.assertEqual(len(self.client.get(every).context["cl"].result_list), count)

    def test_a_budget_that_often_runs_out_is_among_them(self) -> None:
        for days in (OFTEN_REACHED, OFTEN_REACHED - 1):
            brand = self.spending(1, name=f"on {days} days", daily_budget=100)
            make_profile(brand, NOW.date(), 10, reached_days=days)
        unlimited = self.spending(1, name="without a budget")
        make_profile(unlimited, NOW.date(), 10, reached_days=10)
        self.assertEqual(self.of_risk(Risk.OFTEN_REACHED), {"on 6 days"})
        self.assertEqual([brand.name for brand in brands_now(self.user, now=NOW).worst], ["on 6 days"])
        attention = self.client.get(reverse("admin:campaigns_brand_changelist"), {"risk": "attention"})
        self.assertEqual([brand.name for brand in attention.context["cl"].result_list], ["on 6 days"])

    def captions(self) -> list[list[str]]:
        lists = self.home().context["lists"]
        return [[*brand["captions"]] for listed in lists for group in listed["currencies"] for brand in group["brands"]]

    def test_each_amount_names_its_budget_and_is_that_of_the_brand_list(self) -> None:
        self.spending(110, 40, name="both", daily_budget=100, monthly_budget=120, currency="USD")
        make_profile(self.spending(0, 800, name="fast", monthly_budget=820), NOW.date(), 10)
        make_profile(self.spending(0, 100, name="slow", monthly_budget=820), NOW.date(), 10)
        for brand in Brand.objects.exclude(name="slow"):
            make_profile(brand, NOW.date(), 10)
        self.assertEqual(
            self.captions(),
            [
                ["projected 35.00 USD over the month’s budget", "runs out around Fri 27 Nov"],
                ["10.00 USD over today’s budget", "30.00 USD over the month’s budget"],
                ["projected 665.00 USD under the month’s budget"],
            ],
        )
        listed = self.client.get(reverse("admin:campaigns_brand_changelist")).context["cl"].result_list
        figures = {brand.name: brand.over_or_under for brand in listed}
        self.assertEqual(figures, {"both": 30, "fast": 35, "slow": -665})

    def test_a_reached_brand_is_not_said_to_end_over_its_budget(self) -> None:
        # Paused for the rest of the month: what it would have spent is nothing that anybody will see.
        make_profile(self.spending(900, 0, name="reached", monthly_budget=850), NOW.date(), 1_000)
        self.assertEqual(self.captions(), [["50.00 USD over the month’s budget"]])
        self.assertNotContains(self.home(), "would end")

    def test_a_budget_of_0_comes_last(self) -> None:
        self.spending(0, name="A new one", daily_budget=0, monthly_budget=0)
        self.spending(100, name="B spent", daily_budget=100)
        self.spending(101, name="C over", daily_budget=100)
        self.assertEqual(
            [brand.name for brand in brands_now(self.user, now=NOW).worst], ["C over", "B spent", "A new one"]
        )
        self.assertEqual(
            self.captions(),
            [
                ["1.00 USD over today’s budget"],
                ["today’s budget is spent"],
                ["today’s budget is 0", "the month’s budget is 0"],
            ],
        )

    def test_each_currency_has_its_own_list_worst_first(self) -> None:
        for number in range(MAX_WORST_BRANDS):
            self.spending(110 + number, name=f"Euro {number}", currency="EUR", daily_budget=100)
        self.spending(5_000, name="Dollar", currency="USD", daily_budget=100)
        (attention, _) = self.home().context["lists"]
        groups = [(group["code"], len(group["brands"])) for group in attention["currencies"]]
        self.assertEqual(groups, [("EUR", MAX_WORST_BRANDS - 1), ("USD", 1)])
        names = [brand.name for brand in brands_now(self.user, now=NOW).worst]
        self.assertEqual(names, [*(f"Euro {number}" for number in range(7, 0, -1)), "Dollar"])
        self.assertContains(self.home(), '<h4 class="home-currency">EUR <span class="home-caption">worst first</span>')

    def test_amounts_are_compared_within_a_currency_only(self) -> None:
        self.spending(2_000_000, name="Yen", currency="JPY", daily_budget=1_900_000)
        self.spending(90, name="Euro", currency="EUR", daily_budget=50)
        self.spending(60, name="Less", currency="EUR", daily_budget=50)
        worst = [brand.name for brand in brands_now(self.user, now=NOW).worst]
        self.assertEqual(worst, ["Euro", "Less", "Yen"])
