"""R17: spend that no campaign is linked to is never lost and never guessed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db import connection
from django.test import TestCase

from campaigns.models import Brand, CampaignLink, PlatformAccount, SpendRecord, SpendTotal, Waiting
from campaigns.services.totals.links import assign, ignore, save_account, unassign
from campaigns.services.totals.report import (
    ReportedAccount,
    ReportedCampaign,
    ReportedTotal,
    ReportedTwiceError,
    report_totals,
)
from campaigns.services.totals.waiting import free_brands
from campaigns.tests.support.factories import make_brand, make_campaign, utc
from campaigns.tests.totals.reports import (
    ACCOUNT,
    NOON,
    SOURCE,
    YESTERDAY,
    LinkedDaysCase,
    amounts,
    full_booking,
    linked_campaign,
    make_account,
    make_link,
    quick_booking,
    report,
    total_of,
    unbalanced,
)


class WaitingTests(TestCase):
    def assert_waits(self, reason: Waiting) -> None:
        quick_booking()
        total = total_of()
        self.assertEqual((total.waiting, total.booked, total.booked_campaign_id), (reason, 0, None))
        self.assertFalse(SpendRecord.objects.exists())

    def assert_booked(self, campaign: object = None) -> None:
        quick_booking()
        self.assertEqual((total_of().waiting, total_of().booked), (Waiting.NO, 40))

    def test_of_an_unknown_account_it_waits(self) -> None:
        report(40)
        self.assert_waits(Waiting.UNLINKED)

    def test_of_an_unknown_campaign_it_waits(self) -> None:
        make_account()
        report(40)
        self.assert_waits(Waiting.UNLINKED)
        make_link(None)
        full_booking()
        self.assert_waits(Waiting.UNLINKED)

    def test_all_of_it_is_booked_when_a_person_links_it(self) -> None:
        make_account()
        link = make_link(None)
        report(40)
        report(30, day="2024-01-05")
        report(20, day=YESTERDAY)
        self.assert_waits(Waiting.UNLINKED)
        campaign = make_campaign()
        saved = assign({link.pk: campaign.pk})
        self.assertEqual((saved.links, saved.moved, saved.freed), (1, 0, 3))
        quick_booking()
        self.assertEqual(sum(amounts(campaign)), 90)

    def test_what_is_restated_while_it_waits_is_booked_once(self) -> None:
        make_account()
        link = make_link(None)
        report(40)
        quick_booking()
        report(30, as_of="2024-11-27 12:30")
        quick_booking()
        campaign = make_campaign()
        assign({link.pk: campaign.pk})
        quick_booking()
        self.assertEqual(amounts(), [30])

    def test_what_a_person_ignores_isn_t_booked_until_it_is_assigned(self) -> None:
        make_account()
        link = make_link(None)
        report(40)
        ignore([link.pk], "the agency's own account")
        self.assert_waits(Waiting.IGNORED)
        link.refresh_from_db()
        self.assertEqual((link.ignored, link.note), (True, "the agency's own account"))
        assign({link.pk: make_campaign().pk})
        self.assert_booked()

    def test_another_currency_is_never_converted(self) -> None:
        account = make_account(currency="EUR")
        campaign = linked_campaign()
        report(40)
        self.assert_waits(Waiting.CURRENCY)
        Brand.objects.update(currency="EUR")
        free_brands([campaign.brand_id])
        self.assert_booked()
        account.refresh_from_db()

    def test_an_unknown_currency_is_never_guessed(self) -> None:
        account = make_account(currency="")
        linked_campaign()
        report(40)
        self.assert_waits(Waiting.CURRENCY)
        account.currency = "USD"
        save_account(account)
        self.assert_booked()

    def test_an_unknown_time_zone_is_never_guessed(self) -> None:
        for name in ("", "Mars/Olympus"):
            with self.subTest(name):
                account = make_account(timezone=name, external_id=f"a{name.lower()}")
                make_link(make_campaign(), account=account)
                report(40, account=account.external_id)
                quick_booking()
                self.assertEqual(total_of_account(account).waiting, Waiting.ZONE)
                account.timezone = "Europe/Berlin"
                save_account(account)
                quick_booking()
                self.assertEqual(total_of_account(account).booked, 40)

    def test_what_sql_changes_takes_effect_at_the_next_full_check(self) -> None:
        make_account(timezone="", currency="")
        link = make_link(None)
        report(40)
        self.assert_waits(Waiting.UNLINKED)
        for change, reason in (
            (f"UPDATE campaigns_campaignlink SET campaign_id = {make_campaign().pk}", Waiting.CURRENCY),
            ("UPDATE campaigns_platformaccount SET currency = 'USD'", Waiting.ZONE),
            ("UPDATE campaigns_platformaccount SET timezone = 'UTC'", Waiting.NO),
        ):
            with connection.cursor() as cursor:
                cursor.execute(change)
            full_booking()
            self.assertEqual(total_of().waiting, reason)
        self.assertEqual(amounts(), [40])
        link.refresh_from_db()

    def test_one_account_waits_in_nobody_s_way(self) -> None:
        make_account()
        linked_campaign()
        report(40, account="other")
        report(50)
        quick_booking()
        self.assertEqual(amounts(), [50])


def total_of_account(account: PlatformAccount) -> SpendTotal:
    return SpendTotal.objects.get(account=account.external_id)


class MoveTests(LinkedDaysCase):
    """A link that moves: from the day on everything goes to the new campaign; earlier days stay."""

    def test_it_moves_from_a_day_on(self) -> None:
        saved = assign({self.link.pk: self.new.pk}, first_day=date(2024, 11, 26))
        self.assertEqual(saved.moved, 2)
        self.assertEqual(sum(amounts(self.old)), 10)
        self.assertEqual(unbalanced(), [])
        quick_booking()
        self.assertEqual((sum(amounts(self.old)), sum(amounts(self.new))), (10, 50))
        self.assertEqual(amounts(self.new), [20, 30])
        self.assertEqual(unbalanced(), [])

    def test_one_record_takes_back_what_is_booked(self) -> None:
        report(35, as_of="2024-11-27 13:00")
        quick_booking()
        assign({self.link.pk: self.new.pk}, first_day=date(2024, 11, 27))
        self.assertEqual(amounts(self.old), [10, 20, 30, 5, -35])

    def test_earlier_days_are_restated_where_they_are(self) -> None:
        assign({self.link.pk: self.new.pk}, first_day=date(2024, 11, 27))
        report(25, day=YESTERDAY, as_of="2024-11-27 13:00")
        report(45, as_of="2024-11-27 13:00")
        quick_booking()
        self.assertEqual((sum(amounts(self.old)), sum(amounts(self.new))), (35, 45))

    def test_a_day_before_the_move_that_is_first_reported_later_is_the_old_campaign_s(self) -> None:
        assign({self.link.pk: self.new.pk}, first_day=date(2024, 11, 26))
        for day in ("2024-11-25", "2024-11-28"):
            report(7, day=day)
        quick_booking()
        self.assertEqual((sum(amounts(self.old)), sum(amounts(self.new))), (10 + 7, 50 + 7))

    def test_each_of_several_moves_has_its_days(self) -> None:
        third = make_campaign()
        assign({self.link.pk: self.new.pk}, first_day=date(2024, 11, 10))
        assign({self.link.pk: third.pk}, first_day=date(2024, 11, 24))
        for day, total in (("2024-11-09", 1), ("2024-11-10", 2), ("2024-11-23", 4), ("2024-11-24", 8)):
            report(total, day=day)
        quick_booking()
        self.assertEqual([sum(amounts(each)) for each in (self.old, self.new, third)], [1, 10 + 2 + 4, 50 + 8])
        # The second move is taken back, and the first with it: from a day before both.
        assign({self.link.pk: third.pk}, first_day=date(2024, 11, 5))
        assign({self.link.pk: self.new.pk}, first_day=date(2024, 11, 5))
        for day, total in (("2024-11-04", 16), ("2024-11-11", 32)):
            report(total, day=day)
        quick_booking()
        self.assertEqual((sum(amounts(self.old)), sum(amounts(third))), (16, 0))

    def test_a_move_of_all_days_leaves_no_day_to_the_old_campaign(self) -> None:
        assign({self.link.pk: self.new.pk}, first_day=date(2024, 11, 26))
        assign({self.link.pk: self.old.pk})
        assign({self.link.pk: self.new.pk})
        report(7, day="2024-11-25")
        quick_booking()
        self.assertEqual((sum(amounts(self.old)), sum(amounts(self.new))), (0, 67))

    def test_a_link_that_is_ignored_from_a_day_on_keeps_its_earlier_days(self) -> None:
        ignore([self.link.pk], "a test", first_day=date(2024, 11, 26))
        for day in ("2024-11-25", "2024-11-28"):
            report(7, day=day)
        full_booking()
        self.assertEqual((sum(amounts(self.old)), total_of(day="2024-11-28").waiting), (17, Waiting.IGNORED))

    def test_what_led_nowhere_is_the_new_campaign_s_whatever_its_day(self) -> None:
        unassign([self.link.pk], first_day=date(2024, 11, 26))
        assign({self.link.pk: self.new.pk}, first_day=date(2024, 11, 28))
        for day in ("2024-11-25", "2024-11-26"):
            report(70, day=day, as_of="2024-11-27 13:00")
        quick_booking()
        self.assertEqual((sum(amounts(self.old)), sum(amounts(self.new))), (80, 70 + 30))

    def test_a_day_of_an_earlier_campaign_that_was_deleted_is_unassigned(self) -> None:
        gone = make_campaign()
        assign({self.link.pk: gone.pk}, first_day=date(2024, 11, 28))
        assign({self.link.pk: self.new.pk}, first_day=date(2024, 11, 30))
        gone.delete()
        report(7, day="2024-11-29")
        full_booking()
        self.assertEqual((total_of(day="2024-11-29").waiting, sum(amounts())), (Waiting.UNLINKED, 60))

    def test_it_moves_all_days_and_back(self) -> None:
        assign({self.link.pk: self.new.pk})
        quick_booking()
        self.assertEqual((sum(amounts(self.old)), sum(amounts(self.new))), (0, 60))
        assign({self.link.pk: self.old.pk})
        quick_booking()
        self.assertEqual((sum(amounts(self.old)), sum(amounts(self.new))), (60, 0))
        self.assertEqual(unbalanced(), [])

    def test_it_is_taken_away(self) -> None:
        unassign([self.link.pk], first_day=date(2024, 11, 27))
        quick_booking()
        self.assertEqual(sum(amounts()), 30)
        total = total_of()
        self.assertEqual((total.waiting, total.booked, total.booked_campaign_id), (Waiting.UNLINKED, 0, None))
        self.assertEqual(unbalanced(), [])

    def test_it_is_ignored(self) -> None:
        ignore([self.link.pk], "a test")
        quick_booking()
        self.assertEqual((sum(amounts()), total_of().waiting), (0, Waiting.IGNORED))

    def test_a_link_saved_twice_changes_nothing(self) -> None:
        for _ in range(2):
            assign({self.link.pk: self.new.pk})
            quick_booking()
        self.assertEqual(len(amounts()), 9)
        self.assertEqual(assign({self.link.pk: self.new.pk}).moved, 0)

    def test_a_move_in_an_unknown_zone_is_booked_at_noon_in_utc(self) -> None:
        PlatformAccount.objects.update(timezone="")
        assign({self.link.pk: self.new.pk})
        self.assertEqual(sum(amounts(self.old)), 0)

    def test_a_new_note_moves_nothing(self) -> None:
        ignore([self.link.pk], "a test", first_day=date(2024, 11, 27))
        self.assertEqual(ignore([self.link.pk], "a better note").moved, 0)
        report(7, day="2024-11-25")
        quick_booking()
        self.assertEqual(sum(amounts(self.old)), 37)
        self.assertEqual(CampaignLink.objects.get().note, "a better note")

    def test_several_links_at_once(self) -> None:
        other = make_link(None, "2")
        report(7, "2")
        quick_booking()
        saved = assign({self.link.pk: self.new.pk, other.pk: self.new.pk})
        self.assertEqual((saved.links, saved.moved, saved.freed), (2, 3, 1))
        quick_booking()
        self.assertEqual(sum(amounts(self.new)), 67)


class ReportTests(TestCase):
    """What files and the HTTP API call."""

    def total(self, amount: str, campaign: str = "123-45", as_of: str = NOON) -> ReportedTotal:
        return ReportedTotal(SOURCE, "123-456-7890", campaign, date(2024, 11, 27), Decimal(amount), utc(as_of))

    def test_it_adds_what_is_missing_and_says_what_it_wrote(self) -> None:
        done = report_totals([self.total("40"), self.total("7", "B")], campaigns=[self.named("b", "Brand")])
        self.assertEqual((done.written, done.left), (2, 0))
        account = PlatformAccount.objects.get()
        self.assertEqual((account.external_id, account.currency, account.interval_hours), (ACCOUNT, "", 3))
        links = CampaignLink.objects.order_by("external_id").values_list("external_id", "name", "campaign_id")
        self.assertEqual(list(links), [("12345", "", None), ("b", "Brand", None)])
        self.assertEqual(total_of("12345").total, 40)

    def named(self, campaign: str, name: str) -> ReportedCampaign:
        return ReportedCampaign(SOURCE, ACCOUNT, campaign, name)

    def test_again_it_changes_nothing(self) -> None:
        for written in (1, 0):
            done = report_totals([self.total("40")])
            self.assertEqual((done.written, done.left), (written, 1 - written))
        self.assertEqual(report_totals([self.total("39", as_of="2024-11-27 11:00")]).written, 0)
        self.assertEqual(report_totals([self.total("41", as_of="2024-11-27 13:00")]).written, 1)

    def test_a_renamed_campaign_stays_linked(self) -> None:
        campaign = make_campaign()
        report_totals([self.total("40")], campaigns=[self.named("12345", "Old")])
        assign({CampaignLink.objects.get().pk: campaign.pk})
        report_totals([self.total("41")], campaigns=[self.named("12345", "New")])
        report_totals([self.total("42")])
        link = CampaignLink.objects.get()
        self.assertEqual((link.name, link.campaign_id), ("New", campaign.pk))

    def test_what_is_known_of_an_account_stays_where_a_report_says_nothing(self) -> None:
        known = ReportedAccount(SOURCE, ACCOUNT, "Shop", "EUR", "Europe/Berlin", utc(NOON), make_brand().pk)
        report_totals([], accounts=[known])
        report_totals([self.total("40")])
        report_totals([], accounts=[ReportedAccount(SOURCE, ACCOUNT, reported_until=utc("2024-11-27 11:00"))])
        account = PlatformAccount.objects.get()
        self.assertEqual((account.name, account.currency, account.timezone), ("Shop", "EUR", "Europe/Berlin"))
        self.assertEqual((account.reported_until, account.brand_id), (utc(NOON), known.brand_id))

    def test_a_zone_that_a_report_brings_sets_totals_free(self) -> None:
        linked_campaign("12345", brand=make_brand())
        PlatformAccount.objects.update(timezone="")
        report_totals([self.total("40")])
        quick_booking()
        self.assertEqual(total_of("12345").waiting, Waiting.ZONE)
        report_totals([], accounts=[ReportedAccount(SOURCE, ACCOUNT, timezone="UTC")])
        quick_booking()
        self.assertEqual(amounts(), [40])

    def test_a_campaign_and_day_is_there_once(self) -> None:
        with self.assertRaisesMessage(ReportedTwiceError, "there twice for 2024-11-27"):
            report_totals([self.total("40"), self.total("5", "12345")])
        self.assertFalse(PlatformAccount.objects.exists())
