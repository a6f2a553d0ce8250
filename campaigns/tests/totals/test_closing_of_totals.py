"""A closed statement keeps up to when the platform accounts of its brand had reported."""

from __future__ import annotations

from datetime import datetime

from django.test import TestCase

from campaigns.models import BrandPeriod, PlatformAccount
from campaigns.services.ledger.close_periods import close_periods
from campaigns.tests.support.factories import make_brand, make_campaign, utc
from campaigns.tests.totals.reports import make_account, make_link, quick_booking, report


class ClosingTests(TestCase):
    def setUp(self) -> None:
        self.brand = make_brand(created_at=utc("2024-11-20"))
        self.campaign = make_campaign(self.brand)

    def closed(self) -> list[tuple[str, datetime | None]]:
        close_periods(now=utc("2024-11-28 00:10"))
        days = BrandPeriod.objects.filter(kind="day", closed_at__isnull=False).order_by("starts_on")
        return [(str(day), day.reported_until) for day in days]

    def test_it_keeps_the_earliest_of_the_brand_s_accounts(self) -> None:
        for number, until in (("1", "2024-11-27 23:00"), ("2", "2024-11-27 22:00"), ("3", "2024-11-27 21:00")):
            account = make_account(external_id=number, reported_until=utc(until))
            if number != "3":
                make_link(self.campaign, account=account)
        report(5, account="1")
        quick_booking()
        self.assertEqual(self.closed(), [("2024-11-27", utc("2024-11-27 22:00"))])

    def test_what_comes_later_changes_the_spend_and_not_what_was_kept(self) -> None:
        make_link(self.campaign, account=make_account(reported_until=utc("2024-11-27 23:00")))
        report(5)
        quick_booking()
        self.closed()
        PlatformAccount.objects.update(reported_until=utc("2024-11-28 23:00"))
        report(7, as_of="2024-11-28 12:00")
        quick_booking(at="2024-11-28 12:00")
        self.assertEqual(self.closed(), [("2024-11-27", utc("2024-11-27 23:00"))])
        self.assertEqual(BrandPeriod.objects.get(kind="day").spend_at_close, 5)

    def test_without_accounts_there_is_nothing_to_keep(self) -> None:
        self.brand.daily_budget = 5
        self.brand.save()
        self.assertEqual({until for _, until in self.closed()}, {None})
