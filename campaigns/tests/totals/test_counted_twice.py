"""Spend of a campaign that two senders report for one day: found by verify_spend, shown on home and on the brand."""

from __future__ import annotations

from datetime import date

from django.db import IntegrityError, connection, transaction
from django.test import TestCase
from django.urls import reverse

from campaigns.models import (
    BrandAssignment,
    CountedTwice,
    SpendCorrection,
    SpendRecord,
    SpendTotal,
)
from campaigns.services.totals.counted_twice import (
    counted_twice,
    counted_twice_warning,
    find_counted_twice,
    store_counted_twice,
)
from campaigns.services.totals.holds import release
from campaigns.tests.alerts.test_messages import person
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import make_campaign, spend, utc
from campaigns.tests.totals.reports import (
    ACCOUNT,
    DAY,
    NOON,
    SOURCE,
    YESTERDAY,
    full_booking,
    linked_campaign,
    make_account,
    make_link,
    quick_booking,
    report,
)
from campaigns.tests.totals.test_verify_totals import verify_spend

Kind = CountedTwice.Kind


def found(kind: Kind, since: date | None = None) -> list[tuple[int, int, date, date]]:
    twice = find_counted_twice(since=since, now=utc(NOON))
    return [(each.campaign_id, each.days, each.first_day, each.last_day) for each in twice if each.kind == kind]


class BothKindsTests(TestCase):
    def setUp(self) -> None:
        make_account()
        self.campaign = linked_campaign(name="Search")
        report(40)
        quick_booking()

    def test_it_warns_of_records_beside_totals_on_one_day(self) -> None:
        spend(self.campaign, 5, NOON)
        spend(self.campaign, 5, NOON)
        day = date(2024, 11, 27)
        self.assertEqual(found(Kind.RECORDS), [(self.campaign.pk, 1, day, day)])
        self.assertIn("Campaign “Search”", verify_spend())
        self.assertEqual(found(Kind.RECORDS, since=date(2024, 11, 28)), [])

    def test_records_of_other_days_and_campaigns_are_no_reason(self) -> None:
        spend(self.campaign, 5, "2024-11-26 12:00")
        spend(make_campaign(), 5, NOON)
        self.assertEqual(found(Kind.RECORDS), [])

    def test_a_correction_is_no_reason(self) -> None:
        added = spend(self.campaign, -5, NOON)
        SpendCorrection.objects.create(
            record=SpendRecord.objects.get(total__isnull=False), number=1, added=added, at=utc(NOON), who="amara"
        )
        self.assertEqual(found(Kind.RECORDS), [])

    def test_a_total_that_is_0_is_no_reason(self) -> None:
        spend(self.campaign, 5, NOON)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE campaigns_spendtotal SET booked = 0, revision = revision + 1")
        self.assertEqual((SpendTotal.objects.get().booked, found(Kind.RECORDS)), (0, []))


class ByNameAndIdTests(TestCase):
    """A file without ids was imported, and a connector reports the same campaign by its id."""

    def setUp(self) -> None:
        self.account = make_account()
        self.campaign = make_campaign(name="Search")
        for key, name in (("name:vidéo", "Vidéo"), ("77", "Vidéo"), ("78", "Search")):
            make_link(self.campaign, key, account=self.account, name=name)
        report(40, "name:vidéo")
        report(9, "78")
        quick_booking()

    def test_it_warns_of_a_day_that_both_report(self) -> None:
        report(40, "77")
        quick_booking()
        day = date.fromisoformat(DAY)
        self.assertEqual(found(Kind.NAME_AND_ID), [(self.campaign.pk, 1, day, day)])
        self.assertIn("by the platform campaign’s name beside totals by its ID of Google Ads", verify_spend())
        self.assertEqual(found(Kind.NAME_AND_ID, since=date(2024, 11, 28)), [])

    def test_other_campaigns_and_days_are_no_reason(self) -> None:
        report(40, "77", YESTERDAY)
        quick_booking()
        self.assertEqual(found(Kind.NAME_AND_ID), [])

    def test_a_total_that_is_0_is_no_reason(self) -> None:
        report(0, "77")
        quick_booking()
        self.assertEqual(found(Kind.NAME_AND_ID), [])


