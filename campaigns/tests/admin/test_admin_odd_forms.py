"""Forms that no page of ours posts: they are refused in a sentence, never by a server error."""

from __future__ import annotations

from django.conf import settings

from campaigns.admin.campaign.schedule import MAX_WINDOWS
from campaigns.admin.shared.fields import is_key
from campaigns.models import Campaign
from campaigns.tests.support.browser import FormTestCase, add_window
from campaigns.tests.support.factories import make_brand, make_campaign, make_window

NO_KEYS = ("abc", "-1", "9" * 19, "9" * 40, "9" * 5000, "٣", "1_0", "1e1", "' OR 1=1 --")


class OddForms(FormTestCase):
    def test_a_brand_that_is_no_key_is_no_choice(self) -> None:
        campaign = make_campaign()
        form, new = self.form(campaign), self.new_form(Campaign)
        for key in NO_KEYS:
            with self.subTest(key[:20]):
                self.refused(campaign, form | {"brand": key}, "That choice is not one of the available")
                added = self.client.post("/admin/campaigns/campaign/add/", new | {"brand": key})
                self.assertContains(added, "That choice is not one of the available")

    def test_what_the_form_showed_may_be_anything(self) -> None:
        """A field's hidden value says what its user saw: one that can't be counts as another value."""
        campaign = make_campaign(name="Search")
        make_window(campaign)
        form = self.form(campaign)
        for hidden in [name for name in form if name.startswith("initial-")]:
            for value in ("abc", "9" * 40, "\0", ""):
                with self.subTest(hidden, value=value):
                    response = self.client.post(self.address(campaign), form | {hidden: value})
                    self.assertIn(response.status_code, (200, 302))
        campaign.refresh_from_db()
        self.assertEqual((campaign.name, campaign.windows.count()), ("Search", 1))

    def test_a_window_that_is_no_key_is_gone(self) -> None:
        campaign = make_campaign()
        window = make_window(campaign)
        form = self.form(campaign) | {"windows-0-start_time": "01:00"}
        for key in NO_KEYS:
            with self.subTest(key[:20]):
                answer = self.client.post(self.address(campaign), form | {"windows-0-id": key})
                self.assertEqual(answer.status_code, 200)
                window.refresh_from_db()
                self.assertEqual(window.start_time.hour, 0)

    def test_a_window_with_any_values_is_refused(self) -> None:
        campaign = make_campaign()
        shown = self.form(campaign)
        for start, end in (("abc", "25:00"), ("24:00", "00:00"), ("\0", "9" * 40), ("1", "2"), ("٠٨:00", "-1:00")):
            form = dict(shown)
            add_window(form, [1], start, end)
            self.assertEqual(self.client.post(self.address(campaign), form).status_code, 200, (start, end))
        for day in ("0", "128", "-1", "abc", "9" * 5000, "²", "\0"):
            form = dict(shown)
            add_window(form, [], "08:00", "10:00")
            form["windows-0-days_of_week"] = [day]
            self.assertEqual(self.client.post(self.address(campaign), form).status_code, 200, day[:20])
        self.assertFalse(campaign.windows.exists())

    def test_a_form_without_its_schedule_or_with_an_endless_one_is_refused(self) -> None:
        campaign = make_campaign()
        form = self.form(campaign)
        for total in ("", "abc", "9" * 5000):
            answer = self.client.post(self.address(campaign), form | {"windows-TOTAL_FORMS": total})
            self.assertEqual(answer.status_code, 200, total[:20])

    def test_a_schedule_has_at_most_so_many_windows(self) -> None:
        campaign = make_campaign()
        form = self.form(campaign)
        for minute in range(MAX_WINDOWS):
            add_window(form, [1 << minute % 7], f"{minute // 60:02}:{minute % 60:02}", f"23:{minute % 60:02}")
        self.save(campaign, form)
        self.assertEqual(campaign.windows.count(), MAX_WINDOWS)
        full = self.form(campaign)
        add_window(full, [127], "07:00", "08:00")
        self.refused(campaign, full, f"Please submit at most {MAX_WINDOWS} forms.")
        full["windows-0-DELETE"] = "on"
        self.save(campaign, full)

    def test_a_full_schedule_fits_a_request_with_as_many_removed_windows(self) -> None:
        campaign = make_campaign()
        make_window(campaign)  # on every day
        form = self.form(campaign)
        of_a_window = 1 + sum(len(values) for name, values in form.items() if "windows-0-" in name)  # and its DELETE
        others = sum(len(values) for values in form.values()) - of_a_window
        self.assertGreater(of_a_window, 7)
        self.assertLess(others + 2 * MAX_WINDOWS * of_a_window, settings.DATA_UPLOAD_MAX_NUMBER_FIELDS)

    def test_no_request_gets_more_forms_than_a_schedule_can_need(self) -> None:
        campaign = make_campaign()
        answer = self.client.post(self.address(campaign), self.form(campaign) | {"windows-TOTAL_FORMS": "100000"})
        self.assertContains(answer, f"Please submit at most {MAX_WINDOWS} forms.")
        self.assertEqual(len(answer.context["inline_admin_formsets"][0].formset.forms), 2 * MAX_WINDOWS)

    def test_names_and_dates_of_any_kind(self) -> None:
        campaign = make_campaign(name="Search")
        form = self.form(campaign)
        for field, value in (
            ("name", "\0"),
            ("name", "n" * 5000),
            ("starts_on", "0000-00-00"),
            ("starts_on", "99999-01-01"),
            ("ends_on", "2026-02-30"),
            ("ends_on", "\0"),
        ):
            answer = self.client.post(self.address(campaign), form | {field: value})
            self.assertEqual(answer.status_code, 200, (field, value[:20]))
        brand = make_brand()
        form = self.form(brand)
        for field, value in (("timezone", "\0"), ("timezone", "../../etc/passwd"), ("currency", "\0"), ("name", "\0")):
            answer = self.client.post(self.address(brand), form | {field: value})
            self.assertEqual(answer.status_code, 200, (field, value))


class Keys(FormTestCase):
    def test_the_largest_key(self) -> None:
        self.assertTrue(is_key(str(2**63 - 1)))
        self.assertFalse(is_key(str(2**63)))
