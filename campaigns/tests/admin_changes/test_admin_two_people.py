from __future__ import annotations

from decimal import Decimal

from campaigns.models import Brand, Campaign, DaypartingSchedule
from campaigns.rules.reasons import PauseReason
from campaigns.tests.support.browser import FormTestCase, add_window
from campaigns.tests.support.factories import make_brand, make_campaign, make_window


class TwoPeopleTests(FormTestCase):
    def test_it_writes_only_what_its_user_changed(self) -> None:
        brand = make_brand(name="Alpine", daily_budget=100)
        form = self.form(brand)
        Brand.objects.update(daily_budget=70, enabled=False)
        self.save(brand, form | {"name": "Alps"})
        brand.refresh_from_db()
        self.assertEqual((brand.name, brand.daily_budget, brand.enabled), ("Alps", 70, False))

    def test_a_form_saved_as_it_was_shown_changes_nothing(self) -> None:
        brand = make_brand(daily_budget=Decimal("0.123456"))
        form = self.form(brand)
        Brand.objects.update(name="Renamed", timezone="Asia/Tokyo")
        self.save(brand, form)
        brand.refresh_from_db()
        self.assertEqual((brand.name, brand.timezone), ("Renamed", "Asia/Tokyo"))

    def test_it_refuses_a_field_that_somebody_changed_meanwhile(self) -> None:
        brand = make_brand(daily_budget=100)
        form = self.form(brand) | {"daily_budget": "50"}
        Brand.objects.update(daily_budget=Decimal("70.5"))
        self.refused(brand, form, "Someone else changed “daily budget” to “70.50” while you were editing.")
        brand.refresh_from_db()
        self.assertEqual(brand.daily_budget, Decimal("70.5"))

    def test_a_second_save_after_the_sentence_is_a_decision(self) -> None:
        brand = make_brand(daily_budget=100)
        form = self.form(brand) | {"daily_budget": "50"}
        Brand.objects.update(daily_budget=70)
        again = self.refused(brand, form, "Someone else changed “daily budget”")
        self.save(brand, again)
        brand.refresh_from_db()
        self.assertEqual(brand.daily_budget, 50)

    def test_their_value_stays_where_the_user_takes_it(self) -> None:
        brand = make_brand(daily_budget=100)
        form = self.form(brand) | {"daily_budget": "50"}
        Brand.objects.update(daily_budget=70)
        again = self.refused(brand, form, "Someone else changed “daily budget”")
        self.save(brand, again | {"daily_budget": "70"})
        brand.refresh_from_db()
        self.assertEqual(brand.daily_budget, 70)

    def test_the_same_change_by_two_people_is_no_conflict(self) -> None:
        campaign = make_campaign()
        form = self.form(campaign)
        del form["enabled"]
        Campaign.objects.update(enabled=False)
        self.save(campaign, form)
        campaign.refresh_from_db()
        self.assertFalse(campaign.enabled)

    def test_a_switch_that_a_colleague_turned_is_not_turned_back(self) -> None:
        campaign = make_campaign()
        form = self.form(campaign)
        Campaign.objects.update(enabled=False)
        self.save(campaign, form | {"daily_spend_limit": "5"})
        campaign.refresh_from_db()
        self.assertEqual((campaign.enabled, campaign.daily_spend_limit), (False, 5))
        self.assertEqual(campaign.reasons, PauseReason.CAMPAIGN_DISABLED)

    def test_fresh_values_count_in_validation(self) -> None:
        campaign = make_campaign()
        form = self.form(campaign) | {"ends_on": "2026-11-20"}
        Campaign.objects.update(starts_on="2026-12-01")
        self.refused(campaign, form, "The end date is before the start date")

    def test_a_campaign_that_is_gone_is_told(self) -> None:
        campaign = make_campaign()
        form = self.form(campaign)
        Campaign.objects.all().delete()
        response = self.client.post(self.address(campaign), form, follow=True)
        self.assertContains(response, "doesn’t exist, or you don’t have access to it.")


