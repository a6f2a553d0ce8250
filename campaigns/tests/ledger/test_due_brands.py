"""Due brands: every fold says whose totals it changed, and from when on that counts (R3)."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.test import TestCase

from campaigns.models import Brand, DueBrand, PendingSpend, SpendRecord
from campaigns.services.enforcement.saving import begin_move
from campaigns.services.ledger import due_brands as due_module
from campaigns.services.ledger.close_periods import close_periods
from campaigns.services.ledger.due_brands import clear_due, due_rows, mark_due
from campaigns.services.ledger.fold import fold
from campaigns.tests.ledger.test_overflow import flood
from campaigns.tests.support.checking import check_at
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.ledger import change_brand
from campaigns.tests.support.outside import quarter_at
from campaigns.tests.support.together import meanwhile

NOON = "2026-11-20 12:00"


class NothingToMark(CommittedTestCase):
    def test_it_takes_no_lock(self) -> None:
        """On SQLite a transaction that writes nothing would keep everybody from writing, at each check."""
        with self.assertNumQueries(0):
            mark_due([])


def due_at(at: str) -> list[int]:
    return due_rows(now=utc(at)).brands


def marked() -> list[tuple[int, int]]:
    return sorted(DueBrand.objects.values_list("brand", "due_quarter"))


class AFoldMarksWhatItTouches(TestCase):
    def setUp(self) -> None:
        self.campaign = make_campaign()
        self.brand = self.campaign.brand

    def test_it_marks_nothing_where_nothing_is_pending(self) -> None:
        fold()
        self.assertEqual((marked(), due_at(NOON)), ([], []))

    def test_it_marks_a_brand_from_the_beginning_of_the_day_on(self) -> None:
        spend(self.campaign, 1, NOON)
        fold()
        self.assertEqual(marked(), [(self.brand.pk, quarter_at("2026-11-20 00:00"))])
        self.assertEqual(due_at(NOON), [self.brand.pk])

    def test_it_marks_once_for_all_rows_of_a_day(self) -> None:
        sibling = make_campaign(self.brand)
        for campaign in (self.campaign, sibling):
            for hour in range(24):
                spend(campaign, 1, f"2026-11-20 {hour:02}:30")
        fold()
        self.assertEqual(len(marked()), 1)

    def test_it_marks_for_each_day(self) -> None:
        for day in (18, 20, 22):
            spend(self.campaign, 1, f"2026-11-{day} 12:00")
        fold()
        self.assertEqual(marked(), [(self.brand.pk, quarter_at(f"2026-11-{day} 00:00")) for day in (18, 20, 22)])

    def test_it_marks_only_brands_that_it_touches(self) -> None:
        make_campaign()
        spend(self.campaign, 1, NOON)
        fold()
        self.assertEqual(due_at(NOON), [self.brand.pk])

    def test_it_marks_again_what_it_folds_again(self) -> None:
        for _ in range(2):
            spend(self.campaign, 1, NOON)
            fold()
        self.assertEqual(len(marked()), 2)
        self.assertEqual(due_at(NOON), [self.brand.pk])

    def test_it_marks_for_corrections_and_deletions(self) -> None:
        record = spend(self.campaign, 1, NOON)
        fold()
        for change in (lambda: SpendRecord.objects.update(amount=2), record.delete):
            clear_due(due_rows(now=utc(NOON)))
            change()
            fold()
            self.assertEqual(due_at(NOON), [self.brand.pk])

    def test_a_closing_marks_what_it_folds(self) -> None:
        Brand.objects.update(daily_budget=5, created_at=utc("2026-11-18"))
        spend(self.campaign, 1, NOON)
        close_periods(now=utc(NOON), brands=[self.brand.pk])
        self.assertEqual((PendingSpend.objects.count(), due_at(NOON)), (0, [self.brand.pk]))

    def test_a_move_of_a_campaign_marks_what_it_folds(self) -> None:
        check_at(NOON)
        spend(self.campaign, 1, NOON).delete()
        with transaction.atomic():
            begin_move(self.campaign.pk, [self.brand.pk, make_brand().pk], clock=lambda: utc(NOON))
        self.assertEqual(due_at(NOON), [self.brand.pk])

    def test_spend_that_cannot_be_booked_leaves_no_mark(self) -> None:
        spend(make_campaign(make_brand(timezone="Mars/Olympus")), 1, NOON)
        fold()
        self.assertEqual(marked(), [])

    def test_spend_that_is_too_large_for_its_totals_is_marked_by_each_fold(self) -> None:
        """It stays pending, and counts."""
        flood(self.campaign)
        for _ in range(2):
            fold()
            self.assertTrue(PendingSpend.objects.exists())
            self.assertEqual(due_at(NOON), [self.brand.pk])
            clear_due(due_rows(now=utc(NOON)))


class SpendDatedAheadIsDueWhenItsDayComes(TestCase):
    """R3."""

    def assert_due_from(self, brand: Brand, instant: str) -> None:
        begins = utc(instant)
        self.assertNotIn(brand.pk, due_rows(now=begins - timedelta(microseconds=1)).brands)
        self.assertIn(brand.pk, due_rows(now=begins).brands)

    def test_it_is_due_at_midnight_of_each_zone(self) -> None:
        midnights = {  # of 2026-11-22, in UTC
            "UTC": "2026-11-22 00:00",
            "America/New_York": "2026-11-22 05:00",
            "Asia/Kathmandu": "2026-11-21 18:15",
        }
        for zone in midnights:
            spend(make_campaign(make_brand(timezone=zone)), 1, "2026-11-22 12:00")
        fold()
        for brand in Brand.objects.all():
            self.assert_due_from(brand, midnights[brand.timezone])

    def test_it_is_due_at_the_beginning_of_days_on_which_clocks_change(self) -> None:
        beginnings = {  # of the day of the record, in UTC: 25 and 23 hours, a skipped midnight, one that comes twice
            ("America/New_York", "2026-11-02 04:30"): "2026-11-01 04:00",
            ("America/New_York", "2026-03-09 03:30"): "2026-03-08 05:00",
            ("America/Santiago", "2026-09-06 12:00"): "2026-09-06 04:00",
            ("America/Santiago", "2026-04-05 12:00"): "2026-04-05 04:00",
        }
        for (zone, at), beginning in beginnings.items():
            with self.subTest(zone, at=at):
                brand = make_brand(timezone=zone)
                spend(make_campaign(brand), 1, at)
                fold()
                self.assertEqual(marked(), [(brand.pk, quarter_at(beginning))])
                DueBrand.objects.all().delete()

    def test_a_day_of_two_utc_days_has_one_beginning(self) -> None:
        campaign = make_campaign(make_brand(timezone="America/New_York"))
        for at in ("2026-11-20 05:00", "2026-11-21 04:59"):
            spend(campaign, 1, at)
        fold()
        self.assertEqual(marked(), [(campaign.brand_id, quarter_at("2026-11-20 05:00"))])

    def test_it_is_due_in_the_zone_that_the_brand_moves_to(self) -> None:
        """R15: its days ahead begin at other moments then."""
        brand = make_brand(timezone="UTC")
        spend(make_campaign(brand), 1, "2026-11-22 12:00")
        check_at(NOON)
        change_brand(brand, NOON, timezone="Asia/Kathmandu")
        self.assert_due_from(brand, "2026-11-21 18:15")


class MarksAreForgotten(CommittedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brands = [make_brand() for _ in range(3)]
        DueBrand.objects.bulk_create(
            DueBrand(brand=brand, due_quarter=quarter_at(NOON)) for brand in self.brands for _ in range(2)
        )
        self.ids = [brand.pk for brand in self.brands]

    def test_it_forgets_what_was_read(self) -> None:
        marks = due_rows(now=utc(NOON))
        self.assertEqual((len(marks.ids), marks.brands), (6, self.ids))
        clear_due(marks)
        self.assertEqual(DueBrand.objects.count(), 0)

    def test_it_keeps_what_is_not_due_yet(self) -> None:
        later = DueBrand.objects.create(brand=self.brands[0], due_quarter=quarter_at(NOON) + 1)
        clear_due(due_rows(now=utc("2026-11-20 12:14:59.999999")))
        self.assertEqual(DueBrand.objects.get(), later)
        self.assertEqual(due_at("2026-11-20 12:15"), [self.ids[0]])

    def test_it_keeps_a_mark_that_was_appended_meanwhile(self) -> None:
        marks = due_rows(now=utc(NOON))
        meanwhile(lambda: DueBrand.objects.create(brand=self.brands[1], due_quarter=quarter_at(NOON)))
        clear_due(marks)
        self.assertEqual(due_at(NOON), [self.ids[1]])

    def test_it_keeps_a_mark_of_an_earlier_number_that_was_committed_meanwhile(self) -> None:
        """Ids commit out of order."""
        DueBrand.objects.filter(brand=self.brands[0]).delete()
        marks = due_rows(now=utc(NOON))
        early = min(marks.ids) - 1
        meanwhile(lambda: DueBrand.objects.create(pk=early, brand=self.brands[0], due_quarter=quarter_at(NOON)))
        clear_due(marks)
        self.assertEqual(due_at(NOON), [self.ids[0]])

    def test_it_keeps_marks_of_other_brands_than_it_read(self) -> None:
        marks = due_rows(now=utc(NOON), most=3)
        self.assertEqual(len(marks.ids), 3)
        clear_due(marks)
        self.assertEqual(DueBrand.objects.count(), 3)

    def test_it_reads_first_what_has_been_due_for_longest(self) -> None:
        late = make_brand()
        DueBrand.objects.create(brand=late, due_quarter=quarter_at("2026-11-20 00:00"))
        self.assertEqual(due_rows(now=utc(NOON), most=1).brands, [late.pk])

    def test_it_forgets_more_than_one_statement_takes(self) -> None:
        self.addCleanup(setattr, due_module, "CLEARED_AT_ONCE", due_module.CLEARED_AT_ONCE)
        due_module.CLEARED_AT_ONCE = 4
        clear_due(due_rows(now=utc(NOON)))
        self.assertEqual(DueBrand.objects.count(), 0)

    def test_a_fold_that_breaks_off_leaves_neither_totals_nor_marks(self) -> None:
        DueBrand.objects.all().delete()
        spend(make_campaign(self.brands[0]), 1, NOON)
        with self.assertRaises(InterruptedError), transaction.atomic():
            fold()
            raise InterruptedError
        self.assertEqual((PendingSpend.objects.count(), marked()), (1, []))
