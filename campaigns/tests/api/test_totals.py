"""POST /api/v1/totals: totals are upserted and booked, accounts are known until, what isn't valid is refused by row."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.test import TestCase
from django.utils import timezone

from campaigns.models import Brand, CampaignLink, PlatformAccount, SpendRecord, SpendTotal
from campaigns.models.platforms.api_keys import Scope
from campaigns.services.totals.book import book_totals
from campaigns.tests.api.requests import TOTALS, make_key, post
from campaigns.tests.support.factories import make_campaign, utc
from campaigns.tests.totals.reports import store_ahead

NOON = utc("2026-11-27 12:00")


def total_row(total: Any = "180.50", **fields: Any) -> dict[str, Any]:
    row = {"source": "google_ads", "account": "123-456-7890", "campaign": "77", "day": "2026-11-27", "total": total}
    return row | {"as_of": NOON.isoformat()} | fields


def account_row(until: str = "2026-11-27T12:00:00Z", **fields: Any) -> dict[str, Any]:
    return {"source": "google_ads", "account": "123-456-7890", "reported_until": until} | fields


class TotalsTestCase(TestCase):
    def setUp(self) -> None:
        self.key = make_key(Scope.TOTALS_WRITE)

    def send(self, *rows: Any) -> tuple[int, Any]:
        response = post(TOTALS, list(rows), self.key)
        return response.status_code, response.json()

    def assert_stored(self, stored: int, duplicates: int, *rows: Any) -> None:
        expected = {"stored": stored, "duplicates": duplicates, "refused": 0, "rows": []}
        self.assertEqual(self.send(*rows), (200, expected))

    def refusal(self, row: Any) -> tuple[str, str]:
        status, answer = self.send(row)
        self.assertEqual((status, answer["stored"], answer["refused"]), (207, 0, 1), answer)
        self.assertEqual(SpendTotal.objects.count() + PlatformAccount.objects.count(), self.before)
        return answer["rows"][0]["problem"], answer["rows"][0]["detail"]

    before = 0


class Stored(TotalsTestCase):
    def test_a_total_is_stored_and_booked_for_its_linked_campaign(self) -> None:
        campaign = make_campaign()
        self.assert_stored(2, 0, total_row(), account_row(name="Shop", currency="usd", timezone="Europe/Berlin"))
        total = SpendTotal.objects.get()
        self.assertEqual((total.account, total.campaign, total.day), ("1234567890", "77", date(2026, 11, 27)))
        self.assertEqual((total.total, total.as_of), (Decimal("180.5"), NOON))
        account = PlatformAccount.objects.get()
        self.assertEqual((account.name, account.currency, account.timezone), ("Shop", "USD", "Europe/Berlin"))
        self.assertEqual(account.reported_until, NOON)
        CampaignLink.objects.update(campaign=campaign)
        SpendTotal.objects.update(waiting=0)
        book_totals(clock=timezone.now, seconds=10)
        self.assertEqual([record.amount for record in SpendRecord.objects.all()], [Decimal("180.5")])

    def test_sending_again_changes_nothing_and_an_older_report_neither(self) -> None:
        self.assert_stored(1, 0, total_row())
        self.assert_stored(0, 1, total_row())
        self.assert_stored(0, 1, total_row("1", as_of=(NOON - timedelta(hours=1)).isoformat()))
        self.assert_stored(1, 0, total_row("181", as_of=(NOON + timedelta(hours=1)).isoformat()))
        self.assertEqual(SpendTotal.objects.get().total, 181)

    def test_0_and_a_decrease_are_totals(self) -> None:
        self.assert_stored(2, 0, total_row(0), total_row("-0.5", day="2026-11-26"))

    def test_the_newest_of_several_reports_counts(self) -> None:
        later = (NOON + timedelta(minutes=1)).isoformat()
        self.assert_stored(1, 2, total_row(1), total_row(3, as_of=later), total_row(3, as_of=later, campaign="7 7"))
        self.assertEqual(SpendTotal.objects.get().total, 3)

    def test_without_as_of_it_is_of_now(self) -> None:
        row = total_row()
        del row["as_of"]
        self.assert_stored(1, 0, row)
        self.assertLess(abs(SpendTotal.objects.get().as_of - datetime.now(UTC)), timedelta(minutes=1))
        self.assert_stored(0, 1, row)

    def test_a_campaign_has_the_name_that_it_has_there(self) -> None:
        self.assert_stored(1, 0, total_row(name="Spring sale"))
        self.assertEqual(CampaignLink.objects.get().name, "Spring sale")

    def test_an_offset_that_postgresql_does_not_read(self) -> None:
        far = "2026-11-28T11:59:00+23:59"
        self.assert_stored(2, 0, total_row(as_of=far), account_row(far))
        self.assertEqual((SpendTotal.objects.get().as_of, PlatformAccount.objects.get().reported_until), (NOON, NOON))

    def test_reported_until_never_goes_back(self) -> None:
        self.assert_stored(1, 0, account_row())
        self.assert_stored(0, 1, account_row("2026-11-27T11:00:00Z"))
        self.assertEqual(PlatformAccount.objects.get().reported_until, NOON)

    def test_the_row_of_an_account_that_changes_nothing_is_a_duplicate(self) -> None:
        self.assert_stored(1, 1, account_row(), account_row(currency="USD"))
        self.assert_stored(1, 2, total_row(), account_row(), account_row())
        self.assert_stored(1, 0, account_row(name="Shop"))

    def test_a_reported_until_that_is_stored_ahead_is_corrected(self) -> None:
        self.assert_stored(1, 0, account_row())
        store_ahead(PlatformAccount.objects.get(), NOON + timedelta(days=9_999))
        self.assert_stored(1, 0, account_row("2026-11-27T11:00:00Z"))
        self.assertEqual(PlatformAccount.objects.get().reported_until, NOON - timedelta(hours=1))


class Refused(TotalsTestCase):
    def test_rows_that_are_not_valid(self) -> None:
        ahead = (timezone.now() + timedelta(hours=2)).isoformat()
        cases: tuple[tuple[Any, str], ...] = (
            (total_row("NaN"), "invalid-amount"),
            (total_row("Infinity"), "invalid-amount"),
            (total_row("1_0"), "invalid-amount"),
            (total_row("0.0000001"), "invalid-amount"),
            (total_row(500_000_000), "invalid-amount"),
            (total_row("-500000000"), "invalid-amount"),
            (total_row(2**63), "invalid-amount"),
            (total_row(day="2012-01-01"), "invalid-day"),
            (total_row(day="2099-12-31"), "invalid-day"),
            (total_row(day="2026-11-31"), "invalid-row"),
            (total_row(day="27.11.2026"), "invalid-row"),
            (total_row(as_of=ahead), "invalid-timestamp"),
            (total_row(as_of="2011-01-01T00:00:00Z"), "invalid-timestamp"),
            (total_row(as_of="2026-11-27T12:00:00"), "invalid-row"),
            (total_row(source="google"), "unknown-source"),
            (total_row(account=" - "), "invalid-id"),
            (total_row(campaign="a\0b"), "invalid-id"),
            (total_row(campaign="İ" * 255), "invalid-id"),
            (total_row(campaign=77), "invalid-row"),
            (total_row(campaign="7" * 256), "invalid-row"),
            (total_row(clicks=7), "invalid-row"),
            (total_row(name="\0"), "invalid-row"),
            (account_row(ahead), "invalid-timestamp"),
            (account_row(source=""), "unknown-source"),
            (account_row(account=" "), "invalid-id"),
            (account_row(currency="XXL"), "invalid-row"),
            (account_row(timezone="Mars"), "invalid-row"),
            (account_row(total=1), "invalid-row"),
            (17, "invalid-row"),
        )
        for row, problem in cases:
            with self.subTest(row):
                found, detail = self.refusal(row)
                self.assertEqual(found, problem, detail)
                self.assertGreater(len(detail), 20)

    def test_the_row_of_an_account_lacks_its_instant(self) -> None:
        row = {"source": "google_ads", "account": "77", "currency": "EUR"}
        self.assertEqual(self.refusal(row), ("invalid-row", "Object missing required field reported_until."))

    def test_the_row_of_a_total_lacks_its_day(self) -> None:
        row = {"source": "google_ads", "account": "77", "campaign": "1", "total": "5"}
        self.assertEqual(self.refusal(row), ("invalid-row", "Object missing required field day."))

    def test_rows_that_had_to_be_summed_up(self) -> None:
        status, answer = self.send(total_row(1), total_row(2), total_row(3, campaign="78"))
        self.assertEqual((status, answer["stored"], answer["refused"]), (207, 1, 2))
        self.assertEqual([row["problem"] for row in answer["rows"]], ["conflict"] * 2)
        self.assertEqual(SpendTotal.objects.get().campaign, "78")

    def test_the_scope(self) -> None:
        self.assertEqual(post(TOTALS, [], make_key(Scope.SPEND_WRITE)).status_code, 403)

    def test_a_broken_line(self) -> None:
        body = b"\n".join([json.dumps(total_row()).encode(), b"{", json.dumps(account_row()).encode()])
        response = post(TOTALS, body, self.key, kind="application/x-ndjson")
        answer = response.json()
        self.assertEqual((answer["stored"], [row["row"] for row in answer["rows"]]), (2, [2]))


class OfGivenBrands(TotalsTestCase):
    def setUp(self) -> None:
        self.campaign, other = make_campaign(), make_campaign()
        self.account = PlatformAccount.objects.create(source="google_ads", external_id="1234567890")
        CampaignLink.objects.create(account=self.account, external_id="77", campaign=self.campaign)
        CampaignLink.objects.create(account=self.account, external_id="78", campaign=other)
        self.key = make_key(Scope.TOTALS_WRITE, brands=[self.campaign.brand])
        self.before = 1

    def suggest(self, brand: Brand | None) -> None:
        PlatformAccount.objects.update(brand=brand)

    def test_linked_campaigns_are_stored_and_others_look_unknown(self) -> None:
        unknown = self.refusal(total_row(account="1"))
        for row in (total_row(campaign="78"), total_row(campaign="79"), account_row()):
            problem, detail = self.refusal(row)
            self.assertEqual((problem, detail.replace("1234567890", "1")), unknown)
            self.assertIn("set its Brand on the page of the account under Accounts", detail)
        self.assert_stored(1, 0, total_row())

    def test_an_account_of_the_brand_takes_new_campaigns_but_no_linked_one_of_others(self) -> None:
        self.suggest(self.campaign.brand)
        self.assertEqual(self.refusal(total_row(campaign="78"))[0], "unknown-account")
        self.assert_stored(3, 0, total_row(), total_row(campaign="79"), account_row())
