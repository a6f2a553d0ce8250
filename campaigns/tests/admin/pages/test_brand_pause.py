"""The lists on the page of a brand, and its button that pauses or resumes it."""

from __future__ import annotations

from unittest.mock import patch

from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Brand, BrandAssignment, Campaign, SettingChange, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.tests.admin.pages.brand_case import NOW, BrandTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, recorded_changes, spend


class ListsOnThePageTests(BrandTestCase):
    def test_it_shows_its_first_campaigns_and_leads_to_all(self) -> None:
        brand = make_brand()
        for number in range(21):
            make_campaign(brand, name=f"Search {number:02}")
        page = self.page(brand)
        self.assertIn("Search 19", page)
        self.assertNotIn("Search 20", page)
        self.assertIn("View all 21 campaigns", page)

    def test_it_shows_the_last_changes_of_its_own_campaigns(self) -> None:
        brand, other = make_brand(), make_brand()
        for each in (brand, other):
            for number in range(3):
                make_campaign(each, name=f"{each.name} {number}", enabled=False)
        self.check()
        with patch("campaigns.admin.brand.lists.MAX_CHANGES", 2):
            page = self.page(brand)
        history = page[page.index("<h2>Status changes</h2>") :]
        self.assertEqual(history.count("<tr>"), 3)
        self.assertNotIn(other.name, history)

    def test_it_costs_the_same_whatever_the_brand_has(self) -> None:
        counts = []
        for size in (1, 30):
            brand = make_brand(daily_budget=100, monthly_budget=1000)
            for number in range(size):
                spend(make_campaign(brand, name=str(number)), 1, NOW)
            self.check()
            self.page(brand)
            with CaptureQueriesContext(connection) as captured:
                self.page(brand)
            counts.append(len(captured))
        self.assertEqual(counts[0], counts[1])

    def test_a_person_sees_the_panels_that_they_may_look_at(self) -> None:
        brand = make_brand()
        self.person("view_brand")
        page = self.page(brand)
        for title in ("Campaigns", "Statements: days", "Status changes"):
            self.assertNotIn(f'aria-label="{title}"', page)


class StopTests(BrandTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(name="Alpine")
        self.running = [make_campaign(self.brand), make_campaign(self.brand)]
        self.off = make_campaign(self.brand, enabled=False)
        self.other = make_campaign()
        self.check()

    def reasons(self) -> list[PauseReason]:
        return [Campaign.objects.get(pk=row.pk).reasons for row in (*self.running, self.off, self.other)]

    def test_the_question_names_the_first_campaigns_and_counts_the_others(self) -> None:
        with patch("campaigns.admin.brand.pause.MAX_NAMED", 1):
            question = self.client.get(self.address(self.brand, "pause")).text
        named = question[question.index('<ul class="brand-named"') :].partition("</ul>")[0]
        self.assertEqual([campaign.name in named for campaign in self.running].count(True), 1)
        self.assertIn("<li>and 1 more</li>", named)

    def test_it_asks_and_then_stops_the_whole_brand_at_once(self) -> None:
        self.assertIn(f'href="{self.address(self.brand, "pause")}">Pause brand', self.page(self.brand))
        question = self.client.get(self.address(self.brand, "pause"))
        self.assertContains(question, "<strong>2 running campaigns</strong> of “Alpine” immediately")
        self.assertContains(question, "csrfmiddlewaretoken")
        self.assertTrue(Brand.objects.get(pk=self.brand.pk).enabled)
        self.assertContains(question, '<ul class="brand-named" aria-label="Campaigns that pause">')
        answer = self.client.post(self.address(self.brand, "pause"), follow=True)
        self.assertRedirects(answer, self.address(self.brand))
        self.assertContains(answer, "Paused “Alpine”. 2 campaigns paused: ")
        self.assertContains(answer, "Resume brand")
        off, brand_off = PauseReason.CAMPAIGN_DISABLED, PauseReason.BRAND_DISABLED
        self.assertEqual(self.reasons(), [brand_off, brand_off, off | brand_off, PauseReason(0)])
        change = SettingChange.objects.get()
        self.assertEqual((change.brand_id, change.campaign_id, change.actor), (self.brand.pk, None, "amara"))
        self.assertEqual(recorded_changes(channel="form"), ["Alpine: on or off, on → paused"])
        self.assertEqual(StatusChange.objects.latest("pk").actor, "amara")

    def test_it_lets_the_brand_go_on(self) -> None:
        self.client.post(self.address(self.brand, "pause"))
        question = self.client.get(self.address(self.brand, "resume"))
        self.assertContains(question, "<strong>2 campaigns</strong> of “Alpine” immediately")
        self.assertContains(question, "1 stays paused for other reasons")
        answer = self.client.post(self.address(self.brand, "resume"), follow=True)
        self.assertContains(answer, "Resumed “Alpine”. 2 campaigns resumed: ")
        off = PauseReason.CAMPAIGN_DISABLED
        self.assertEqual(self.reasons(), [PauseReason(0), PauseReason(0), off, PauseReason(0)])

    def test_twice_is_once(self) -> None:
        for _ in range(2):
            answer = self.client.post(self.address(self.brand, "pause"), follow=True)
        self.assertContains(answer, "“Alpine” is already paused.")
        self.assertContains(self.client.get(self.address(self.brand, "pause")), "is already paused")
        self.assertEqual(SettingChange.objects.count(), 1)

    def test_who_may_only_look_has_no_button_and_is_refused(self) -> None:
        self.person("view_brand", "view_campaign")
        self.assertNotIn("Pause brand", self.page(self.brand))
        for method in (self.client.get, self.client.post):
            for page in ("pause", "resume"):
                self.assertEqual(method(self.address(self.brand, page)).status_code, 403)
        self.assertTrue(Brand.objects.get(pk=self.brand.pk).enabled)

    def test_who_sees_other_brands_only_finds_none_to_stop(self) -> None:
        user = self.person("view_brand", "change_brand", "only_assigned_brands")
        BrandAssignment.objects.create(user=user, brand=self.other.brand)
        self.assertEqual(self.client.post(self.address(self.brand, "pause")).status_code, 302)
        self.assertTrue(Brand.objects.get(pk=self.brand.pk).enabled)
        self.client.post(self.address(self.other.brand, "pause"))
        self.assertFalse(Brand.objects.get(pk=self.other.brand.pk).enabled)

    def test_a_brand_that_is_gone_is_told(self) -> None:
        gone = make_brand()
        address = self.address(gone, "pause")
        gone.delete()
        self.assertContains(self.client.get(address, follow=True), "This brand no longer exists")
        self.assertEqual(self.client.get("/admin/campaigns/brand/x/pause/").status_code, 302)

    def test_strangers_are_sent_to_sign_in(self) -> None:
        self.client.logout()
        self.assertIn("/login/", self.client.post(self.address(self.brand, "pause"))["Location"])
        self.assertTrue(Brand.objects.get(pk=self.brand.pk).enabled)
