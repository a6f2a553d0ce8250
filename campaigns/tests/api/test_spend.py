"""POST /api/v1/spend: what is stored, what is refused by row, and what a second sending does."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.test import TestCase

from campaigns.models import Campaign, CampaignLink, PlatformAccount, SpendRecord
from campaigns.models.platforms.api_keys import Scope
from campaigns.tests.api.requests import SPEND, make_key, post, spend_row
from campaigns.tests.support.factories import make_campaign, spend, utc

NDJSON = "application/x-ndjson"


class SpendTestCase(TestCase):
    campaign: Campaign
    key: str

    @classmethod
    def setUpTestData(cls) -> None:
        cls.campaign = make_campaign()
        cls.key = make_key(Scope.SPEND_WRITE)

    def send(self, rows: Any, **options: Any) -> Any:
        """Send rows; return the status and the answer."""
        response = post(SPEND, rows, self.key, **options)
        return response.status_code, response.json()

    def refusal(self, row: Any) -> tuple[str, str]:
        """Send one row that is refused; return its problem and detail."""
        status, answer = self.send([row])
        self.assertEqual((status, answer["stored"], answer["refused"]), (207, 0, 1), answer)
        self.assertEqual(SpendRecord.objects.count(), 0)
        (refused,) = answer["rows"]
        self.assertEqual(refused["row"], 1)
        return refused["problem"], refused["detail"]

    def stored(self) -> list[tuple[int, Decimal, str | None]]:
        return list(SpendRecord.objects.order_by("external_id").values_list("campaign", "amount", "external_id"))


class Stored(SpendTestCase):
    def test_amounts_are_exact_as_strings_and_as_numbers(self) -> None:
        pk = self.campaign.pk
        body = b"""[{"campaign": %d, "amount": "0.1", "external_id": "a"},
            {"campaign": %d, "amount": 0.1, "external_id": "b"},
            {"campaign": %d, "amount": 999999999.999999, "external_id": "c"},
            {"campaign": %d, "amount": "-12.50", "external_id": "d"},
            {"campaign": %d, "amount": 1e3, "external_id": "e"}]""" % ((pk,) * 5)
        status, answer = self.send(body)
        self.assertEqual((status, answer), (200, {"stored": 5, "duplicates": 0, "refused": 0, "rows": []}))
        amounts = [amount for _, amount, _ in self.stored()]
        self.assertEqual(amounts, [Decimal(text) for text in ("0.1", "0.1", "999999999.999999", "-12.5", "1000")])

    def test_a_timestamp_keeps_its_instant_and_is_now_if_left_out(self) -> None:
        before = datetime.now(UTC)
        self.send(
            [spend_row(self.campaign.pk, timestamp="2026-11-22T14:05:00.25+01:00"), spend_row(self.campaign.pk, 1, "b")]
        )
        first, second = SpendRecord.objects.order_by("external_id").values_list("timestamp", flat=True)
        self.assertEqual(first, utc("2026-11-22 13:05:00.25"))
        self.assertLess(abs((second - before).total_seconds()), 60)

    def test_an_offset_that_postgresql_does_not_read(self) -> None:
        row = spend_row(self.campaign.pk, timestamp="2026-11-22T10:00:00+16:00")
        response = post(SPEND, json.dumps(row).encode(), self.key, kind=NDJSON)
        self.assertEqual((response.status_code, response.json()["stored"]), (200, 1))
        self.send([row, spend_row(self.campaign.pk, 1, "b", timestamp="2026-11-22T10:00:00-23:59")])
        self.assertEqual(
            list(SpendRecord.objects.order_by("external_id").values_list("timestamp", flat=True)),
            [utc("2026-11-21 18:00"), utc("2026-11-23 09:59")],
        )

    def test_ids_of_any_text_arrive_as_they_are(self) -> None:
        ids = ['"', "\\", "{a,b}", "NULL", "a\tb\nc", "’ü😀", " ", "a" * 255, "'; --", "%s"]
        status, _ = self.send([spend_row(self.campaign.pk, 1, text) for text in ids])
        self.assertEqual(status, 200)
        self.assertEqual({text for _, _, text in self.stored()}, set(ids))

    def test_ndjson_and_gzip(self) -> None:
        lines = b"\n".join(json.dumps(spend_row(self.campaign.pk, 1, str(number))).encode() for number in range(3))
        self.assertEqual(self.send(lines + b"\r\n\n", kind=NDJSON)[1]["stored"], 3)
        again = self.send(gzip.compress(lines), kind=NDJSON, content_encoding="gzip")
        self.assertEqual(again, (200, {"stored": 0, "duplicates": 3, "refused": 0, "rows": []}))
        parts = gzip.compress(b"[") + gzip.compress(b"]")
        self.assertEqual(self.send(parts, content_encoding="gzip")[0], 200)

    def test_nothing_is_nothing(self) -> None:
        self.assertEqual(self.send([]), (200, {"stored": 0, "duplicates": 0, "refused": 0, "rows": []}))


class SentAgain(SpendTestCase):
    def test_the_same_batch_changes_nothing(self) -> None:
        rows = [
            spend_row(self.campaign.pk, "1.5", str(number), timestamp="2026-11-22T14:05:00Z") for number in range(5)
        ]
        self.assertEqual(self.send(rows)[1]["stored"], 5)
        before = self.stored()
        self.assertEqual(self.send(rows), (200, {"stored": 0, "duplicates": 5, "refused": 0, "rows": []}))
        self.assertEqual(self.stored(), before)

    def test_without_a_timestamp_it_says_nothing_about_it(self) -> None:
        spend(self.campaign, "1.5", "2026-11-01 10:00", "a")
        self.assertEqual(self.send([spend_row(self.campaign.pk)])[1]["duplicates"], 1)

    def test_something_else_is_a_conflict(self) -> None:
        spend(self.campaign, "1.5", "2026-11-01 10:00", "a")
        spend(self.campaign, "1.5", "2026-11-01 10:00", "b")
        status, answer = self.send(
            [
                spend_row(self.campaign.pk, "1.6", "a"),
                spend_row(self.campaign.pk, "1.5", "b", timestamp="2026-11-01T10:00:01Z"),
                spend_row(self.campaign.pk, "1.5", "c"),
            ]
        )
        self.assertEqual((status, answer["stored"], answer["duplicates"], answer["refused"]), (207, 1, 0, 2))
        first, second = answer["rows"]
        self.assertEqual((first["row"], first["external_id"], first["problem"]), (1, "a", "conflict"))
        self.assertIn("with 1.500000 at 2026-11-01T10:00:00+00:00", first["detail"])
        self.assertEqual((second["row"], second["problem"]), (2, "conflict"))

    def test_a_batch_may_contradict_itself(self) -> None:
        answer = self.send(
            [spend_row(self.campaign.pk, 1), spend_row(self.campaign.pk, 1), spend_row(self.campaign.pk, 2)]
        )[1]
        self.assertEqual((answer["stored"], answer["duplicates"], answer["refused"]), (1, 1, 1))
        self.assertEqual(answer["rows"][0]["row"], 3)
        self.assertEqual(self.stored(), [(self.campaign.pk, Decimal(1), "a")])


class Refused(SpendTestCase):
    def test_amounts(self) -> None:
        for amount in ("NaN", "Infinity", "-Infinity", "sNaN", "1_000", " 1", "1,5", "", "١", "0x1", "--1", "1e400"):
            with self.subTest(amount):
                self.assertIn(self.refusal(spend_row(self.campaign.pk, amount))[0], ("invalid-amount", "invalid-row"))
        cases: tuple[tuple[str | int, str], ...] = (
            ("0", "must not be 0"),
            (0, "must not be 0"),
            ("0.0000000", "must not be 0"),
            (10**9, "between -1,000,000,000"),
            (-(10**9), "between -1,000,000,000"),
            ("1e400", "between -1,000,000,000"),
            (2**63, "between -1,000,000,000"),
            ("0.1234567", "at most 6 decimals"),
            ("1e-400", "at most 6 decimals"),
            ("NaN", "must be a number"),
            ("Infinity", "must be a number"),
            ("1_000", "must be a plain number"),
        )
        for given, sentence in cases:
            with self.subTest(given):
                problem, detail = self.refusal(spend_row(self.campaign.pk, given))
                self.assertEqual(problem, "invalid-amount")
                self.assertIn(sentence, detail)

    def test_other_fields(self) -> None:
        pk = self.campaign.pk
        for row, sentence in (
            ({"campaign": pk, "amount": "1"}, "external_id"),
            (spend_row(pk, external_id=""), "external_id: "),
            (spend_row(pk, external_id="a" * 256), "external_id: "),
            (spend_row(pk, external_id="a\0b"), "external_id: "),
            (spend_row(pk, external_id=None), "external_id: "),
            (spend_row(pk, external_id=17), "external_id: "),
            (spend_row(pk, True), "amount: "),
            (spend_row(pk, timestamp="2026-11-22T14:05:00"), "timestamp: "),
            (spend_row(pk, timestamp="yesterday"), "timestamp: "),
            (spend_row(pk, timestamp=1764424800), "timestamp: "),
            (spend_row(True), "campaign: "),
            (spend_row(str(pk)), "campaign: "),
            (spend_row(2**63), "campaign: "),
            (spend_row(0), "campaign: "),
            (spend_row({"source": "google_ads"}), "campaign: "),
            (spend_row(pk, brand=1), "unknown field"),
            (17, "Expected object"),
            (None, "Expected object"),
            ([], "Expected object"),
        ):
            with self.subTest(row):
                problem, detail = self.refusal(row)
                self.assertEqual(problem, "invalid-row")
                self.assertIn(sentence, detail)

    def test_a_timestamp_out_of_range(self) -> None:
        edges = ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59")
        for text in ("2011-12-31T23:59:59Z", "2100-01-01T00:00:00Z", *edges):
            self.assertEqual(self.refusal(spend_row(self.campaign.pk, timestamp=text))[0], "invalid-timestamp")

    def test_an_unknown_campaign(self) -> None:
        for unknown in (10**9, 2**63 - 1):
            self.assertEqual(self.refusal(spend_row(unknown))[0], "unknown-campaign")

    def test_a_brand_that_is_not_given_looks_like_an_unknown_one(self) -> None:
        given = make_campaign()
        self.key = make_key(Scope.SPEND_WRITE, brands=[given.brand])
        other = self.refusal(spend_row(self.campaign.pk))
        unknown = self.refusal(spend_row(10**9))
        self.assertEqual(other[1].replace(str(self.campaign.pk), "?"), unknown[1].replace(str(10**9), "?"))
        self.assertEqual(self.send([spend_row(given.pk)])[0], 200)
        self.assertEqual(self.stored(), [(given.pk, Decimal("1.5"), "a")])

    def test_the_other_rows_are_stored(self) -> None:
        lines = [b"{", json.dumps(spend_row(self.campaign.pk)).encode(), b'"\xff"', b'{"a": "\\ud800"}', b"[" * 5000]
        status, answer = self.send(b"\n".join(lines), kind=NDJSON)
        self.assertEqual((status, answer["stored"], answer["refused"]), (207, 1, 4))
        self.assertEqual([row["row"] for row in answer["rows"]], [1, 3, 4, 5])
        self.assertEqual(self.stored(), [(self.campaign.pk, Decimal("1.5"), "a")])

    def test_a_refused_row_names_its_id(self) -> None:
        _, answer = self.send([spend_row(self.campaign.pk, "x", "click-4711")])
        self.assertEqual(answer["rows"][0]["external_id"], "click-4711")


class ByLink(SpendTestCase):
    def setUp(self) -> None:
        self.account = PlatformAccount.objects.create(source="google_ads", external_id="1234567890", currency="USD")
        self.link = CampaignLink.objects.create(account=self.account, external_id="77", campaign=self.campaign)

    def row(self, **fields: str) -> dict[str, Any]:
        return spend_row({"source": "google_ads", "account": "123-456-7890", "campaign": "77"} | fields)

    def test_a_linked_campaign_is_found_however_its_ids_are_written(self) -> None:
        self.assertEqual(self.send([self.row(campaign=" 77 ")])[0], 200)
        self.assertEqual(self.stored(), [(self.campaign.pk, Decimal("1.5"), "a")])
        self.assertEqual(self.send([self.row(), spend_row(self.campaign.pk)])[1]["duplicates"], 2)

    def test_others_are_refused_by_name(self) -> None:
        for row in (self.row(campaign="78"), self.row(account="1"), self.row(source="meta_ads"), self.row(source="\0")):
            problem, detail = self.refusal(row)
            self.assertEqual(problem, "unlinked-campaign")
            self.assertIn(" ".join(row["campaign"].values()), detail)
        CampaignLink.objects.update(campaign=None)
        self.assertEqual(self.refusal(self.row())[0], "unlinked-campaign")

    def test_a_link_to_a_brand_that_is_not_given_looks_like_none(self) -> None:
        self.key = make_key(Scope.SPEND_WRITE, brands=[make_campaign().brand])
        self.assertEqual(self.refusal(self.row())[0], "unlinked-campaign")

    def test_another_currency_is_not_converted(self) -> None:
        PlatformAccount.objects.update(currency="CHF")
        problem, detail = self.refusal(self.row())
        self.assertEqual(problem, "other-currency")
        self.assertIn("CHF", detail)
        PlatformAccount.objects.update(currency="")
        self.assertEqual(self.send([self.row()])[0], 200)
