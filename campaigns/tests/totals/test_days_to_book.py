"""Whatever leaves a total to book flags the day of its account, and booking clears the flag (R16)."""

from __future__ import annotations

from campaigns.models import DayToBook, SpendTotal
from campaigns.services.totals.links import unassign
from campaigns.tests.support.outside import POSTGRESQL, OutsideTestCase
from campaigns.tests.totals.reports import (
    DAY,
    NOON,
    YESTERDAY,
    linked_campaign,
    make_account,
    make_link,
    quick_booking,
    report,
    total_of,
)


class DaysToBookTests(OutsideTestCase):
    def setUp(self) -> None:
        super().setUp()
        make_account()
        self.campaign = linked_campaign()

    def days(self) -> list[str]:
        return sorted({f"{day}" for day in DayToBook.objects.values_list("day", flat=True)})

    def test_a_report_flags_its_day_and_booking_clears_it(self) -> None:
        report(5)
        report(5, day=YESTERDAY)
        self.assertEqual(self.days(), [YESTERDAY, DAY])
        quick_booking()
        self.assertEqual(self.days(), [])
        report(6, as_of="2024-11-27 13:00")
        self.assertEqual(self.days(), [DAY])
        quick_booking()
        self.assertEqual((self.days(), total_of().booked), ([], 6))

    def test_an_unchanged_an_older_and_an_empty_report_flag_nothing(self) -> None:
        report(5)
        quick_booking()
        report(5, as_of="2024-11-27 13:00")
        report(4, as_of="2024-11-27 01:00")
        report(0, "9")
        self.assertEqual(self.days(), [])

    def test_a_total_that_waits_is_flagged_when_it_is_set_free(self) -> None:
        report(5, "9")
        quick_booking()
        self.assertEqual((self.days(), total_of("9").waiting), ([], 1))
        self.run_sql("UPDATE campaigns_spendtotal SET waiting = 2")
        self.assertEqual(self.days(), [])
        self.run_sql("UPDATE campaigns_spendtotal SET waiting = 0")
        self.assertEqual(self.days(), [DAY])
        make_link(self.campaign, "9")
        quick_booking()
        self.assertEqual((self.days(), total_of("9").booked), ([], 5))

    def test_a_total_that_leaves_its_campaign_is_flagged(self) -> None:
        report(5)
        quick_booking()
        unassign([self.campaign.links.get().pk])
        self.assertEqual(self.days(), [DAY])
        quick_booking()
        self.assertEqual((self.days(), total_of().waiting), ([], 1))

    def test_a_figure_that_is_held_is_flagged_when_it_is_restated(self) -> None:
        report(5)
        quick_booking()
        SpendTotal.objects.update(waiting=5)
        report(6, as_of="2024-11-27 13:00")
        self.assertEqual(self.days(), [DAY])

    if POSTGRESQL:

        def test_one_statement_flags_each_day_once(self) -> None:
            self.run_sql(
                "INSERT INTO campaigns_spendtotal (source, account, campaign, day, total)"
                " SELECT 'google_ads', '1', CAST(n AS text), DATE '2024-11-25' + (n % 2), n"
                " FROM generate_series(1, 100) AS n"
            )
            self.assertEqual(DayToBook.objects.count(), 2)

        def test_the_day_is_flagged_after_the_ledger_was_emptied(self) -> None:
            report(5)
            quick_booking()
            self.run_sql("TRUNCATE campaigns_spendrecord")
            self.assertEqual(self.days(), [DAY])
            quick_booking(at=NOON)
            self.assertEqual(total_of().booked, 5)
