"""What a save says: the changed fields and statuses; after a refused one, what is wrong with links to the fields."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.contrib.messages import get_messages
from django.urls import reverse

from campaigns.models import Brand, BrandAssignment, Campaign
from campaigns.tests.admin.test_access import make_brand_manager
from campaigns.tests.support.browser import FormTestCase, add_window
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend


def words(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


class SavedForms(FormTestCase):
    def said(self, row: Brand | Campaign, form: dict[str, Any]) -> list[str]:
        answer = self.client.post(self.address(row), form)
        self.assertEqual(answer.status_code, 302, self.errors_of(answer))
        said = [words(str(message)) for message in get_messages(answer.wsgi_request)]
        self.client.get("/admin/")  # shows them, so that the next save begins without
        return said

    def test_it_names_the_changed_fields_with_their_new_values(self) -> None:
        brand = make_brand(name="Alpine", currency="EUR", daily_budget=5, monthly_budget=50)
        form = self.form(brand) | {"daily_budget": "1 234,50", "monthly_budget": "", "enabled": ""}
        said = ["Saved “Alpine”: on off; daily budget 1,234.50 EUR; monthly budget removed."]
        self.assertEqual(self.said(brand, form), said)

    def test_it_says_that_nothing_changed(self) -> None:
        brand = make_brand(name="Alpine", daily_budget=5)
        self.assertEqual(self.said(brand, self.form(brand) | {"daily_budget": "5"}), ["Nothing changed in “Alpine”."])

    def test_a_refresh_of_another_tab_leaves_the_message(self) -> None:
        brand = make_brand(name="Alpine", daily_budget=5)
        self.save(brand, self.form(brand) | {"daily_budget": "6"})
        self.assertNotContains(self.client.get("/admin/", headers={"X-Refresh": "1"}), "daily budget 6.00 USD")
        self.assertContains(self.client.get("/admin/"), "daily budget 6.00 USD")

    def test_it_names_the_new_schedule(self) -> None:
        campaign = make_campaign(name="Search")
        window = make_window(campaign, 127, "00:00", "00:00")
        form = self.form(campaign)
        add_window(form, [1], "08:00", "09:00")
        schedule = f"{window}, Mon 08:00–09:00"
        self.assertEqual(self.said(campaign, form), [f"Saved “Search”: schedule {schedule}."])
        self.assertEqual(self.said(campaign, self.form(campaign)), ["Nothing changed in “Search”."])
        form = self.form(campaign) | {"windows-0-DELETE": "on", "windows-1-DELETE": "on"}
        self.assertEqual(self.said(campaign, form), ["Saved “Search”: schedule always."])

    def test_it_counts_the_statuses_that_changed(self) -> None:
        brand = make_brand(name="Alpine", currency="JPY")
        spend(make_campaign(brand, name="Search"), 500)
        make_campaign(brand, name="<Social>")
        said = ["Saved “Alpine”: daily budget 500 JPY. 2 campaigns paused: Search, <Social>."]
        self.assertEqual(self.said(brand, self.form(brand) | {"daily_budget": "500"}), said)
        said = ["Saved “Alpine”: monthly budget 400 JPY. Pause reasons changed: 2 campaigns."]
        self.assertEqual(self.said(brand, self.form(brand) | {"monthly_budget": "400"}), said)

    def test_it_links_to_the_first_campaigns_that_changed(self) -> None:
        brand = make_brand(name="Alpine")
        campaigns = [make_campaign(brand, name=f"Search {number}") for number in range(4)]
        self.client.post(self.address(brand), self.form(brand) | {"daily_budget": "0"})
        page = self.client.get("/admin/")
        self.assertContains(page, "4 campaigns paused: ")
        for campaign in campaigns[:3]:
            link = f'<a class="campaigns-saved" href="{self.address(campaign)}">{campaign.name}</a>'
            self.assertContains(page, link)
        self.assertContains(page, " and 1 more.")


class RefusedForms(FormTestCase):
    def test_a_summary_links_to_each_wrong_field(self) -> None:
        brand = make_brand(daily_budget=5)
        answer = self.client.post(self.address(brand), self.form(brand) | {"name": "", "daily_budget": "1,2345,6"})
        self.assertContains(answer, "Nothing was saved.")
        self.assertContains(answer, '<li><a href="#id_name">Name</a>: ')
        self.assertContains(answer, '<li><a href="#id_daily_budget">Daily budget</a>: “1,2345,6”: Enter a number')

    def test_dates_the_wrong_way_round_are_marked_at_the_end_date_only(self) -> None:
        campaign = make_campaign()
        form = self.form(campaign) | {"starts_on": "2026-12-02", "ends_on": "2026-12-01"}
        answer = self.client.post(self.address(campaign), form)
        self.assertContains(answer, '<li><a href="#id_ends_on">Ends on</a>: The end date is before the start date.')
        self.assertEqual(answer.context["adminform"].form.non_field_errors(), [])

    def test_signing_in_says_nothing_about_saving(self) -> None:
        self.client.logout()
        answer = self.client.post(reverse("admin:login"), {"username": "amara", "password": "not this one"})
        self.assertContains(answer, "Please enter the correct username and password")
        self.assertNotContains(answer, "Nothing was saved")

    def test_a_summary_names_the_row_of_the_schedule(self) -> None:
        campaign = make_campaign()
        make_window(campaign, 127, "08:00", "09:00")
        answer = self.client.post(self.address(campaign), self.form(campaign) | {"windows-0-end_time": "25:00"})
        self.assertContains(
            answer, '<a href="#id_windows-0-end_time">Schedule, row 1, Until</a>: “25:00”: Enter a time'
        )

    def test_a_row_that_somebody_deleted_is_named_too(self) -> None:
        campaign = make_campaign()
        window = make_window(campaign, 127, "08:00", "09:00")
        form = self.form(campaign) | {"windows-0-end_time": "10:00"}
        window.delete()
        answer = self.client.post(self.address(campaign), form)
        self.assertContains(answer, "<li>Schedule, row 1: Someone else deleted this")


class CurrencyOfABrand(FormTestCase):
    ADDRESS = "admin:campaigns_campaign_currency"

    def asked(self, brand: object) -> str:
        return str(self.client.get(reverse(self.ADDRESS), {"brand": str(brand)}).json()["currency"])

    def test_it_is_told_for_brands_that_the_person_sees(self) -> None:
        ours, theirs = make_brand(currency="JPY"), make_brand(currency="KWD")
        self.assertEqual([self.asked(brand.pk) for brand in (ours, theirs)], ["JPY", "KWD"])
        self.assertEqual([self.asked(other) for other in ("", "x", "9" * 30, ours.pk + 1000)], [""] * 4)
        self.client.force_login(make_brand_manager(ours))
        self.assertTrue(BrandAssignment.objects.filter(brand=ours).exists())
        self.assertEqual([self.asked(brand.pk) for brand in (ours, theirs)], ["JPY", ""])

    def test_a_new_campaign_says_the_currency_of_its_brand(self) -> None:
        brand = make_brand(currency="JPY")
        form = self.new_form(Campaign) | {"brand": str(brand.pk), "name": "Search", "daily_spend_limit": "1,500"}
        address = reverse("admin:campaigns_campaign_add")
        refused = self.client.post(address, form | {"daily_spend_limit": "x"})
        self.assertContains(refused, '<span id="id_daily_spend_limit_currency" class="campaigns-currency">JPY</span>')
        self.assertEqual(self.client.post(address, form).status_code, 302)
        self.assertEqual(Campaign.objects.get().daily_spend_limit, 1500)
