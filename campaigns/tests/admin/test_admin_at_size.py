"""Lists of the admin follow the page, not the table: what they count, how far they reach, and what they read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from campaigns.admin.shared import lists, search
from campaigns.models import Brand, Campaign, PendingSpend
from campaigns.models.spend_queries import brands_with_spend, campaigns_with_own_spend, campaigns_with_spend
from campaigns.services.ledger.fold import fold
from campaigns.tests.admin.test_admin_lists import address, some_brands
from campaigns.tests.support.browser import AdminTestCase, confirm
from campaigns.tests.support.factories import make_brand, make_campaign, spend


class CountTests(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(name="Alpine")
        for number in range(12):
            make_campaign(self.brand, name=f"Search {number:02}")

    def test_a_count_beyond_the_limit_says_that_there_are_more(self) -> None:
        with patch.object(lists, "COUNTED", 10):
            page = self.client.get(address("campaign"))
            self.assertContains(page, "more than 10\n")
            self.assertContains(page, "narrow the list by search or filters")
            self.assertNotContains(page, "across all pages")
            self.assertContains(self.client.get(address("campaign", q="Search 1")), "(<a href")

    def test_a_count_up_to_the_limit_is_exact(self) -> None:
        with patch.object(lists, "COUNTED", 12):
            page = self.client.get(address("campaign"))
            self.assertNotContains(page, "more than")
            self.assertEqual(page.context["cl"].result_count, 12)
            with patch("campaigns.admin.campaign.admin.CampaignAdmin.list_per_page", 5):
                self.assertContains(self.client.get(address("campaign")), "across all pages")

    def test_a_page_beyond_the_limit_is_none(self) -> None:
        with patch.object(lists, "COUNTED", 10), patch("campaigns.admin.campaign.admin.CampaignAdmin.list_per_page", 5):
            self.assertEqual(self.client.get(address("campaign", p=2)).status_code, 200)
            self.assertEqual(self.client.get(address("campaign", p=3)).status_code, 302)

    def test_one_action_takes_no_more_rows_than_are_counted(self) -> None:
        action = {
            "action": "switch_off",
            "select_across": "1",
            "_selected_action": [Campaign.objects.earliest("pk").pk],
        }
        with patch.object(lists, "COUNTED", 11):
            page = self.client.post(address("campaign"), action, follow=True)
            self.assertContains(page, "Nothing was changed: more than 11 campaigns are selected.")
        self.assertEqual(Campaign.objects.filter(enabled=True).count(), 12)
        with patch.object(lists, "COUNTED", 12):
            confirm(self.client, self.client.post(address("campaign"), action))
        self.assertEqual(Campaign.objects.filter(enabled=True).count(), 0)

    def test_a_name_that_many_have_is_followed_for_the_first_of_them(self) -> None:
        for campaign in Campaign.objects.all():
            spend(campaign, 1)
        with patch.object(search, "MAX_NAMED", 3):
            page = self.client.get(address("spendrecord", q="alpine"))
            self.assertContains(page, "More than 3 campaigns match")
        self.assertEqual(len(page.context["cl"].result_list), 3)


class ReachTests(AdminTestCase):
    def shown(self, name: str, **query: Any) -> int:
        return len(self.client.get(address(name, **query)).context["cl"].result_list)

    def test_ledger_and_history_reach_back_over_the_newest_rows(self) -> None:
        some_brands(3)
        campaign = Campaign.objects.earliest("pk")
        with patch.object(lists, "NEWEST", 2):
            for name in ("spendrecord", "statuschange"):
                self.assertEqual(self.shown(name), 2, name)
                self.assertEqual(self.shown(name, q="Campaign"), 2, name)
                self.assertEqual(self.shown(name, campaign__id__exact=campaign.pk), 1, name)
        self.assertEqual(self.shown("spendrecord"), 6)

    def test_the_page_of_an_old_record_opens(self) -> None:
        campaign = make_campaign()
        record = spend(campaign, 1)
        spend(campaign, 2)
        with patch.object(lists, "NEWEST", 1):
            page = self.client.get(reverse("admin:campaigns_spendrecord_change", args=[record.pk]))
        self.assertEqual(page.status_code, 200)


class PendingTests(AdminTestCase):
    def test_each_list_reads_what_is_pending_once_whatever_it_shows(self) -> None:
        for number in (2, 20):
            some_brands(number)
            spend(Campaign.objects.earliest("pk"), 1)
            for name, times in (("brand", 1), ("campaign", 1), ("brandperiod", 1)):
                with CaptureQueriesContext(connection) as captured:
                    self.client.get(address(name))
                reads = sum(query["sql"].count("FROM campaigns_pendingspend") for query in captured.captured_queries)
                self.assertEqual(reads, times, name)

    def test_ids_make_no_difference_to_the_figures(self) -> None:
        now = timezone.now()
        brands = [make_brand(), make_brand(timezone="Asia/Tokyo"), make_brand(timezone="Mars/Olympus")]
        campaigns = [make_campaign(brand) for brand in brands for _ in range(2)]
        for number, campaign in enumerate(campaigns):
            spend(campaign, Decimal("0.000001") + number, now)
        fold()
        for number, campaign in enumerate(campaigns):
            spend(campaign, Decimal("10.25") * number + 1, now)
        self.assertTrue(PendingSpend.objects.exists())
        some = [campaigns[0].pk, campaigns[3].pk]
        every = {row.pk: row for row in Campaign.objects.with_spend(now)}
        own = {row.pk: row for row in campaigns_with_own_spend(Campaign.objects.filter(pk__in=some), now, some)}
        both = {row.pk: row for row in campaigns_with_spend(Campaign.objects.filter(pk__in=some), now, some)}
        for pk in some:
            self.assertEqual(own[pk].spend_today, every[pk].spend_today)
            for figure in ("spend_today", "brand_spend_today", "brand_spend_this_month"):
                self.assertEqual(getattr(both[pk], figure), getattr(every[pk], figure))
        of_brands = {row.pk: row for row in Brand.objects.with_spend(now)}
        chosen = brands_with_spend(Brand.objects.filter(pk=brands[1].pk), now, [brands[1].pk]).get()
        self.assertEqual(chosen.spend_this_month, of_brands[brands[1].pk].spend_this_month)
        self.assertEqual(every[campaigns[0].pk].brand_spend_today, Decimal("13.250002"))

    def test_lists_are_ordered_by_folded_and_pending_spend(self) -> None:
        names = {}
        # In percent of the limit: amounts of several currencies don't compare.
        for amount, limit in ((500, 10_000), (30, 100), (20, 100)):
            campaign = make_campaign(daily_spend_limit=limit)
            spend(campaign, amount)
            names[amount] = campaign.name
        unlimited = make_campaign()
        spend(unlimited, 1_000)
        for order, expected in (("6", [500, 20, 30]), ("-6", [30, 20, 500])):
            page = self.client.get(address("campaign", o=order))
            self.assertEqual(
                [row.name for row in page.context["cl"].result_list],
                [*(names[amount] for amount in expected), unlimited.name],
            )

    def test_a_page_ordered_by_spend_reads_what_is_pending_for_its_rows_only_once(self) -> None:
        some_brands(3)
        spend(Campaign.objects.earliest("pk"), 1)
        with CaptureQueriesContext(connection) as captured:
            self.client.get(address("campaign", o="-6"))
        reads = [query["sql"].count("FROM campaigns_pendingspend") for query in captured.captured_queries]
        self.assertEqual(list(filter(None, reads)), [1, 1])  # the ids of the page, the page

    def test_an_action_on_all_rows_of_a_list_ordered_by_spend_changes_them_all(self) -> None:
        for amount in (5, 30):
            spend(make_campaign(), amount)
        action = {
            "action": "switch_off",
            "select_across": "1",
            "_selected_action": [Campaign.objects.earliest("pk").pk],
        }
        confirm(self.client, self.client.post(address("campaign", o="-6", enabled__exact="1"), action))
        self.assertEqual(Campaign.objects.filter(enabled=False).count(), 2)

    def test_querysets_with_spend_can_be_filtered_counted_and_nested(self) -> None:
        now, campaign = timezone.now(), make_campaign()
        spend(campaign, 7, now)
        make_campaign()
        spending = Campaign.objects.with_spend(now).filter(spend_today__gt=Decimal(5))
        self.assertEqual((spending.count(), spending.exists(), spending.get()), (1, True, campaign))
        self.assertEqual(Brand.objects.filter(campaigns__in=spending.values("pk")).get(), campaign.brand)
        brands = Brand.objects.with_spend(now).filter(campaigns__in=spending.values("pk"))
        self.assertEqual([brand.spend_today for brand in brands], [7])
