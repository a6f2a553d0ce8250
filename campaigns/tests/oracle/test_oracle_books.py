"""The oracle's books are tried on examples that a person worked out."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.test import SimpleTestCase

from campaigns.tests.oracle.oracle import BrandFacts, CampaignFacts, Record
from campaigns.tests.oracle.oracle_books import Book, Books, Statement
from campaigns.tests.support.factories import utc

EAST, WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"
NOON = utc("2026-11-20 12:00")  # the 21st in the east, the 20th in the west


class TheOraclesBooks(SimpleTestCase):
    def setUp(self) -> None:
        self.campaign = CampaignFacts(pk=7)
        self.brand = BrandFacts("UTC", pk=3, daily_budget=Decimal(50), campaigns=[self.campaign])
        self.books = Books(self.brand, created_at=utc("2026-11-18 09:00"))

    def spend(self, amount: int, at: str) -> None:
        self.campaign.records.append(Record(Decimal(amount), utc(at)))

    def days(self) -> dict[int, Statement]:
        return {day.day: kept for day, kept in self.books.books[0].statements.items()}

    def test_it_counts_a_record_for_its_day_and_its_month(self) -> None:
        self.spend(5, "2026-11-30 23:59:59.999999")
        self.spend(7, "2026-12-01 00:00")
        day, next_day, month, next_month = date(2026, 11, 30), date(2026, 12, 1), date(2026, 11, 1), date(2026, 12, 1)
        self.assertEqual(
            self.books.totals(),
            {
                ("day", 3, day): 5,
                ("campaign day", 7, day): 5,
                ("month", 3, month): 5,
                ("day", 3, next_day): 7,
                ("campaign day", 7, next_day): 7,
                ("month", 3, next_month): 7,
            },
        )

    def test_it_closes_each_day_since_the_creation_with_spend_or_budget(self) -> None:
        self.spend(5, "2026-11-19 12:00")
        self.spend(6, "2026-11-20 12:00")
        self.books.check(NOON)
        budget = Decimal(50)
        self.assertEqual(
            self.days(), {18: Statement(NOON, Decimal(0), budget), 19: Statement(NOON, Decimal(5), budget)}
        )

    def test_it_gives_no_budget_to_a_day_that_had_none_when_it_ended(self) -> None:
        self.brand.daily_budget = None
        self.books.check(NOON)
        self.brand.daily_budget = Decimal(9)
        self.spend(5, "2026-11-19 12:00")
        later = utc("2026-11-20 12:05")
        self.books.check(later)
        self.assertEqual(self.days(), {19: Statement(later, Decimal(5), None)})

    def test_it_keeps_what_was_kept(self) -> None:
        self.books.check(NOON)
        kept = self.days()
        self.spend(5, "2026-11-19 12:00")
        self.brand.daily_budget = Decimal(9)
        self.books.check(utc("2026-11-20 12:05"))
        self.assertEqual(self.days(), kept)

    def test_it_takes_over_a_late_closing_only_as_it_should_be(self) -> None:
        self.books.check(NOON)
        self.books.settle({"day": {}, "month": {}}, NOON)
        self.spend(5, "2026-10-19 12:00")
        later = utc("2026-11-20 12:05")
        for spent, is_taken in ((6, False), (5, True)):
            self.books.close(later)
            found = {date(2026, 10, 19): Statement(later, Decimal(spent), Decimal(50))}
            self.books.settle({"day": found, "month": {}}, later)
            self.assertEqual(date(2026, 10, 19) in self.books.books[0].statements, is_taken)

    def test_it_opens_a_day_again_that_is_open_in_the_new_zone(self) -> None:
        self.brand.timezone = EAST
        self.books.check(NOON)
        self.assertEqual(list(self.days()), [18, 19, 20])
        self.brand.timezone = WEST
        self.books.check(NOON)
        self.assertEqual(list(self.days()), [18, 19])
        self.assertEqual([first for first, _, _ in self.books.books[0].segments], [date(1, 1, 1), date(2026, 11, 20)])

    def test_around_a_move_an_hour_counts_for_two_days_or_for_none(self) -> None:
        first, moved = date(1, 1, 1), date(2026, 11, 20)
        eastwards, westwards = Book("day", [(first, WEST), (moved, EAST)]), Book("day", [(first, EAST), (moved, WEST)])
        at = utc("2026-11-19 10:30")  # the 20th in the east, the 18th in the west
        self.assertEqual(list(eastwards.periods(at)), [date(2026, 11, 18), moved])
        self.assertEqual(list(westwards.periods(at)), [])
