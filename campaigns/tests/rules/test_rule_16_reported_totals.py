"""R16: a reported total is a fact; the ledger holds its changes."""

from __future__ import annotations

from decimal import Decimal

from django.test import TestCase, override_settings

from campaigns.database.connection import fetch_all
from campaigns.models import PlatformAccount, SpendRecord, Waiting
from campaigns.rules.reasons import PauseReason
from campaigns.services.jobs.full_check import full_check
from campaigns.services.jobs.quick_check import is_anything_due, quick_check
from campaigns.services.totals import holds
from campaigns.services.totals.book import ANY_TO_BOOK
from campaigns.tests.support.checking import ACTIVE, reasons_of
from campaigns.tests.support.factories import make_brand, utc
from campaigns.tests.totals.reports import (
    ACCOUNT,
    DAY,
    NOON,
    SOURCE,
    YESTERDAY,
    amounts,
    full_booking,
    linked_campaign,
    make_account,
    quick_booking,
    report,
    total_of,
    unbalanced,
)


class RestatementTests(TestCase):
    def setUp(self) -> None:
        make_account()
        self.campaign = linked_campaign(daily_spend_limit=100)

    def test_the_ledger_holds_each_change_of_a_total(self) -> None:
        for total in ("40", "55.5", "54.25"):
            report(total)
            quick_booking()
        self.assertEqual(amounts(self.campaign), [Decimal(40), Decimal("15.5"), Decimal("-1.25")])
        stored = total_of()
        self.assertEqual((stored.booked, stored.revision), (Decimal("54.25"), 3))
        self.assertEqual(stored.booked_campaign_id, self.campaign.pk)
        records = SpendRecord.objects.order_by("revision")
        self.assertEqual([record.revision for record in records], [1, 2, 3])
        self.assertEqual({record.external_id for record in records}, {None})
        self.assertEqual(unbalanced(), [])

    def test_an_unchanged_total_books_nothing(self) -> None:
        report(40)
        quick_booking()
        report("40.000000", as_of="2024-11-27 13:00")
        self.assertFalse(is_anything_due_of_totals())
        quick_booking()
        self.assertEqual(amounts(), [40])

    def test_an_older_report_changes_nothing(self) -> None:
        report(40)
        report(30, as_of="2024-11-27 11:59:59")
        quick_booking()
        self.assertEqual(amounts(), [40])

    def test_of_two_totals_with_one_as_of_the_last_one_counts(self) -> None:
        for total in (30, 50, 45):
            report(total)
            quick_booking()
            self.assertEqual(total_of().total, total)
        self.assertEqual(sum(amounts()), 45)

    def test_booked_twice_it_ends_the_same(self) -> None:
        report(40)
        for book in (quick_booking, full_booking, quick_booking):
            book()
        self.assertEqual(amounts(), [40])

    def test_ten_tenths_are_one(self) -> None:
        for number in range(1, 11):
            report(f"{number / 10:.1f}")
            quick_booking()
        self.assertEqual(total_of().booked, 1)
        self.assertEqual(unbalanced(), [])

    def test_a_total_that_has_arrived_pauses_within_the_same_quick_check(self) -> None:
        report(100)
        self.assertTrue(is_anything_due(now=utc(NOON)))
        done = quick_check("test", clock=lambda: utc(NOON))
        self.assertEqual(reasons_of(self.campaign), PauseReason.CAMPAIGN_DAILY_LIMIT)
        self.assertEqual((done.booked, done.folded), (1, 1))
        self.assertIn("booked 1 changes of reported totals", done.summary)

    def test_a_decrease_of_today_resumes(self) -> None:
        report(100)
        quick_check("test", clock=lambda: utc(NOON))
        report(99)
        quick_check("test", clock=lambda: utc(NOON))
        self.assertEqual(reasons_of(self.campaign), ACTIVE)

    def test_a_full_check_books_before_it_decides(self) -> None:
        report(100)
        done = full_check("test", clock=lambda: utc(NOON))
        self.assertEqual(reasons_of(self.campaign), PauseReason.CAMPAIGN_DAILY_LIMIT)
        self.assertIn("1 changes of reported totals booked", done.summary)


