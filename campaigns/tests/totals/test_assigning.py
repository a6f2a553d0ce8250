"""Assigning and ignoring unassigned spend: what waits moves, what an earlier campaign has booked stays (R17)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.test import TestCase

from campaigns.models import CampaignLink, Waiting
from campaigns.services.totals.links import assign, assign_waiting, ignore_waiting, save_account, unassign
from campaigns.tests.support.factories import make_brand, make_campaign
from campaigns.tests.totals.reports import (
    DAY,
    YESTERDAY,
    LinkedDaysCase,
    amounts,
    full_booking,
    linked_campaign,
    make_account,
    quick_booking,
    report,
    total_of,
    unbalanced,
)

TODAY = date.fromisoformat(DAY)


class AfterAnEarlierCampaignTests(LinkedDaysCase):
    """A link that led to a campaign until yesterday, and nowhere since; today's 30 wait."""

    def setUp(self) -> None:
        super().setUp()
        unassign([self.link.pk], first_day=TODAY)
        quick_booking()

    def spent(self) -> tuple[Decimal, Decimal]:
        self.assertEqual(unbalanced(), [])
        return sum(amounts(self.old), Decimal(0)), sum(amounts(self.new), Decimal(0))

    def test_its_booked_days_stay(self) -> None:
        saved = assign_waiting({self.link.pk: self.new.pk})
        self.assertEqual((saved.links, saved.moved, saved.freed), (1, 0, 1))
        quick_booking()
        self.assertEqual(self.spent(), (30, 30))
        self.assertEqual(amounts(), [10, 20, 30, -30, 30])

    def test_its_days_are_restated_and_reported_later_where_they_were(self) -> None:
        assign_waiting({self.link.pk: self.new.pk})
        report(25, day=YESTERDAY, as_of="2024-11-27 13:00")
        report(7, day="2024-11-25")
        report(8, day="2024-11-28")
        quick_booking()
        self.assertEqual(self.spent(), (10 + 25 + 7, 30 + 8))

    def test_ignoring_what_waits_takes_nothing_from_it(self) -> None:
        ignore_waiting([self.link.pk], "a test")
        full_booking()
        self.assertEqual((self.spent(), total_of().waiting), ((30, 0), Waiting.IGNORED))

    def test_a_link_that_somebody_else_has_saved_meanwhile_stays(self) -> None:
        other = make_campaign()
        assign({self.link.pk: other.pk}, first_day=TODAY)
        quick_booking()
        saved = assign_waiting({self.link.pk: self.new.pk})
        self.assertEqual((saved.links, saved.moved), (0, 0))
        quick_booking()
        self.assertEqual((self.spent(), sum(amounts(other))), ((30, 0), 30))
        self.link.refresh_from_db()
        self.assertEqual(self.link.campaign_id, other.pk)

    def test_without_anything_that_waits_the_link_leads_there_from_now_on(self) -> None:
        """As where a report names a campaign again: its totals come with it."""
        report(0, as_of="2024-11-27 13:00")
        full_booking()
        assign_waiting({self.link.pk: self.new.pk})
        report(5, day="2024-11-28")
        report(6, day="2024-11-25")
        quick_booking()
        self.assertEqual(self.spent(), (30 + 6, 5))


class InAnotherCurrencyTests(TestCase):
    """An account that was in another currency before: what is restated waits, the rest is booked."""

    def test_days_that_wait_move_with_what_is_booked_of_them_and_others_stay(self) -> None:
        account = make_account()
        old = linked_campaign()
        link = CampaignLink.objects.get()
        for day, total in (("2024-11-20", 10), (YESTERDAY, 20), (DAY, 30)):
            report(total, day=day)
        quick_booking()
        account.currency = "EUR"
        save_account(account)
        report(25, day=YESTERDAY, as_of="2024-11-27 13:00")
        quick_booking()
        self.assertEqual(total_of(day=YESTERDAY).waiting, Waiting.CURRENCY)
        new = make_campaign(make_brand(currency="EUR"))
        saved = assign_waiting({link.pk: new.pk})
        self.assertEqual((saved.links, saved.moved), (1, 1))
        quick_booking()
        self.assertEqual((amounts(old), amounts(new)), ([10, 20, -20, 30], [25]))
        self.assertEqual(unbalanced(), [])
