"""A closed statement keeps up to when its brand's platform accounts had reported, and says what changed it later."""

from __future__ import annotations

import csv
from datetime import date, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import TestCase
from django.urls import reverse

from campaigns.models import BrandPeriod, PlatformAccount, SpendRecord
from campaigns.services.groups import BRAND_MANAGERS
from campaigns.services.insight.late_changes import late_changes
from campaigns.services.ledger.close_periods import close_periods
from campaigns.services.ledger.fold import fold
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.totals.reports import full_booking, make_account, make_link, quick_booking, report


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


class LateChangeTests(TestCase):
    """The page of a closed statement says which source changed it when."""

    def setUp(self) -> None:
        self.brand = make_brand(created_at=utc("2024-11-20"), currency="USD")
        self.campaign = make_campaign(self.brand)
        make_link(self.campaign, account=make_account(name="Acme Search", reported_until=utc("2024-11-27 23:00")))
        report(5)
        quick_booking()
        close_periods(now=utc("2024-11-28 00:10"))
        # Rows are recorded by the database's clock, long after the instants of this story.
        self.day = BrandPeriod.objects.get(kind="day", starts_on="2024-11-27")

    def page(self) -> Any:
        person, _ = User.objects.get_or_create(username="amara", is_staff=True, is_superuser=True)
        self.client.force_login(person)
        return self.client.get(reverse("admin:campaigns_brandperiod_change", args=[self.day.pk]))

    def close_after_the_first_record(self) -> None:
        BrandPeriod.objects.filter(pk=self.day.pk).update(closed_at=SpendRecord.objects.latest("pk").recorded_at)
        self.day.refresh_from_db()

    def test_a_restatement_and_a_late_record(self) -> None:
        self.close_after_the_first_record()
        report(7, as_of="2024-11-28 12:00")
        quick_booking(at="2024-11-28 12:00")
        spend(self.campaign, Decimal("-0.5"), utc("2024-11-27 10:00"))
        fold()
        self.day.refresh_from_db()
        late = late_changes(self.day)
        self.assertEqual([(each.platform, each.account, each.amount) for each in late.restatements], [self.restated(2)])
        self.assertEqual((late.others, self.day.adjustment), (Decimal("-0.5"), Decimal("1.5")))
        page = self.page()
        self.assertContains(page, "Known at closing: 5.00 USD. Known now: 6.50 USD.")
        self.assertContains(page, "Google Ads: Acme Search")
        self.assertContains(page, "+2.00")
        self.assertContains(page, "-0.50")

    def test_what_a_platform_restates_within_35_days_is_reported_later(self) -> None:
        report(7, as_of="2024-11-28 12:00")
        quick_booking(at="2024-11-28 12:00")
        fold()
        first, second = SpendRecord.objects.order_by("pk")
        SpendRecord.objects.filter(pk=first.pk).update(recorded_at=utc("2024-11-27 12:00"))
        for recorded, label, tone in (
            ("2025-01-01 23:59:59", "reported later", "plain"),
            ("2025-01-02 00:00", "late adjustment", "warning"),
        ):
            with self.subTest(recorded):
                SpendRecord.objects.filter(pk=second.pk).update(recorded_at=utc(recorded))
                self.assertContains(self.page(), f'<span class="campaigns-chip campaigns-chip-{tone}">{label}</span>')
                address = reverse("admin:campaigns_brandperiod_changes", args=[self.day.pk, "csv"])
                rows = csv.DictReader(StringIO(self.client.get(address).content.decode("utf-8-sig")))
                self.assertEqual([row["what"] for row in rows], ["known at closing", label, "known now"])

    def test_the_file_of_its_changes_adds_up(self) -> None:
        self.close_after_the_first_record()
        for total, hour in ((7, 12), ("6.25", 13)):
            report(total, as_of=f"2024-11-28 {hour}:00")
            full_booking(at=f"2024-11-28 {hour}:00")
        spend(self.campaign, Decimal("-0.5"), utc("2024-11-27 10:00"))
        fold()
        self.day.refresh_from_db()
        page = self.page()
        for kind in ("csv", "xlsx"):
            address = reverse("admin:campaigns_brandperiod_changes", args=[self.day.pk, kind])
            self.assertContains(page, address)
            self.assertIn("attachment", self.client.get(address)["Content-Disposition"])
        address = reverse("admin:campaigns_brandperiod_changes", args=[self.day.pk, "csv"])
        rows = list(csv.DictReader(StringIO(self.client.get(address).content.decode("utf-8-sig"))))
        figures = [(row["what"], row["platform"], row["account"], Decimal(row["amount"])) for row in rows]
        of_platform = ("late adjustment", "Google Ads", "Acme Search")
        self.assertEqual(
            figures,
            [
                ("known at closing", "", "", Decimal(5)),
                (*of_platform, Decimal("-0.75")),
                (*of_platform, Decimal(2)),
                ("Spend records, imports and corrections", "", "", Decimal("-0.5")),
                ("known now", "", "", Decimal("5.75")),
            ],
        )
        self.assertEqual({row["first day"] for row in rows}, {"2024-11-27"})

    def test_the_file_is_of_statements_that_are_seen_and_closed(self) -> None:
        BrandPeriod.objects.create(brand=self.brand, kind="day", starts_on=date(2024, 12, 1))
        user = User.objects.create(username="dana", is_staff=True)
        user.groups.add(Group.objects.get(name=BRAND_MANAGERS))
        for person, day, kind in (
            (user, self.day, "csv"),
            (User.objects.create_superuser("amara"), self.day, "pdf"),
            (User.objects.get(username="amara"), BrandPeriod.objects.get(starts_on="2024-12-01"), "csv"),
        ):
            with self.subTest(person=person, kind=kind):
                self.client.force_login(person)
                answer = self.client.get(reverse("admin:campaigns_brandperiod_changes", args=[day.pk, kind]))
                self.assertNotIn("Content-Disposition", answer)

    def restated(self, amount: int) -> tuple[str, str, Decimal]:
        return "Google Ads", "Acme Search", Decimal(amount)

    def test_other_days_and_brands_do_not_count(self) -> None:
        self.close_after_the_first_record()
        report(9, day="2024-11-26", as_of="2024-11-28 12:00")
        quick_booking(at="2024-11-28 12:00")
        self.assertEqual(late_changes(self.day).restatements, [])
        month = BrandPeriod(brand=self.brand, kind="month", starts_on=date(2024, 11, 1))
        month.closed_at = self.day.closed_at
        self.assertEqual([each.amount for each in late_changes(month).restatements], [9])

    def test_nothing_has_changed(self) -> None:
        self.close_after_the_first_record()
        self.assertContains(self.page(), "Nothing has changed since closing.")

    def test_the_export_has_what_was_known_at_closing(self) -> None:
        self.client.force_login(User.objects.create_superuser("amara"))
        file = self.client.get(reverse("admin:campaigns_brandperiod_export", args=["csv"]))
        text = b"".join(file) if file.streaming else file.content
        self.assertIn(b"known at closing", text)
        self.assertIn(b"2024-11-27 23:00", text)