def is_anything_due_of_totals() -> bool:
    return bool(fetch_all(f"SELECT {ANY_TO_BOOK}")[0][0])


class TimestampTests(TestCase):
    """A record lies on the account's day: at as_of if that is in it, else at noon."""

    def timestamp(self, as_of: str, day: str = DAY, timezone: str = "UTC") -> str:
        make_account(timezone=timezone)
        linked_campaign()
        report(1, day=day, as_of=as_of)
        quick_booking(at="2024-11-28 12:00")
        return f"{SpendRecord.objects.get().timestamp:%Y-%m-%d %H:%M:%S}"

    def test_as_of_within_the_day(self) -> None:
        self.assertEqual(self.timestamp("2024-11-27 20:00:01"), "2024-11-27 20:00:01")

    def test_the_first_instant_of_the_day(self) -> None:
        self.assertEqual(self.timestamp("2024-11-27 00:00"), "2024-11-27 00:00:00")

    def test_the_first_instant_of_the_next_day(self) -> None:
        self.assertEqual(self.timestamp("2024-11-28 00:00"), "2024-11-27 12:00:00")

    def test_the_day_is_the_account_s(self) -> None:
        self.assertEqual(self.timestamp("2024-11-28 02:00", timezone="America/New_York"), "2024-11-28 02:00:00")

    def test_noon_is_the_account_s(self) -> None:
        self.assertEqual(self.timestamp("2024-11-28 06:00", timezone="America/New_York"), "2024-11-27 17:00:00")