class StoredTests(TestCase):
    def setUp(self) -> None:
        self.account = make_account(name="Acme Shop")
        self.campaign = make_campaign(name="Search")

    def twice(self, first: str, last: str, days: int = 1, kind: Kind = Kind.RECORDS) -> CountedTwice:
        return CountedTwice(
            campaign=self.campaign,
            account=self.account,
            kind=kind,
            days=days,
            first_day=date.fromisoformat(first),
            last_day=date.fromisoformat(last),
            found_at=utc(NOON),
        )

    def stored(self) -> list[tuple[int, str, str]]:
        return [(each.days, f"{each.first_day}", f"{each.last_day}") for each in CountedTwice.objects.all()]

    def test_each_verification_replaces_what_the_one_before_has_found(self) -> None:
        store_counted_twice([self.twice("2024-11-01", "2024-11-27", 9)], since=None)
        store_counted_twice([self.twice("2024-11-26", "2024-11-27", 2)], since=date(2024, 11, 1))
        self.assertEqual(self.stored(), [(2, "2024-11-26", "2024-11-27")])
        store_counted_twice([], since=date(2024, 11, 20))
        self.assertEqual(self.stored(), [])

    def test_what_began_before_stays_night_after_night(self) -> None:
        """The nightly one looks at the open month, the weekly one at all days."""
        store_counted_twice([self.twice("2024-10-10", "2024-10-12", 3)], since=None)
        for last, days in (("2024-11-02", 1), ("2024-11-03", 2)):
            store_counted_twice([self.twice("2024-11-02", last, days)], since=date(2024, 11, 1))
            self.assertEqual(self.stored(), [(4, "2024-10-10", last)])
        store_counted_twice([], since=date(2024, 11, 1))
        self.assertEqual(self.stored(), [(4, "2024-10-10", "2024-11-03")])
        store_counted_twice([self.twice("2024-10-10", "2024-10-12", 3)], since=None)
        self.assertEqual(self.stored(), [(3, "2024-10-10", "2024-10-12")])

    def test_one_since_a_day_keeps_what_lies_before(self) -> None:
        store_counted_twice([self.twice("2024-10-01", "2024-10-27", 9)], since=None)
        store_counted_twice([], since=date(2024, 11, 1))
        self.assertEqual(self.stored(), [(9, "2024-10-01", "2024-10-27")])
        store_counted_twice([self.twice("2024-11-02", "2024-11-02")], since=date(2024, 11, 1))
        self.assertEqual(self.stored(), [(10, "2024-10-01", "2024-11-02")])

    def test_errors_come_first_and_few_are_named(self) -> None:
        store_counted_twice([self.twice(DAY, DAY), self.twice(DAY, DAY, kind=Kind.NAME_AND_ID)], since=None)
        shown = counted_twice(None)
        self.assertEqual(([each.kind for each in shown.shown], shown.more), ([Kind.NAME_AND_ID, Kind.RECORDS], 0))

    def test_the_database_refuses_what_is_no_finding(self) -> None:
        wrong = ((1, "other"), (0, Kind.RECORDS))
        for days, kind in wrong:
            with self.subTest(kind=kind), self.assertRaises(IntegrityError), transaction.atomic():
                CountedTwice.objects.bulk_create([self.twice(DAY, DAY, days, kind)])  # type: ignore[arg-type]
        for first, last in ((DAY, YESTERDAY),):
            with self.assertRaises(IntegrityError), transaction.atomic():
                self.twice(first, last).save()
        self.twice(DAY, DAY).save()
        with self.assertRaises(IntegrityError), transaction.atomic():
            self.twice(DAY, DAY).save()

    def test_monitoring_hears_how_many_without_names(self) -> None:
        self.assertEqual(counted_twice_warning(), "")
        self.twice(DAY, DAY, kind=Kind.NAME_AND_ID).save()
        sentence = "Spend of campaigns may count twice; home says which: 1 with totals by name and by ID."
        self.assertEqual(counted_twice_warning(), sentence)


class PageTests(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        account = make_account(name="Acme Shop")
        self.campaign = make_campaign(name="Search")
        for key in ("name:search", "77"):
            make_link(self.campaign, key, account=account, name="Search")
            for day in (YESTERDAY, DAY):
                report(40, key, day)
        quick_booking()
        self.pages = (
            reverse("admin:index"),
            reverse("admin:campaigns_brand_change", args=[self.campaign.brand_id]),
        )

    def test_home_and_the_brand_say_it_from_the_verification_on_until_it_finds_nothing(self) -> None:
        says = (
            f"Campaign “Search” ({self.campaign.pk}) has reported totals by the platform campaign’s name beside"
            " totals by its ID of Google Ads account Acme Shop on 2 days, 2024-11-26 to 2024-11-27: the same spend"
            " counts twice; reverse the import by name, under Imports of platform reports."
        )
        for page in self.pages:
            self.assertNotContains(self.client.get(page), "counted twice")
        verify_spend()
        for page in self.pages:
            with self.subTest(page):
                self.assertContains(self.client.get(page), says)
                self.assertContains(self.client.get(page), 'campaigns-chip-bad">counted twice')
        for day in (YESTERDAY, DAY):
            report(0, "name:search", day, as_of="2024-11-27 13:00")
        full_booking("2024-11-28 13:00")
        for day in (YESTERDAY, DAY):
            release(SOURCE, ACCOUNT, date.fromisoformat(day), clock=lambda: utc("2024-11-28 13:00"))
        verify_spend("--since", YESTERDAY)
        for page in self.pages:
            self.assertNotContains(self.client.get(page), "counted twice")

    def test_records_beside_totals_are_a_warning(self) -> None:
        CountedTwice.objects.all().delete()
        spend(self.campaign, 5, NOON)
        verify_spend()
        for page in self.pages:
            self.assertContains(self.client.get(page), 'campaigns-chip-warning">two senders')

    def test_people_see_it_of_their_brands(self) -> None:
        verify_spend()
        other = make_campaign()
        user = person("maja", "Brand managers")
        self.client.force_login(user)
        for campaign, is_shown in ((other, False), (self.campaign, True)):
            BrandAssignment.objects.create(user=user, brand=campaign.brand)
            home = self.client.get(reverse("admin:index")).content.decode()
            self.assertEqual("counted twice" in home, is_shown)
