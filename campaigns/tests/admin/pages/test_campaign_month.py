"""The campaign list's column of this month's spend."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.models.spend_queries import campaigns_with_month
from campaigns.services.ledger.fold import fold
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.pages import page

# 1 December in Tokyo.
NOW = utc("2026-11-30 16:00")


@time_machine.travel(NOW, tick=False)
class CampaignMonth(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.search = make_campaign(make_brand(name="Alpine", currency="EUR"), name="Search")
        self.video = make_campaign(make_brand(name="Kawabe", currency="JPY", timezone="Asia/Tokyo"), name="Video")
        for campaign in (self.search, self.video):
            spend(campaign, 1, utc("2026-10-31 12:00"))
            spend(campaign, 10, utc("2026-11-01 12:00"))
            spend(campaign, 100, NOW - timedelta(minutes=30))
            spend(campaign, 1_000, utc("2026-12-01 18:00"))  # ahead: another month or day

    def sums(self, ids: list[int] | None = None) -> dict[str, int]:
        found = campaigns_with_month(Campaign.objects.all(), timezone.now(), ids)
        return {row.name: int(row.spend_this_month) for row in found}

    def test_it_is_of_the_month_of_the_brand_pending_and_folded(self) -> None:
        expected = {"Search": 110, "Video": 100}
        ids = [self.search.pk, self.video.pk]
        self.assertEqual((self.sums(ids), self.sums()), (expected, expected))
        fold()
        spend(self.video, 5, NOW)
        expected["Video"] += 5
        self.assertEqual((self.sums(ids), self.sums()), (expected, expected))

    def test_the_list_shows_it_in_the_decimals_of_its_currency(self) -> None:
        answer = self.client.get(page(Campaign, "changelist"))
        self.assertContains(answer, "110.00 EUR</td>")
        self.assertContains(answer, "100 JPY</td>")

    def test_it_sorts_the_campaigns_of_a_brand_without_a_query_for_each(self) -> None:
        make_campaign(self.search.brand, name="Nothing")
        for order, expected in (("", ["Nothing", "Search"]), ("-", ["Search", "Nothing"])):
            with CaptureQueriesContext(connection) as captured:
                answer = self.client.get(
                    page(Campaign, "changelist"), {"o": f"{order}7", "brand__id__exact": str(self.search.brand_id)}
                )
            self.assertEqual([row.name for row in answer.context["cl"].result_list], expected)
        reads = [query["sql"] for query in captured.captured_queries if "campaigns_campaignday" in query["sql"]]
        self.assertEqual(len(reads), 2)  # the ids of the page, and its rows

    def test_it_does_not_sort_several_brands_whose_amounts_may_not_compare(self) -> None:
        make_campaign(self.search.brand, name="Nothing")
        answer = self.client.get(page(Campaign, "changelist"), {"o": "-7"})
        self.assertEqual([row.name for row in answer.context["cl"].result_list], ["Nothing", "Search", "Video"])
        self.assertNotContains(answer, "?o=7")

    def test_it_filters_the_campaigns_of_a_brand_by_whether_they_have_spent(self) -> None:
        make_campaign(self.search.brand, name="Nothing")
        refunded = make_campaign(self.search.brand, name="Refunded")
        spend(refunded, 5, NOW)
        spend(refunded, -5, NOW)
        for folds in (False, True):
            if folds:
                fold()
            for kind, expected in (("some", ["Search"]), ("none", ["Nothing", "Refunded"])):
                asked = {"brand__id__exact": str(self.search.brand_id), "month_spend": kind}
                answer = self.client.get(page(Campaign, "changelist"), asked)
                self.assertEqual([row.name for row in answer.context["cl"].result_list], expected)
        self.assertContains(answer, "nothing")
        self.assertNotContains(answer, "Choose a brand first")

    def test_it_filters_nothing_without_a_brand_and_says_so(self) -> None:
        make_campaign(self.search.brand, name="Nothing")
        answer = self.client.get(page(Campaign, "changelist"), {"month_spend": "none"})
        self.assertEqual([row.name for row in answer.context["cl"].result_list], ["Nothing", "Search", "Video"])
        self.assertContains(answer, "Choose a brand first")
