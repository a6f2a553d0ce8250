"""verify_spend: the records of each reported total sum up to what is booked of it."""

from __future__ import annotations

from datetime import date
from io import StringIO

from django.core.management import CommandError, call_command
from django.db import connection
from django.test import TestCase

from campaigns.models import CampaignLink, DayToBook, SpendCorrection, SpendRecord, SpendTotal
from campaigns.services.totals.links import assign
from campaigns.services.totals.verify import campaigns_by_name_and_id, campaigns_of_both_kinds, unbalanced_totals
from campaigns.tests.support.factories import make_campaign, spend, utc
from campaigns.tests.totals.reports import (
    DAY,
    NOON,
    YESTERDAY,
    amounts,
    linked_campaign,
    make_account,
    make_link,
    quick_booking,
    report,
    total_of,
    unbalanced,
)


def verify_spend(*arguments: str) -> str:
    out = StringIO()
    call_command("verify_spend", *arguments, stdout=out)
    return out.getvalue()


class BalanceTests(TestCase):
    def setUp(self) -> None:
        make_account()
        self.campaign = linked_campaign()
        report(40)
        report(30, day=YESTERDAY)
        quick_booking()

    def test_what_is_booked_is_the_sum_of_the_records_also_over_campaigns(self) -> None:
        assign({CampaignLink.objects.get().pk: make_campaign().pk})
        quick_booking()
        self.assertEqual(unbalanced_totals(), [])
        self.assertIn("All totals match", verify_spend())

    def test_it_names_a_total_whose_record_was_deleted_and_repairs_it(self) -> None:
        SpendRecord.objects.filter(total=total_of()).delete()
        (found,) = unbalanced_totals()
        self.assertEqual((found.day, found.booked, found.recorded), (date(2024, 11, 27), 40, 0))
        with self.assertRaisesMessage(CommandError, "1 total to repair"):
            verify_spend()
        printed = verify_spend("--repair")
        self.assertIn("google_ads 1234567890/1: 40 is booked, and its records come to 0", printed)
        self.assertIn("1 reported total repaired", printed)
        self.assertEqual((total_of().booked, total_of().revision), (0, 2))
        quick_booking()
        self.assertEqual(amounts(), [40, 30])
        self.assertEqual(unbalanced(), [])

    def test_a_repair_goes_on_after_the_records_that_there_are(self) -> None:
        SpendRecord.objects.create(
            brand=self.campaign.brand, campaign=self.campaign, amount=3, total=total_of(), revision=7
        )
        verify_spend("--repair")
        self.assertEqual((total_of().booked, total_of().revision), (43, 8))
        quick_booking()
        self.assertEqual((total_of().booked, unbalanced()), (40, []))

    def test_since_a_day_it_looks_at_these_days_only(self) -> None:
        SpendRecord.objects.filter(total=total_of(day=YESTERDAY)).delete()
        self.assertEqual(len(unbalanced_totals(since=date(2024, 11, 26))), 1)
        self.assertEqual(unbalanced_totals(since=date(2024, 11, 27)), [])
        self.assertIn("All totals match", verify_spend("--since", DAY))

    def test_amounts_are_compared_in_millionths(self) -> None:
        for number in range(1, 30):
            report(f"{number * 0.1:.6f}", "2")
            quick_booking()
        self.assertEqual(unbalanced_totals(), [])

    def test_a_repair_flags_days_that_nothing_has_flagged(self) -> None:
        report(50, as_of="2024-11-27 13:00")
        DayToBook.objects.all().delete()
        quick_booking()
        self.assertEqual(total_of().booked, 40)
        self.assertIn("1 day of accounts flagged", verify_spend("--repair"))
        self.assertNotIn("flagged", verify_spend("--repair"))
        quick_booking()
        self.assertEqual(total_of().booked, 50)


class BothKindsTests(TestCase):
    def setUp(self) -> None:
        make_account()
        self.campaign = linked_campaign(name="Search")
        report(40)
        quick_booking()

    def test_it_warns_of_records_beside_totals_on_one_day(self) -> None:
        spend(self.campaign, 5, NOON)
        spend(self.campaign, 5, NOON)
        (found,) = campaigns_of_both_kinds()
        self.assertEqual((found.id, found.days, found.last), (self.campaign.pk, 1, date(2024, 11, 27)))
        self.assertIn("Campaign “Search”", verify_spend())
        self.assertEqual(campaigns_of_both_kinds(since=date(2024, 11, 28)), [])

    def test_records_of_other_days_and_campaigns_are_no_reason(self) -> None:
        spend(self.campaign, 5, "2024-11-26 12:00")
        spend(make_campaign(), 5, NOON)
        self.assertEqual(campaigns_of_both_kinds(), [])

    def test_a_correction_is_no_reason(self) -> None:
        added = spend(self.campaign, -5, NOON)
        SpendCorrection.objects.create(
            record=SpendRecord.objects.get(total__isnull=False), number=1, added=added, at=utc(NOON), who="amara"
        )
        self.assertEqual(campaigns_of_both_kinds(), [])

    def test_a_total_that_is_0_is_no_reason(self) -> None:
        spend(self.campaign, 5, NOON)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE campaigns_spendtotal SET booked = 0, revision = revision + 1")
        self.assertEqual((SpendTotal.objects.get().booked, campaigns_of_both_kinds()), (0, []))


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

    def found(self) -> list[tuple[int, int, date]]:
        return [(each.id, each.days, each.last) for each in campaigns_by_name_and_id()]

    def test_it_warns_of_a_day_that_both_report(self) -> None:
        report(40, "77")
        quick_booking()
        self.assertEqual(self.found(), [(self.campaign.pk, 1, date.fromisoformat(DAY))])
        self.assertIn("by the platform campaign’s name beside totals by its ID on 1 day", verify_spend())
        self.assertEqual(campaigns_by_name_and_id(since=date(2024, 11, 28)), [])

    def test_other_campaigns_and_days_are_no_reason(self) -> None:
        report(40, "77", YESTERDAY)
        quick_booking()
        self.assertEqual(self.found(), [])

    def test_a_total_that_is_0_is_no_reason(self) -> None:
        report(0, "77")
        quick_booking()
        self.assertEqual(self.found(), [])
