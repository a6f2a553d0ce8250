from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import time_machine
from django.db.models import Model
from django.db.models.signals import pre_save
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Brand, Campaign, DaypartingSchedule, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement.saving import finish_change
from campaigns.services.scope import Scope
from campaigns.tests.support.browser import FormTestCase, add_window
from campaigns.tests.support.checking import period
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend, utc


def at(text: str) -> Any:
    """Stop the clock that the admin reads."""
    return time_machine.travel(utc(text), tick=False)


class AddTests(FormTestCase):
    def test_it_adds_a_brand(self) -> None:
        form = self.new_form(Brand) | {
            "name": "Alpine",
            "timezone": "Europe/Zurich",
            "daily_budget": "12.345678",
        }
        response = self.client.post(reverse("admin:campaigns_brand_add"), form)
        self.assertEqual(response.status_code, 302, self.errors_of(response))
        brand = Brand.objects.get()
        self.assertEqual((brand.name, brand.timezone), ("Alpine", "Europe/Zurich"))
        self.assertEqual(brand.daily_budget, Decimal("12.345678"))
        self.assertTrue(brand.enabled)

    def test_it_adds_an_active_campaign(self) -> None:
        self.add(make_brand(), name="Search")
        self.assertEqual(Campaign.objects.get().status, "active")

    def test_it_computes_the_reasons_of_a_new_campaign_at_once(self) -> None:
        self.add(make_brand(enabled=False), name="Search", daily_spend_limit="0")
        campaign = Campaign.objects.get()
        self.assertEqual(campaign.reasons, PauseReason.BRAND_DISABLED | PauseReason.CAMPAIGN_DAILY_LIMIT)
        self.assertEqual(StatusChange.objects.get().actor, "amara")

    def test_it_computes_the_status_after_the_windows_are_saved(self) -> None:
        form = self.new_form(Campaign) | {"brand": str(make_brand().pk), "name": "Search"}
        add_window(form, [1], "08:00", "18:00")
        with at("2026-11-20 12:00"):  # a Friday
            response = self.client.post(reverse("admin:campaigns_campaign_add"), form)
        self.assertEqual(response.status_code, 302, self.errors_of(response))
        self.assertEqual(str(DaypartingSchedule.objects.get()), "Mon 08:00–18:00")
        self.assertEqual(Campaign.objects.get().reasons, PauseReason.OUTSIDE_SCHEDULE)

    def test_it_takes_a_form_that_was_made_without_the_page(self) -> None:
        management = {"windows-TOTAL_FORMS": "0", "windows-INITIAL_FORMS": "0"}
        form = management | {"brand": str(make_brand().pk), "name": "Search", "enabled": "on"}
        response = self.client.post(reverse("admin:campaigns_campaign_add"), form)
        self.assertEqual(response.status_code, 302, self.errors_of(response))
        self.assertEqual(Campaign.objects.get().status, "active")

    def add(self, brand: Brand, **fields: str) -> None:
        form = self.new_form(Campaign) | {"brand": str(brand.pk), **fields}
        response = self.client.post(reverse("admin:campaigns_campaign_add"), form)
        self.assertEqual(response.status_code, 302, self.errors_of(response))


class EffectTests(FormTestCase):
    def test_switching_a_campaign_off_pauses_it_at_once(self) -> None:
        campaign = make_campaign()
        form = self.form(campaign)
        del form["enabled"]
        self.save(campaign, form)
        campaign.refresh_from_db()
        self.assertEqual(campaign.reasons, PauseReason.CAMPAIGN_DISABLED)
        self.assertEqual(StatusChange.objects.get().actor, "amara")

    def test_lowering_a_brands_budget_pauses_its_campaigns_at_once(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=100))
        spend(campaign, 50)
        self.save(campaign.brand, self.form(campaign.brand) | {"daily_budget": "50"})
        campaign.refresh_from_db()
        self.assertEqual(campaign.reasons, PauseReason.BRAND_DAILY_BUDGET)

    def test_raising_a_brands_budget_resumes_its_campaigns_at_once(self) -> None:
        campaign = make_campaign(make_brand(daily_budget=50))
        spend(campaign, 50)
        self.settle(campaign)
        self.save(campaign.brand, self.form(campaign.brand) | {"daily_budget": "50.000001"})
        campaign.refresh_from_db()
        self.assertEqual(campaign.status, "active")

    def test_a_brands_ended_day_keeps_the_budget_that_held_in_it(self) -> None:
        with at("2026-11-20 00:01"):
            brand = make_brand(daily_budget=100, created_at=utc("2026-11-19"))
            self.save(brand, self.form(brand) | {"daily_budget": "50"})
        self.assertEqual(period(brand, "day", "2026-11-19").budget_at_close, 100)

    def test_adding_a_window_pauses_a_campaign_outside_of_it(self) -> None:
        campaign = make_campaign()
        form = self.form(campaign)
        add_window(form, [127], "00:00", "00:01")
        with at("2026-11-20 12:00"):
            self.save(campaign, form)
        campaign.refresh_from_db()
        self.assertEqual(campaign.reasons, PauseReason.OUTSIDE_SCHEDULE)

    def test_deleting_the_last_window_resumes_it(self) -> None:
        campaign = make_campaign()
        make_window(campaign, days=1, start="08:00", end="09:00")
        with at("2026-11-20 12:00"):
            self.settle(campaign)
            self.save(campaign, self.form(campaign) | {"windows-0-DELETE": "on"})
        campaign.refresh_from_db()
        self.assertEqual((campaign.status, campaign.windows.count()), ("active", 0))

    def test_no_form_field_is_a_status_or_a_figure(self) -> None:
        campaign = make_campaign(enabled=False)
        self.settle(campaign)
        self.save(campaign, self.form(campaign) | {"status": "active", "pause_reasons": "0", "spend_today": "9"})
        campaign.refresh_from_db()
        self.assertEqual(campaign.reasons, PauseReason.CAMPAIGN_DISABLED)

    def settle(self, campaign: Campaign) -> None:
        finish_change(Scope.of_campaigns([campaign.pk]), clock=timezone.now, actor="test")


