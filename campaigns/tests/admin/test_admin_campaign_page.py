"""A campaign's page without a browser: what it reads and says, what its form posts, and whose schedules it offers."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from campaigns.admin.campaign.schedule import MAX_SUGGESTIONS, minute_of_week
from campaigns.models import BrandAssignment, Campaign, DaypartingSchedule
from campaigns.services.jobs.full_check import CHECK_BUDGETS, run_full_check
from campaigns.services.permissions import ONLY_ASSIGNED_BRANDS
from campaigns.tests.support.browser import AdminTestCase, FormTestCase, add_window
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend, utc

SCHEDULES = "admin:campaigns_campaign_schedules"


def someone(name: str, *permissions: str) -> User:
    user = User.objects.create(username=name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


class StoryTests(FormTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign(make_brand(currency="EUR"), daily_spend_limit=110)
        spend(self.campaign, "110.32")
        run_full_check(CHECK_BUDGETS, clock=timezone.now)

    def test_it_stands_above_the_form_and_the_history_tells_the_facts(self) -> None:
        page = self.client.get(self.address(self.campaign))
        self.assertContains(page, "daily spend limit of 110.00 EUR reached at 110.32.")
        self.assertContains(page, "daily spend limit reached: 110.32 of 110.00 EUR")

    def test_a_form_that_is_refused_shows_above_it_what_is_and_not_what_was_asked_for(self) -> None:
        form = self.form(self.campaign) | {"daily_spend_limit": ["77"], "name": [""]}
        page = self.client.post(self.address(self.campaign), form)
        self.assertContains(page, "daily spend limit of 110.00 EUR reached at 110.32.")
        self.assertNotContains(page, "77.00")

    def test_a_zone_that_nobody_knows(self) -> None:
        type(self.campaign.brand).objects.update(timezone="Mars/Olympus")
        page = self.client.get(self.address(self.campaign))
        self.assertContains(page, "Paused since")
        self.assertNotContains(page, "data-day=")
        self.assertNotContains(page, "data-now=")

    def test_it_asks_as_many_questions_however_much_there_is(self) -> None:
        counts = []
        for number in (1, 8):
            for _ in range(number):
                spend(self.campaign, 1)
                make_window(self.campaign, number)
                Campaign.objects.update(pause_reasons=0)
                run_full_check(CHECK_BUDGETS, clock=timezone.now)
            with CaptureQueriesContext(connection) as captured:
                self.client.get(self.address(self.campaign))
            counts.append(len(captured))
        self.assertEqual(counts[0], counts[1])


class WindowsTests(FormTestCase):
    """What the grid posts are these rows."""

    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign()
        make_window(self.campaign, 31, "09:10", "18:00")
        make_window(self.campaign, 16, "22:00", "02:00")

    def rows(self) -> list[Any]:
        return list(DaypartingSchedule.objects.order_by("pk").values())

    def test_a_form_that_nobody_touched_writes_no_row(self) -> None:
        before, form = self.rows(), self.form(self.campaign)
        with CaptureQueriesContext(connection) as captured:
            self.save(self.campaign, form)
        self.assertEqual(self.rows(), before)
        write = re.compile(r'(INSERT INTO|UPDATE|DELETE FROM) "?campaigns_daypartingschedule', re.IGNORECASE)
        self.assertEqual([query["sql"] for query in captured.captured_queries if write.match(query["sql"])], [])

    def test_one_row_altered_one_deleted_and_one_added(self) -> None:
        (first, _), form = self.rows(), self.form(self.campaign)
        form |= {"windows-0-days_of_week": ["1", "2"], "windows-1-DELETE": ["on"]}
        add_window(form, [4], "09:10", "12:00")
        self.save(self.campaign, form)
        self.assertEqual([str(row) for row in self.campaign.windows.all()], ["Mon, Tue 09:10–18:00", "Wed 09:10–12:00"])
        self.assertEqual(self.rows()[0]["id"], first["id"])

    def test_what_somebody_else_changed_is_not_overwritten(self) -> None:
        form = self.form(self.campaign) | {"windows-0-end_time": ["19:00"]}
        DaypartingSchedule.objects.filter(end_time="18:00").update(end_time="17:00")
        again = self.refused(self.campaign, form, "Someone else changed “until” to “17:00” while you were editing.")
        self.assertEqual(again["windows-0-end_time"], ["19:00"])
        self.save(self.campaign, again)
        self.assertEqual(str(self.campaign.windows.first()), "Mon–Fri 09:10–19:00")

    def test_who_may_only_look_gets_the_windows_and_nothing_to_post(self) -> None:
        self.client.force_login(someone("vera", "view_campaign"))
        page = self.client.get(self.address(self.campaign))
        self.assertContains(page, 'data-windows="[[31, &quot;09:10&quot;, &quot;18:00&quot;]')
        self.assertContains(page, "<li>Fri 22:00–02:00</li>", html=True)
        self.assertNotContains(page, "windows-0-start_time")
        self.assertNotContains(page, "data-preset")

    def test_who_may_only_add_campaigns_adds_one_with_its_schedule(self) -> None:
        self.client.force_login(someone("ada", "add_campaign", "view_campaign", "view_brand"))
        form = self.new_form(Campaign) | {"brand": str(make_brand().pk), "name": "Added"}
        add_window(form, [1], "08:00", "18:00")
        response = self.client.post(reverse("admin:campaigns_campaign_add"), form)
        self.assertEqual(response.status_code, 302, self.errors_of(response))
        self.assertEqual(str(Campaign.objects.get(name="Added").windows.get()), "Mon 08:00–18:00")


class SchedulesTests(AdminTestCase):
    def offered(self, **query: Any) -> list[dict[str, Any]]:
        response = self.client.get(reverse(SCHEDULES), query)
        self.assertEqual(response.status_code, 200)
        return list(response.json()["campaigns"])

    def test_campaigns_of_a_name_with_their_windows(self) -> None:
        brand = make_brand(name="Kawabe")
        make_window(make_campaign(brand, name="Commuters"), 31, "06:00", "11:00")
        own = make_campaign(brand, name="Commuters at night")
        make_campaign(name="Films")
        self.assertEqual(
            self.offered(q="kawabe commut", but=own.pk),
            [{"name": "Kawabe / Commuters", "windows": [[31, "06:00", "11:00"]], "words": "Mon–Fri 06:00–11:00"}],
        )
        self.assertEqual(self.offered(q="films")[0]["words"], "always")
        self.assertEqual(len(self.offered(q="", but="-1")), 3)

    def test_it_offers_no_more_than_fit_into_a_list(self) -> None:
        brand = make_brand()
        for _ in range(MAX_SUGGESTIONS + 1):
            make_campaign(brand)
        with self.assertNumQueries(4):
            self.assertEqual(len(self.offered(q="")), MAX_SUGGESTIONS)

    def test_only_campaigns_that_the_person_sees(self) -> None:
        seen, unseen = make_campaign(name="Seen"), make_campaign(name="Unseen")
        make_window(unseen)
        bela = someone("bela", "view_campaign", ONLY_ASSIGNED_BRANDS.partition(".")[2])
        BrandAssignment.objects.create(user=bela, brand=seen.brand)
        self.client.force_login(bela)
        self.assertEqual([campaign["name"] for campaign in self.offered(q="seen")], [f"{seen.brand} / Seen"])

    def test_who_may_not_look_at_campaigns_is_refused(self) -> None:
        self.client.force_login(someone("nora", "view_brand"))
        self.assertEqual(self.client.get(reverse(SCHEDULES)).status_code, 403)
        self.client.logout()
        self.assertEqual(self.client.get(reverse(SCHEDULES)).status_code, 302)


class MinuteOfWeekTests(AdminTestCase):
    def test_it_is_what_the_zones_clock_shows(self) -> None:
        self.assertEqual(minute_of_week("Europe/Paris", utc("2026-11-22 23:00:59")), 0)
        self.assertEqual(minute_of_week("Europe/Paris", utc("2026-11-22 22:59:59")), 7 * 1440 - 1)
        self.assertIsNone(minute_of_week("Mars/Olympus", utc("2026-11-22 22:59:59")))