class DecreaseTests(TestCase):
    """A decrease of a finished day is booked by the full check only, and held where it is large."""

    def setUp(self) -> None:
        make_account()
        self.campaigns = [linked_campaign(str(number), brand=make_brand()) for number in range(1, 5)]
        for number in range(1, 5):
            report(100, str(number), day=YESTERDAY)
        quick_booking()

    def reported(self, *totals: object, day: str = YESTERDAY) -> None:
        for number, total in enumerate(totals, start=1):
            report(total, str(number), day=day, as_of="2024-11-27 13:00")

    def booked(self, day: str = YESTERDAY) -> list[int]:
        return [int(total_of(str(number), day).booked) for number in range(1, 5)]

    def waiting(self, day: str = YESTERDAY) -> list[int]:
        return [total_of(str(number), day).waiting for number in range(1, 5)]

    def test_a_small_one_waits_for_the_full_check(self) -> None:
        self.reported(95)
        quick_booking()
        self.assertEqual((self.booked()[0], self.waiting()[0]), (100, Waiting.DECREASE))
        full_booking()
        self.assertEqual((self.booked()[0], self.waiting()[0]), (95, Waiting.NO))

    def test_a_large_one_is_held_and_increases_are_booked(self) -> None:
        self.reported(0, 0, 110)
        quick_booking()
        full_booking()
        self.assertEqual(self.booked(), [100, 100, 110, 100])
        self.assertEqual(self.waiting(), [Waiting.HELD, Waiting.HELD, 0, 0])
        for book in (quick_booking, full_booking):
            book()
            self.assertEqual(self.booked(), [100, 100, 110, 100])

    def test_80_percent_is_no_large_decrease(self) -> None:
        self.reported(20)
        with override_settings(HELD_ABOVE_AMOUNT=79):
            full_booking()
        self.assertEqual(self.booked(), [20, 100, 100, 100])

    def test_less_than_80_percent_is(self) -> None:
        self.reported("19.99", 100)
        with override_settings(HELD_ABOVE_AMOUNT=80):
            full_booking()
        self.assertEqual(self.waiting()[0], Waiting.HELD)

    def test_up_to_the_amount_of_the_settings_is_no_large_decrease(self) -> None:
        self.reported(50, 50)
        full_booking()
        self.assertEqual(self.booked(), [50, 50, 100, 100])

    def test_an_increase_is_booked_at_once_even_if_it_was_held(self) -> None:
        self.reported(0, 0)
        full_booking()
        self.reported(120)
        quick_booking()
        self.assertEqual((self.booked()[0], self.waiting()[0]), (120, Waiting.NO))

    def test_a_later_report_of_another_total_no_longer_trips_the_rule(self) -> None:
        self.reported(30, 30)
        full_booking()
        self.assertEqual(self.booked(), [100, 100, 100, 100])
        self.reported(30, 95)
        full_booking()
        self.assertEqual(self.booked(), [30, 95, 100, 100])

    def test_a_person_releases(self) -> None:
        self.reported(0, 0)
        full_booking()
        done = holds.release(SOURCE, ACCOUNT, total_of(day=YESTERDAY).day, clock=lambda: utc(NOON))
        self.assertEqual(done.records, 2)
        self.assertEqual(self.booked(), [0, 0, 100, 100])

    def test_a_rejected_figure_isn_t_asked_about_again(self) -> None:
        self.reported(0, 0)
        full_booking()
        day = total_of(day=YESTERDAY).day
        self.assertEqual(holds.reject(SOURCE, ACCOUNT, day), 2)
        full_booking()
        self.assertEqual(self.booked(), [100, 100, 100, 100])
        self.assertTrue(holds.is_rejected(total_of(day=YESTERDAY)))
        self.assertEqual(holds.release(SOURCE, ACCOUNT, day, clock=lambda: utc(NOON)).records, 0)
        # Another figure is judged as any; the same one later isn't.
        self.reported(99, 0)
        full_booking()
        self.assertEqual((self.booked(), holds.is_rejected(total_of(day=YESTERDAY))), ([99, 100, 100, 100], False))
        self.reported(0)
        full_booking()
        self.assertEqual(self.booked(), [99, 100, 100, 100])
        self.assertTrue(holds.is_rejected(total_of(day=YESTERDAY)))
        self.assertEqual(holds.release(SOURCE, ACCOUNT, day, clock=lambda: utc(NOON), rejected=True).records, 2)

    def test_today_a_part_that_goes_to_0_is_booked_at_once(self) -> None:
        self.reported(10, 10, 10, 10, day=DAY)
        quick_booking(at="2024-11-27 14:00")
        report(0, "1", as_of="2024-11-27 14:00")
        quick_booking(at="2024-11-27 14:00")
        self.assertEqual(self.booked(DAY), [0, 10, 10, 10])

    def test_today_half_that_goes_to_0_is_held(self) -> None:
        self.reported(10, 10, 10, 10, day=DAY)
        quick_booking(at="2024-11-27 14:00")
        for campaign in ("1", "2"):
            report(0, campaign, as_of="2024-11-27 14:00")
        report(5, "3", as_of="2024-11-27 14:00")
        quick_booking(at="2024-11-27 14:00")
        self.assertEqual(self.booked(DAY), [10, 10, 5, 10])
        self.assertEqual(self.waiting(DAY), [Waiting.HELD, Waiting.HELD, 0, 0])
        full_booking(at="2024-11-27 14:00")
        self.assertEqual(self.booked(DAY), [10, 10, 5, 10])

    def test_a_quick_check_books_no_decrease_of_yesterday_beside_one_of_today(self) -> None:
        self.reported(10, 10, 10, 10, day=DAY)
        quick_booking(at="2024-11-27 14:00")
        report(0, "1", as_of="2024-11-27 14:00")
        self.reported(95)
        quick_booking(at="2024-11-27 14:00")
        self.assertEqual((self.booked(DAY)[0], self.booked()[0]), (0, 100))

    def test_the_account_s_own_day_decides_what_is_finished(self) -> None:
        PlatformAccount.objects.update(timezone="America/New_York")
        self.reported(95)
        quick_booking(at="2024-11-27 04:59")
        self.assertEqual(self.booked()[0], 95)
        self.reported(95, 95)
        quick_booking(at="2024-11-27 05:00")
        self.assertEqual(self.booked()[1], 100)
