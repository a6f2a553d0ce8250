"""Accounts, links and held decreases in the admin, and until when spend is known."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Alert, BrandAssignment, CampaignLink, PlatformAccount, SpendRecord, SpendTotal, Waiting
from campaigns.services.alerts.evaluate import evaluate
from campaigns.services.jobs.full_check import CHECK_BUDGETS, run_full_check
from campaigns.services.totals.held import held_decreases, held_warning
from campaigns.tests.alerts.test_messages import person
from campaigns.tests.platforms.test_unassigned import UnassignedTestCase
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import make_campaign


class LinkTests(UnassignedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.link = CampaignLink.objects.get(external_id="1")
        self.address = reverse("admin:campaigns_campaignlink_change", args=[self.link.pk])
        self.other = make_campaign(self.brand, name="Other")

    def save(self, **data: Any) -> Any:
        return self.client.post(self.address, {"note": "", "first_day": "", **data}, follow=True)

    def test_a_link_books_and_its_page_shows_the_days(self) -> None:
        self.save(campaign=self.search.pk)
        self.check()
        self.assertEqual(self.booked("Search"), Decimal("120.5"))
        page = self.client.get(self.address)
        self.assertContains(page, "120.50")
        self.assertContains(page, "booked")

    def test_moving_asks_from_which_day(self) -> None:
        self.save(campaign=self.search.pk)
        self.check()
        asked = self.save(campaign=self.other.pk)
        self.assertContains(asked, "is booked for another campaign")
        self.link.refresh_from_db()
        self.assertEqual(self.link.campaign, self.search)
        self.save(campaign=self.other.pk, first_day=str(self.day))
        self.check()
        self.assertEqual((self.booked("Search"), self.booked("Other")), (0, Decimal("120.5")))

    def test_earlier_days_stay(self) -> None:
        self.save(campaign=self.search.pk)
        self.check()
        self.save(campaign=self.other.pk, first_day=str(self.day + timedelta(days=1)))
        self.check()
        self.assertEqual((self.booked("Search"), self.booked("Other")), (Decimal("120.5"), None))

    def test_a_link_is_assigned_or_ignored(self) -> None:
        self.assertContains(
            self.save(campaign=self.search.pk, ignored="on"), "either assigned to a campaign or ignored"
        )

    def test_links_are_found_by_ids_of_the_platform(self) -> None:
        listed = reverse("admin:campaigns_campaignlink_changelist")
        self.assertContains(self.client.get(listed, {"q": "123"}), "Vidéo")
        self.assertContains(self.client.get(listed, {"q": "Vid"}), "unassigned")


class AccountTests(UnassignedTestCase):
    def test_a_zone_that_was_missing_sets_spend_free(self) -> None:
        self.account.timezone = ""
        self.account.save()
        CampaignLink.objects.filter(external_id="1").update(campaign=self.search)
        run_full_check(CHECK_BUDGETS, clock=timezone.now)
        self.assertContains(
            self.client.get(reverse("admin:campaigns_campaignlink_unassigned")), "the account’s time zone is unknown"
        )
        address = reverse("admin:campaigns_platformaccount_change", args=[self.account.pk])
        self.client.post(address, {"currency": "usd", "timezone": "europe/paris", "interval_hours": 3, "brand": ""})
        self.check()
        self.assertEqual(self.booked("Search"), Decimal("120.5"))
        self.account.refresh_from_db()
        self.assertEqual((self.account.currency, self.account.timezone), ("USD", "Europe/Paris"))

    def test_its_page_explains_until_when_spend_is_known_and_when_it_is_silent(self) -> None:
        page = self.client.get(reverse("admin:campaigns_platformaccount_change", args=[self.account.pk]))
        self.assertContains(page, "when its last sync ended, or for an imported report the end of its last day")
        self.assertContains(page, "0: never, as for an account whose reports are imported as files")

    def test_silent_accounts_are_on_home_and_on_their_brands_and_campaigns(self) -> None:
        CampaignLink.objects.filter(external_id="1").update(campaign=self.search)
        pages = (
            reverse("admin:index"),
            reverse("admin:campaigns_brand_change", args=[self.brand.pk]),
            reverse("admin:campaigns_campaign_change", args=[self.search.pk]),
            reverse("admin:campaigns_platformaccount_changelist"),
        )
        self.account.reported_until = timezone.now() - timedelta(hours=2)
        self.account.save()
        for page in pages:
            self.assertNotContains(self.client.get(page), "silent</span>")
        self.account.reported_until = timezone.now() - timedelta(hours=4)
        self.account.save()
        for page in pages:
            self.assertContains(self.client.get(page), "silent</span>", msg_prefix=page)

    def test_people_hear_on_home_of_silent_accounts_that_are_linked_to_their_brands(self) -> None:
        user = person("maja", "Brand managers")
        BrandAssignment.objects.create(user=user, brand=self.brand)
        self.client.force_login(user)
        other = make_campaign()
        PlatformAccount.objects.update(reported_until=timezone.now() - timedelta(hours=4))
        account = f'href="{reverse("admin:campaigns_platformaccount_change", args=[self.account.pk])}"'
        for campaign, brand, is_named, is_followed in (
            (other, None, False, False),
            (self.search, None, True, False),
            (self.search, self.brand, True, True),
        ):
            with self.subTest(campaign=campaign, brand=brand):
                CampaignLink.objects.filter(external_id="1").update(campaign=campaign)
                PlatformAccount.objects.update(brand=brand)
                home = self.client.get(reverse("admin:index")).content.decode()
                self.assertEqual("silent</span>" in home, is_named)
                self.assertEqual(account in home, is_followed)
                if is_named:
                    for page, key in (("brand", self.brand.pk), ("campaign", self.search.pk)):
                        shown = self.client.get(reverse(f"admin:campaigns_{page}_change", args=[key])).text
                        self.assertIn("Known until", shown)
                        self.assertEqual(account in shown, is_followed)

    def test_brands_and_campaigns_warn_of_an_account_in_another_time_zone(self) -> None:
        CampaignLink.objects.filter(external_id="1").update(campaign=self.search)
        pages = (
            reverse("admin:campaigns_brand_change", args=[self.brand.pk]),
            reverse("admin:campaigns_campaign_change", args=[self.search.pk]),
        )
        for zone, is_other in ((self.brand.timezone, False), ("", False), ("Pacific/Auckland", True)):
            PlatformAccount.objects.update(timezone=zone)
            for page in pages:
                with self.subTest(page, zone=zone):
                    warned = "days in Pacific/Auckland" in self.client.get(page).content.decode()
                    self.assertEqual(warned, is_other)


class MonitoringTests(CommittedTestCase):
    """Probes ask on a connection of their own."""

    def test_it_hears_of_silent_accounts_without_their_names(self) -> None:
        account = PlatformAccount.objects.create(source="google_ads", external_id="123", name="Alpine on Google")
        CampaignLink.objects.create(account=account, external_id="1", campaign=make_campaign())
        for hours, is_silent in ((4, True), (2, False)):
            account.reported_until = timezone.now() - timedelta(hours=hours)
            account.save()
            warnings = self.client.get("/health/jobs").json()["warnings"]
            sentence = "Accounts of ad platforms are silent, and their spend may be out of date: 1 of Google Ads."
            self.assertEqual(sentence in warnings, is_silent)
            self.assertNotIn("Alpine", str(warnings))


class HeldTests(UnassignedTestCase):
    """Yesterday's 1,000 USD become 100: held until somebody decides."""

    page = reverse("admin:campaigns_spendtotal_held")

    def setUp(self) -> None:
        super().setUp()
        SpendTotal.objects.all().delete()
        CampaignLink.objects.filter(external_id="1").update(campaign=self.search)
        self.old = timezone.now().date() - timedelta(days=2)
        self.total = SpendTotal.objects.create(
            source="google_ads", account="123", campaign="1", day=self.old, total=1000
        )
        self.check()
        SpendTotal.objects.filter(pk=self.total.pk).update(total=100)
        self.check()
        run_full_check(CHECK_BUDGETS, clock=timezone.now)

    def decide(self, decision: str) -> Any:
        data = {"held": f"google_ads 123 {self.old}", "decision": decision}
        return self.client.post(self.page, data, follow=True)

    def sum(self) -> Any:
        return SpendRecord.objects.aggregate(sum=Sum("amount"))["sum"]

    def test_it_is_shown_with_both_sums(self) -> None:
        self.assertEqual(self.sum(), 1000)
        shown = self.client.get(self.page)
        self.assertContains(shown, "Booked 1,000.00 USD, now reported 100.00 USD: 900.00 USD less, of 1 campaign.")
        self.assertContains(self.client.get(reverse("admin:index")), "1 account day")

    def test_people_see_the_totals_of_assigned_brands(self) -> None:
        """Also those that are booked for a campaign that the link has left, and none that are linked since."""
        user = person("maja", "Brand managers")
        self.client.force_login(user)
        listed = reverse("admin:campaigns_spendtotal_changelist")
        elsewhere = make_campaign()
        CampaignLink.objects.filter(external_id="1").update(campaign=elsewhere)
        for brand, is_seen in ((elsewhere.brand, False), (self.brand, True)):
            BrandAssignment.objects.create(user=user, brand=brand)
            with self.subTest(brand.name):
                rows = self.client.get(listed).context["cl"].result_list
                self.assertEqual([total.pk for total in rows], [self.total.pk] if is_seen else [])

    def test_those_of_other_brands_hide_none_of_their_own(self) -> None:
        other = PlatformAccount.objects.create(source="google_ads", external_id="9", brand=make_campaign().brand)
        SpendTotal.objects.create(
            source="google_ads", account="9", campaign="1", day=self.old, total=1, waiting=Waiting.HELD
        )
        PlatformAccount.objects.filter(external_id="123").update(brand=self.brand)
        with patch("campaigns.services.totals.held.MOST", 1):
            for brand, account in ((self.brand, "123"), (other.brand, "9")):
                assert brand is not None
                self.assertEqual([each.account for each in held_decreases([brand.pk])], [account])
            self.assertEqual(len(held_decreases(None)), 1)
        self.assertEqual((len(held_decreases(None)), held_decreases([])), (2, []))

    def test_rejected_ones_take_no_places_and_alerts_have_no_limit(self) -> None:
        """A newer rejected day must neither hide an older one that waits, nor resolve its alert."""
        newer = self.old + timedelta(days=1)
        for account, rejected in (("8", 1), ("9", None)):
            SpendTotal.objects.create(
                source="google_ads",
                account=account,
                campaign="1",
                day=newer,
                total=1,
                waiting=Waiting.HELD,
                rejected=rejected,
            )
        with patch("campaigns.services.totals.held.MOST", 2):
            self.assertEqual({each.account for each in held_decreases(None)}, {"9", "123"})
        with patch("campaigns.services.totals.held.MOST", 1):
            evaluate(None, now=timezone.now())
        still_open = Alert.objects.filter(kind="held", resolved_at__isnull=True)
        self.assertEqual(
            set(still_open.values_list("subject", flat=True)), {"account google_ads 9", "account google_ads 123"}
        )

    def test_monitoring_is_warned_until_somebody_decides(self) -> None:
        self.assertIn("Reported decreases are held, 1 day of accounts", held_warning())
        self.decide("reject")
        self.assertEqual(held_warning(), "")

    def test_released_it_is_booked(self) -> None:
        self.assertContains(self.decide("release"), "booked 1 decrease")
        self.assertEqual(self.sum(), 100)
        self.assertContains(self.client.get(self.page), "No decrease is held.")

    def test_rejected_it_stays_and_isnt_asked_again(self) -> None:
        self.assertContains(self.decide("reject"), "what is booked stays")
        run_full_check(CHECK_BUDGETS, clock=timezone.now)
        self.assertEqual(self.sum(), 1000)
        shown = self.client.get(self.page)
        self.assertContains(shown, "No decrease is held.")
        self.assertContains(shown, "Rejected")
        self.assertNotContains(self.client.get(reverse("admin:index")), "account day")

    def test_what_is_settled_meanwhile_is_said(self) -> None:
        self.decide("release")
        self.assertContains(self.decide("reject"), "waits no longer")
