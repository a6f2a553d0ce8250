"""Dates and times are read in one form only: 10/12/2026 is refused, in every form and filter of the admin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import ValidationError
from django.test import RequestFactory
from django_celery_beat.models import ClockedSchedule

from campaigns.models import BrandPeriod
from campaigns.services.ledger.close_periods import close_periods
from campaigns.tests.support.browser import AdminTestCase, FormTestCase, open_form
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.pages import every_model, page

AMBIGUOUS = ("10/12/2026", "12/10/2026", "10/12/26", "10.12.2026", "10-12-2026", "Dec 10 2026", "10 December 2026")
ADVICE = "Enter a date like 2026-12-31"


class CampaignDates(FormTestCase):
    def test_what_can_be_read_in_two_ways_is_refused_with_the_form_to_use(self) -> None:
        campaign = make_campaign()
        for text in AMBIGUOUS:
            self.refused(campaign, self.form(campaign) | {"starts_on": text}, f"“{text}”: {ADVICE}")
        campaign.refresh_from_db()
        self.assertIsNone(campaign.starts_on)

    def test_an_iso_date_is_taken_as_it_is(self) -> None:
        campaign = make_campaign()
        self.save(campaign, self.form(campaign) | {"starts_on": "2026-12-10"})
        campaign.refresh_from_db()
        self.assertEqual(campaign.starts_on, date(2026, 12, 10))


class EveryField(AdminTestCase):
    """Fields of all forms, also of those that come with other applications."""

    def fields(self) -> Iterator[tuple[str, Any]]:
        request = RequestFactory().get("/")
        request.user = self.user
        for model in every_model():
            model_admin: Any = admin.site._registry[model]
            if not model_admin.has_change_permission(request):
                continue
            for form in [model_admin, *model_admin.get_inline_instances(request)]:
                shown = flatten_fieldsets(form.get_fieldsets(request, None))
                made = form.get_form(request, None) if form is model_admin else form.get_formset(request, None).form
                yield from (
                    (f"{form.opts.label}.{name}", field)
                    for name, field in made.base_fields.items()
                    if name in shown
                    and isinstance(field, forms.DateField | forms.DateTimeField | forms.SplitDateTimeField)
                )

    def test_each_takes_iso_only(self) -> None:
        found = dict(self.fields())
        self.assertLessEqual(
            {
                "campaigns.Campaign.starts_on",
                "campaigns.Campaign.ends_on",
                "django_celery_beat.ClockedSchedule.clocked_time",
                "django_celery_beat.PeriodicTask.start_time",
                "django_celery_beat.PeriodicTask.expires",
            },
            set(found),
        )
        for name, field in found.items():
            split = isinstance(field, forms.SplitDateTimeField)
            for text in AMBIGUOUS:
                with self.subTest(name, text=text), self.assertRaises(ValidationError):
                    field.clean([text, "10:00"] if split else text)
            read = field.clean(["2026-12-10", "10:00"] if split else "2026-12-10")
            self.assertEqual((read.month, read.day), (12, 10), name)

    def test_the_sentence_says_which_form_is_right(self) -> None:
        url = page(ClockedSchedule, "add")
        shown = open_form(self.client, url, "clockedschedule_form")
        answer = self.client.post(url, shown | {"clocked_time_0": "10/12/2026", "clocked_time_1": "9.30"})
        self.assertContains(answer, ADVICE)
        self.assertContains(answer, "Enter a time from 00:00 to 23:59.")
        self.assertFalse(ClockedSchedule.objects.exists())


class StatementFilter(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        campaign = make_campaign(make_brand(name="Alpine"))
        for day in ("2026-10-12", "2026-12-10"):
            spend(campaign, 5, f"{day} 12:00")
        close_periods(now=utc("2027-02-01"))

    def days(self, **filters: str) -> tuple[list[str], str]:
        answer = self.client.get(page(BrandPeriod, "changelist"), {"kind__exact": "day", **filters}, follow=True)
        rows = [str(row.starts_on) for row in answer.context["cl"].result_list]
        return rows, answer.content.decode()

    def test_a_range_of_iso_dates_finds_its_days(self) -> None:
        self.assertEqual(self.days(starts_on_from="2026-12-01", starts_on_to="2026-12-31")[0], ["2026-12-10"])
        self.assertEqual(self.days(starts_on_from="2026-12-10")[0], ["2026-12-10"])
        self.assertEqual(self.days(starts_on_to="2026-10-12")[0], ["2026-10-12"])

    def test_what_can_be_read_in_two_ways_finds_nothing_and_says_so(self) -> None:
        for text in (*AMBIGUOUS, "2026-02-30", "tomorrow"):
            for end in ("from", "to"):
                rows, html = self.days(**{f"starts_on_{end}": text})
                self.assertEqual(rows, [], text)
                self.assertIn(f"“{text}” isn't a valid date. {ADVICE}.".replace("'", "&#x27;"), html)

    def test_the_page_asks_with_the_browsers_own_field(self) -> None:
        html = self.days(starts_on_from="2026-12-01")[1]
        self.assertRegex(html, r'<input type="date" name="starts_on_from" value="2026-12-01"')
