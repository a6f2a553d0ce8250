"""The campaign list sorts by the percent of the daily spend limit that is spent today, over all campaigns."""

from __future__ import annotations

from datetime import datetime, timedelta

import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Campaign
from campaigns.models.spend_queries import campaigns_with_own_spend
from campaigns.services.insight.percent_today import campaigns_with_percent_today
from campaigns.services.ledger.fold import fold
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.pages import page

# In UTC it is the 30th, in Tokyo the 1st already, and on Kiritimati it has been for 15 hours.
NOW = utc("2026-11-30 16:00")
ZONES = ("UTC", "Asia/Tokyo", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Mars/Olympus")
LIMITS = (None, 0, 7, 100, "0.000003")


@time_machine.travel(NOW, tick=False)
class PercentToday(AdminTestCase):
    def percents(self, now: datetime) -> dict[int, float | None]:
        return dict(campaigns_with_percent_today(Campaign.objects.order_by(), now).values_list("pk", "percent_today"))

    def own(self, now: datetime) -> dict[int, float | None]:
        return dict(campaigns_with_own_spend(Campaign.objects.order_by(), now).values_list("pk", "percent_today"))

    def test_it_is_what_the_rows_of_a_page_show(self) -> None:
        for zone in ZONES:
            brand = make_brand(timezone=zone)
            for number, limit in enumerate(LIMITS):
                campaign = make_campaign(brand, daily_spend_limit=limit)
                for hours in (0, 1, 9, 17, 30):
                    spend(campaign, f"{number + hours}.000001", NOW - timedelta(hours=hours))
                make_campaign(brand, daily_spend_limit=limit)  # without spend
        instants = [NOW, NOW - timedelta(hours=9), NOW + timedelta(hours=20)]
        for _ in range(2):
            for now in instants:
                self.assertEqual(self.percents(now), self.own(now), now)
            fold()
            spend(Campaign.objects.earliest("pk"), -50, NOW)
        self.assertGreater(len(set(self.percents(NOW).values())), 5)

    def test_it_is_the_same_where_every_zone_is_known_and_has_the_same_date(self) -> None:
        campaign = make_campaign(make_brand(timezone="Europe/Paris"), daily_spend_limit=8)
        spend(campaign, 2, NOW)
        fold()
        spend(campaign, 1, NOW)
        other = make_campaign(make_brand(timezone="UTC"), daily_spend_limit=8)
        self.assertEqual(self.percents(NOW), {campaign.pk: 37.5, other.pk: 0})
        self.assertEqual(self.own(NOW), {campaign.pk: 37.5, other.pk: 0})

    def test_a_spend_of_0_comes_before_no_limit_in_both_directions(self) -> None:
        """Also below 0, where a refund is more than what was spent."""
        brand = make_brand(timezone="Asia/Tokyo")
        amounts = {"refunded": -5, "most": 90, "nothing": 0, "some": 10}
        for name, amount in amounts.items():
            campaign = make_campaign(brand, name=name, daily_spend_limit=100)
            if amount:
                spend(campaign, amount, NOW)
        spend(make_campaign(brand, name="no limit"), 1_000, NOW)
        fold()
        for order, expected in (("6", ["refunded", "nothing", "some", "most"]), ("-6", ["most", "some", "nothing"])):
            shown = self.client.get(page(Campaign, "changelist"), {"o": order}).context["cl"].result_list
            self.assertEqual([row.name for row in shown][: len(expected)], expected)
            self.assertEqual(shown[-1].name, "no limit")

    def test_the_count_reads_no_figures(self) -> None:
        spend(make_campaign(daily_spend_limit=9), 1, NOW)
        fold()
        with CaptureQueriesContext(connection) as captured:
            self.client.get(page(Campaign, "changelist"), {"o": "-6"})
        reads = [query["sql"] for query in captured.captured_queries if '"campaigns_campaignday"' in query["sql"]]
        self.assertEqual(len(reads), 1)  # the ids of the page
