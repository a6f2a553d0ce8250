"""verify_spend: the records of each reported total sum up to what is booked of it."""

from __future__ import annotations

from datetime import date
from io import StringIO

from django.core.management import CommandError, call_command
from django.test import TestCase

from campaigns.models import CampaignLink, DayToBook, SpendRecord
from campaigns.services.totals.links import assign
from campaigns.services.totals.verify import unbalanced_totals
from campaigns.tests.support.factories import make_campaign
from campaigns.tests.totals.reports import (
    DAY,
    YESTERDAY,
    amounts,
    linked_campaign,
    make_account,
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