class WindowsOfTwoPeopleTests(FormTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign()
        self.first = make_window(self.campaign, days=1, start="08:00", end="09:00")
        self.second = make_window(self.campaign, days=2, start="10:00", end="11:00")

    def windows(self) -> list[str]:
        return [str(window) for window in self.campaign.windows.order_by("start_time")]

    def test_it_shows_days_as_checkboxes_and_times_to_the_minute(self) -> None:
        form = self.form(self.campaign)
        self.assertEqual(form["windows-0-days_of_week"], ["1"])
        self.assertEqual(form["windows-1-start_time"], ["10:00"])

    def test_it_changes_days_and_times(self) -> None:
        form = self.form(self.campaign) | {
            "windows-0-days_of_week": ["1", "64"],
            "windows-1-end_time": "02:00",
        }
        self.save(self.campaign, form)
        self.assertEqual(self.windows(), ["Mon, Sun 08:00–09:00", "Tue 10:00–02:00"])

    def test_it_refuses_a_window_without_a_day(self) -> None:
        form = self.form(self.campaign)
        del form["windows-0-days_of_week"]
        self.refused(self.campaign, form, "Choose at least one day of the week.")

    def test_it_refuses_a_day_that_does_not_exist(self) -> None:
        form = self.form(self.campaign) | {"windows-0-days_of_week": ["128"]}
        self.refused(self.campaign, form, "“128” isn’t a day of the week")

    def test_it_refuses_a_window_that_opens_nothing(self) -> None:
        form = self.form(self.campaign) | {"windows-0-end_time": "08:00"}
        self.refused(self.campaign, form, "08:00 to 08:00 is an empty window")

    def test_an_untouched_window_keeps_what_somebody_changed(self) -> None:
        form = self.form(self.campaign)
        DaypartingSchedule.objects.filter(pk=self.first.pk).update(end_time="07:30", days_of_week=4)
        self.save(self.campaign, form | {"windows-1-end_time": "12:00"})
        self.assertEqual(self.windows(), ["Wed 08:00–07:30", "Tue 10:00–12:00"])

    def test_two_people_may_change_two_sides_of_a_window(self) -> None:
        form = self.form(self.campaign)
        DaypartingSchedule.objects.filter(pk=self.first.pk).update(start_time="07:30")
        self.save(self.campaign, form | {"windows-0-end_time": "12:00"})
        self.assertEqual(self.windows(), ["Mon 07:30–12:00", "Tue 10:00–11:00"])

    def test_it_refuses_a_time_that_somebody_changed_meanwhile(self) -> None:
        form = self.form(self.campaign) | {"windows-0-start_time": "06:00"}
        DaypartingSchedule.objects.filter(pk=self.first.pk).update(start_time="07:30")
        self.refused(self.campaign, form, "Someone else changed “from” to “07:30”")
        self.assertEqual(self.windows()[0], "Mon 07:30–09:00")

    def test_it_refuses_to_change_a_window_that_somebody_deleted(self) -> None:
        form = self.form(self.campaign) | {"windows-0-start_time": "06:00"}
        self.first.delete()
        again = self.refused(self.campaign, form, "Someone else deleted this dayparting window")
        self.save(self.campaign, again | {"windows-0-DELETE": "on"})
        self.assertEqual(self.windows(), ["Tue 10:00–11:00"])

    def test_an_untouched_window_that_somebody_deleted_stays_deleted(self) -> None:
        form = self.form(self.campaign)
        self.first.delete()
        self.save(self.campaign, form | {"windows-1-end_time": "12:00"})
        self.assertEqual(self.windows(), ["Tue 10:00–12:00"])

    def test_a_window_that_both_delete_is_deleted(self) -> None:
        form = self.form(self.campaign) | {"windows-0-DELETE": "on"}
        self.first.delete()
        self.save(self.campaign, form)
        self.assertEqual(self.windows(), ["Tue 10:00–11:00"])

    def test_it_refuses_to_delete_a_window_that_somebody_changed(self) -> None:
        form = self.form(self.campaign) | {"windows-0-DELETE": "on"}
        DaypartingSchedule.objects.filter(pk=self.first.pk).update(days_of_week=32)
        again = self.refused(self.campaign, form, "changed “start days” to “Sat”")
        self.assertEqual(len(self.windows()), 2)
        self.save(self.campaign, again)
        self.assertEqual(self.windows(), ["Tue 10:00–11:00"])

    def test_a_window_that_somebody_added_stays(self) -> None:
        form = self.form(self.campaign)
        make_window(self.campaign, days=4, start="01:00", end="02:00")
        self.save(self.campaign, form | {"windows-0-end_time": "12:00"})
        self.assertEqual(self.windows(), ["Wed 01:00–02:00", "Mon 08:00–12:00", "Tue 10:00–11:00"])

    def test_it_never_touches_a_window_of_another_campaign(self) -> None:
        stranger = make_window(make_campaign(), days=4, start="01:00", end="02:00")
        form = self.form(self.campaign) | {"windows-0-id": str(stranger.pk), "windows-0-DELETE": "on"}
        self.save(self.campaign, form)
        self.assertTrue(DaypartingSchedule.objects.filter(pk=stranger.pk).exists())

    def test_a_row_that_was_added_and_left_as_it_is_needs_its_times(self) -> None:
        form = self.form(self.campaign)
        add_window(form, [1], "", "")
        self.refused(self.campaign, form, "This field is required")