class BrandOfACampaignTests(FormTestCase):
    def test_a_campaign_without_spend_moves_and_is_enforced_there(self) -> None:
        campaign, other = make_campaign(), make_brand(enabled=False)
        self.save(campaign, self.form(campaign) | {"brand": str(other.pk)})
        campaign.refresh_from_db()
        self.assertEqual((campaign.brand, campaign.reasons), (other, PauseReason.BRAND_DISABLED))

    def test_a_campaign_with_spend_stays_with_its_brand(self) -> None:
        campaign, other = make_campaign(name="Search"), make_brand()
        spend(campaign, 1)
        self.refused(campaign, self.form(campaign) | {"brand": str(other.pk)}, "“Search” has spend")
        campaign.refresh_from_db()
        self.assertNotEqual(campaign.brand, other)

    def test_a_name_that_the_brand_has_already_is_refused(self) -> None:
        campaign = make_campaign()
        make_campaign(campaign.brand, name="Taken")
        self.refused(
            campaign, self.form(campaign) | {"name": "Taken"}, "The brand already has a campaign with this name"
        )


class MeanwhileTests(FormTestCase):
    """What happens between the check and the write is refused by the database, and told in words."""

    def test_spend_that_arrives_while_a_campaign_moves_keeps_it_where_it_is(self) -> None:
        campaign, other = make_campaign(), make_brand()
        form = self.form(campaign) | {"brand": str(other.pk)}
        with before_writing(Campaign, lambda: spend(campaign, 1)):
            response = self.client.post(self.address(campaign), form, follow=True)
        self.assertContains(response, "Nothing was saved: the database says")
        campaign.refresh_from_db()
        self.assertNotEqual(campaign.brand, other)

    def test_what_sql_changes_at_the_same_moment_stays(self) -> None:
        campaign = make_campaign()
        form = self.form(campaign) | {"daily_spend_limit": "5"}
        with before_writing(Campaign, lambda: Campaign.objects.update(name="Renamed", ends_on="2026-12-31")):
            self.save(campaign, form)
        campaign.refresh_from_db()
        self.assertEqual((campaign.daily_spend_limit, campaign.name), (5, "Renamed"))
        self.assertEqual(campaign.ends_on, date(2026, 12, 31))

    def test_what_sql_changes_of_a_window_at_the_same_moment_stays(self) -> None:
        window = make_window(make_campaign(), start="08:00", end="09:00")
        form = self.form(window.campaign) | {"windows-0-start_time": "07:00"}
        with before_writing(DaypartingSchedule, lambda: DaypartingSchedule.objects.update(end_time="17:00")):
            self.save(window.campaign, form)
        self.assertEqual(str(DaypartingSchedule.objects.get()), "every day 07:00–17:00")

    def test_a_name_that_a_colleague_takes_at_the_same_moment_is_told(self) -> None:
        brand = make_brand()
        form = self.form(brand) | {"name": "Alpine"}
        with before_writing(Brand, lambda: make_brand(name="Alpine")):
            response = self.client.post(self.address(brand), form, follow=True)
        self.assertEqual(response.status_code, 200)
        self.assertContains(response, "brand already has this name")


@contextmanager
def before_writing(model: type[Model], do: Callable[[], object]) -> Iterator[None]:
    """Do something, once, after the form's checks and before the row is written."""

    def once(**kwargs: Any) -> None:
        pre_save.disconnect(once, sender=model)
        do()

    pre_save.connect(once, sender=model, weak=False)
    try:
        yield
    finally:
        pre_save.disconnect(once, sender=model)


class InputTests(FormTestCase):
    def test_it_refuses_what_is_no_budget(self) -> None:
        brand = make_brand()
        for text, sentence in (
            ("-1", "-1 is below 0"),
            ("0.0000001", "at most six decimals"),
            ("NaN", "Enter a number"),
            ("Infinity", "Enter a number"),
            ("1000000000", "is too large"),
        ):
            with self.subTest(text):
                self.refused(brand, self.form(brand) | {"daily_budget": text}, sentence)

    def test_it_refuses_an_unknown_time_zone(self) -> None:
        brand = make_brand()
        self.refused(brand, self.form(brand) | {"timezone": "Mars/Olympus"}, "isn’t a time zone we know")

    def test_it_shows_money_with_the_decimals_of_its_currency_and_separators(self) -> None:
        form = self.form(make_brand(currency="EUR", daily_budget=1_000, monthly_budget=Decimal("1234567.50")))
        self.assertEqual((form["daily_budget"], form["monthly_budget"]), (["1,000.00"], ["1,234,567.50"]))
        form = self.form(make_brand(currency="JPY", daily_budget=1_000, monthly_budget=Decimal("0.000001")))
        self.assertEqual((form["daily_budget"], form["monthly_budget"]), (["1,000"], ["0.000001"]))
