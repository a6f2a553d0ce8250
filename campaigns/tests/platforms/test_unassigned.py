"""Unassigned spend in the admin: shown with its money and reason, assigned with a preview, booked by the next check."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from django.contrib.auth.models import Group, User
from django.db.models import Sum
from django.test import TestCase
from django.urls import reverse
from django.utils import timezone

from campaigns.admin.platforms.unassigned_rows import waits_for_zone
from campaigns.models import BrandAssignment, Campaign, CampaignLink, JobRun, PlatformAccount, SpendRecord, SpendTotal
from campaigns.services.groups import BRAND_MANAGERS, CAMPAIGN_MANAGERS, VIEWERS
from campaigns.services.jobs.quick_check import run_quick_check
from campaigns.services.jobs.schedule import CHECK
from campaigns.services.totals.links import assign, unassign
from campaigns.services.totals.unassigned import unassigned_accounts
from campaigns.tests.support.factories import make_brand, make_campaign, zone_at_noon

PAGE = reverse("admin:campaigns_campaignlink_unassigned")
KEY = "google_ads 123 {}"


class UnassignedTestCase(TestCase):
    def setUp(self) -> None:
        self.amara = User.objects.create_superuser("amara")
        self.client.force_login(self.amara)
        self.zone = zone_at_noon()
        self.brand = make_brand(name="Alpine", currency="USD", timezone=self.zone, daily_budget=100)
        self.search = make_campaign(self.brand, name="Search")
        self.day = timezone.localdate(timezone=ZoneInfo(self.zone))
        self.account = PlatformAccount.objects.create(
            source="google_ads", external_id="123", name="Alpine on Google", currency="USD", timezone=self.zone
        )
        self.report("1", "Search", "120.5")
        self.report("2", "Vidéo", "30")
        self.check()

    def report(self, campaign: str, name: str, total: str) -> None:
        CampaignLink.objects.create(account=self.account, external_id=campaign, name=name)
        SpendTotal.objects.create(
            source="google_ads", account="123", campaign=campaign, day=self.day, total=Decimal(total)
        )

    def check(self) -> None:
        run_quick_check(clock=timezone.now)

    def post(self, *campaigns: str, **data: Any) -> Any:
        return self.client.post(PAGE, {"spend": [KEY.format(each) for each in campaigns], **data}, follow=True)

    def booked(self, name: str) -> Any:
        return SpendRecord.objects.filter(campaign__name=name).aggregate(sum=Sum("amount"))["sum"]


class UnassignedTests(UnassignedTestCase):
    def test_it_is_shown_with_money_and_reason_on_its_page_and_on_home(self) -> None:
        page = self.client.get(PAGE)
        for text in ("150.50 USD", "120.50 USD", "Google Ads: Alpine on Google", "not linked to a campaign"):
            self.assertContains(page, text)
        home = self.client.get(reverse("admin:index"))
        self.assertContains(home, "150.50 USD")
        self.assertContains(home, "of 2 platform campaigns")
        self.assertContains(home, PAGE)

    def test_nothing_waits_is_said(self) -> None:
        SpendTotal.objects.all().delete()
        self.assertContains(self.client.get(PAGE), "Nothing is unassigned")
        self.assertNotContains(self.client.get(reverse("admin:index")), "Reported spend")

    def test_same_names_with_a_preview_that_changes_nothing(self) -> None:
        page = self.post("1", what="same", brand=self.brand.pk)
        for text in ("Assigned to campaigns of Alpine", "campaign pauses", "daily budget reached"):
            self.assertContains(page, text, msg_prefix=text)
        self.assertEqual(CampaignLink.objects.filter(campaign=None).count(), 2)
        self.assertIsNone(self.booked("Search"))
        self.assertEqual(SpendTotal.objects.filter(waiting=1).count(), 2)

        done = self.post("1", what="same", brand=self.brand.pk, confirmed=1)
        self.assertContains(done, "Assigned 1 platform campaign to “Alpine”")
        self.check()
        self.assertEqual(self.booked("Search"), Decimal("120.5"))
        self.search.refresh_from_db()
        self.assertEqual(self.search.status, "paused")
        self.assertContains(self.client.get(PAGE), "Vidéo")
        self.assertNotContains(self.client.get(PAGE), KEY.format("1"))

    def test_new_campaigns_where_the_brand_has_none_of_the_name(self) -> None:
        preview = self.post("1", "2", what="new", brand=self.brand.pk)
        self.assertContains(preview, "new campaign")
        self.assertEqual(Campaign.objects.count(), 1)
        self.post("1", "2", what="new", brand=self.brand.pk, confirmed=1)
        self.check()
        self.assertEqual((self.booked("Search"), self.booked("Vidéo")), (Decimal("120.5"), 30))
        self.assertEqual(Campaign.objects.count(), 2)

    def test_one_campaign_by_id_or_name(self) -> None:
        for text in (str(self.search.pk), "Search", " search "):
            with self.subTest(text=text):
                page = self.post("2", what="one", campaign=text, brand=self.brand.pk)
                self.assertContains(page, "Assigned to campaigns of Alpine")
        self.post("1", "2", what="one", campaign=str(self.search.pk), confirmed=1)
        self.check()
        self.assertEqual(self.booked("Search"), Decimal("150.5"))

    def test_campaigns_are_suggested_as_in_other_forms(self) -> None:
        page = self.post("1")
        self.assertContains(page, 'name="campaign"')
        self.assertContains(page, f'data-ajax--url="{reverse("admin:autocomplete")}"')
        self.assertContains(page, "admin/js/autocomplete.js")
        names = {"app_label": "campaigns", "model_name": "campaignlink", "field_name": "campaign"}
        found = self.client.get(reverse("admin:autocomplete"), {"term": "sear", **names}).json()
        self.assertEqual([each["id"] for each in found["results"]], [str(self.search.pk)])
        # What was chosen stays chosen beside the preview; what isn't an ID does no harm.
        page = self.post("1", what="one", campaign=str(self.search.pk))
        self.assertContains(page, f'<option value="{self.search.pk}" selected')
        self.assertContains(page, f'<input type="hidden" name="campaign" value="{self.search.pk}">', html=True)

    def test_what_cant_be_assigned_is_said(self) -> None:
        for data, sentence in (
            ({"what": "same"}, "Choose a brand."),
            ({"what": "one", "campaign": "Unheard"}, "No campaign has the ID or name “Unheard”"),
            ({"what": "one", "campaign": "9" * 30}, "No campaign has the ID or name"),
            ({"what": "same", "brand": make_brand(name="Empty").pk}, "“Empty” has no campaigns with these names"),
        ):
            with self.subTest(data=data):
                self.assertContains(self.post("1", **data), sentence)
        self.assertContains(self.post(what="same"), "Choose what to assign")

    def test_another_currency_stays_and_says_so(self) -> None:
        euro = make_brand(name="Euro", currency="EUR")
        make_campaign(euro, name="Search")
        self.assertContains(self.post("1", what="same", brand=euro.pk), "“Euro” is in EUR")
        self.post("1", what="same", brand=euro.pk, confirmed=1)
        self.check()
        self.assertContains(self.client.get(PAGE), "the account’s currency isn’t the brand’s")
        self.assertEqual(SpendRecord.objects.count(), 0)

    def test_an_unknown_time_zone_is_said_before_assigning_and_leads_to_the_account(self) -> None:
        PlatformAccount.objects.update(timezone="")
        answer = self.post("1", what="same", brand=self.brand.pk)
        waits = "The spend of “Alpine on Google” waits here until the account’s time zone is set on its page."
        self.assertContains(answer, waits)
        self.assertNotContains(answer, "within 10 seconds")
        answer = self.post("1", what="same", brand=self.brand.pk, confirmed=1)
        self.assertContains(answer, f"Assigned 1 platform campaign to “Alpine”. {waits}")
        self.check()
        address = reverse("admin:campaigns_platformaccount_change", args=[self.account.pk])
        page = self.client.get(PAGE)
        self.assertContains(page, "the account’s time zone is unknown")
        self.assertContains(page, f'<a class="text-link" href="{address}">Set the account’s time zone</a>', html=True)
        self.client.post(address, {"currency": "USD", "timezone": "UTC", "interval_hours": 3, "brand": ""})
        self.check()
        self.assertEqual(self.booked("Search"), Decimal("120.5"))

    def test_accounts_beyond_three_are_counted(self) -> None:
        self.assertEqual(
            waits_for_zone(["A", "B", "C", "D", "E"], "here"),
            "The spend of “A”, “B”, “C” and 2 more waits here until the accounts’ time zones are set on their pages.",
        )

    def test_ignored_spend_is_apart_and_can_be_assigned_again(self) -> None:
        self.post("2", what="ignore", note="A test account")
        self.check()
        page = self.client.get(PAGE)
        self.assertContains(page, "A test account")
        self.assertContains(page, "120.50 USD")
        self.assertNotContains(self.client.get(reverse("admin:index")), "150.50 USD")
        self.post("2", what="one", campaign=str(self.search.pk), confirmed=1)
        self.check()
        self.assertEqual(self.booked("Search"), 30)

    def test_days_that_an_earlier_campaign_has_booked_stay(self) -> None:
        link, before = CampaignLink.objects.get(external_id="2"), make_campaign(self.brand, name="Before")
        assign({link.pk: before.pk})
        self.check()
        tomorrow = self.day + timedelta(days=1)
        unassign([link.pk], first_day=tomorrow)
        SpendTotal.objects.create(source="google_ads", account="123", campaign="2", day=tomorrow, total=7)
        self.check()
        self.assertContains(
            self.post("2", what="one", campaign=str(self.search.pk)), "already stay with their campaign"
        )
        for what in ({"what": "ignore"}, {"what": "one", "campaign": str(self.search.pk), "confirmed": 1}):
            self.post("2", **what)
            self.check()
            self.assertEqual(self.booked("Before"), 30)
        self.assertEqual(self.booked("Search"), 7)

    def test_a_total_without_account_and_link_can_be_assigned(self) -> None:
        SpendTotal.objects.create(source="google_ads", account="999", campaign="7", day=self.day, total=5)
        self.check()
        page = self.client.post(
            PAGE,
            {"spend": "google_ads 999 7", "what": "one", "campaign": str(self.search.pk), "confirmed": 1},
            follow=True,
        )
        self.assertContains(page, "Assigned 1 platform campaign")
        self.assertEqual(CampaignLink.objects.get(account__external_id="999").campaign, self.search)

    def test_home_and_page_cost_a_few_queries(self) -> None:
        for n in range(30):
            self.report(f"9{n}", f"Campaign {n}", "1")
        self.check()
        # Without a check that has succeeded, their number depends on the age of the test database.
        JobRun.objects.create(name=CHECK.run_name, started_at=timezone.now(), succeeded_at=timezone.now())
        with self.assertNumQueries(5):
            self.client.get(PAGE)


class AccessTests(UnassignedTestCase):
    def sign_in(self, group: str, *brands: Any) -> None:
        user = User.objects.create(username="dana", is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        BrandAssignment.objects.bulk_create(BrandAssignment(user=user, brand=brand) for brand in brands)
        self.client.force_login(user)

    def test_viewers_look_and_dont_touch(self) -> None:
        self.sign_in(VIEWERS)
        self.assertContains(self.client.get(PAGE), "120.50 USD")
        self.assertNotContains(self.client.get(PAGE), "Assign or ignore")
        self.assertEqual(self.post("1", what="ignore").status_code, 403)

    def test_campaign_managers_assign(self) -> None:
        self.sign_in(CAMPAIGN_MANAGERS)
        self.assertContains(self.post("1", what="new", brand=self.brand.pk, confirmed=1), "Assigned 1")

    def test_what_waits_of_other_brands_hides_nothing_of_their_own(self) -> None:
        self.account.brand = self.brand
        self.account.save()
        self.sign_in(BRAND_MANAGERS, self.brand)
        for number in range(2):
            account = PlatformAccount.objects.create(source="amazon_ads", external_id=f"{number}")
            SpendTotal.objects.create(
                source="amazon_ads", account=account.external_id, campaign="1", day=self.day, total=Decimal(1)
            )
        self.check()
        with patch("campaigns.services.totals.unassigned.MOST", 2):
            self.assertContains(self.client.get(PAGE), "120.50 USD")
            self.assertNotContains(self.client.get(PAGE), "Shows the first campaigns only")
            self.assertEqual([each.campaigns for each in unassigned_accounts()], [1, 1, 2])
            self.client.force_login(self.amara)
            self.assertContains(self.client.get(PAGE), "Shows the first campaigns only")
            self.assertContains(self.client.get(reverse("admin:index")), "of the first 2 platform campaigns")

    def test_brand_managers_see_the_accounts_of_their_brands(self) -> None:
        self.sign_in(BRAND_MANAGERS, self.brand)
        self.assertContains(self.client.get(PAGE), "Nothing is unassigned")
        self.account.brand = self.brand
        self.account.save()
        self.assertContains(self.client.get(PAGE), "120.50 USD")
