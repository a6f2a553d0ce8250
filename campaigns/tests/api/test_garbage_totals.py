"""Bodies of reported totals that aren't batches, and rows that are no totals: refused, and nothing is stored."""

from __future__ import annotations

import gzip
import json
from typing import Any

from django.test import TestCase

from campaigns.models import CampaignLink, PlatformAccount, SpendTotal
from campaigns.tests.api.requests import TOTALS, make_key, post
from campaigns.tests.api.test_garbage import GZIP, MEGABYTE, NDJSON
from campaigns.tests.api.test_totals import account_row, total_row

TINY = b'{"source":"other","account":"a","campaign":"b","day":"2026-11-27","total":1}'


class GarbageOfTotals(TestCase):
    def setUp(self) -> None:
        self.key = make_key()

    def tearDown(self) -> None:
        self.assertEqual(
            [model._base_manager.count() for model in (SpendTotal, CampaignLink, PlatformAccount)], [0] * 3
        )

    def assert_problem(self, status: int, name: str, body: bytes, **options: Any) -> None:
        response = post(TOTALS, body, self.key, **options)
        self.assertEqual(response.status_code, status, response.content[:300])
        self.assertEqual(response.json()["type"], f"/api/v1/docs#{name}")

    def test_what_is_no_array(self) -> None:
        row = json.dumps(total_row()).encode()
        whole = gzip.compress(b"[" + row + b"]")
        for body, options in (
            *(
                (body, {})
                for body in (b" ", b"{}", row, b"[" + row, b"[" + row + b",]", b"[NaN]", b'["\\ud800"]', b"\0")
            ),
            (b"[" * 10**6, {}),
            (b'[{"a":' * 10**5, {}),
            (b"[" + row.replace(b'"180.50"', b"NaN") + b"]", {}),
            (whole[:-1], GZIP),
            (b"[" + row + b"]", GZIP),
        ):
            with self.subTest(body[:40]):
                self.assert_problem(400, "invalid-json", body, **options)

    def test_too_much(self) -> None:
        million = gzip.compress(b"[" + b",".join([TINY] * 650_000) + b"]", 1)
        for body, options in (
            (b"[" + b",".join([TINY] * 10_001) + b"]", {}),
            (b"\n".join([TINY] * 10_001), {"kind": NDJSON}),
            (million, GZIP),
            (gzip.compress(b" " * 51 * MEGABYTE, 1), GZIP),
            (b" " * (5 * MEGABYTE + 1), {}),
        ):
            with self.subTest(len(body)):
                self.assert_problem(413, "too-large", body, **options)

    def test_rows_beyond_all_types(self) -> None:
        """As lines, each of which is refused alone: numbers beyond a float, lone surrogates, deep values."""
        row, account = json.dumps(total_row(1)).encode(), json.dumps(account_row()).encode()
        numbers = (b"9223372036854775808", b"1e308", b"1e99999999999", b"-1e-99999999999", b"1" * 100_000, b"true")
        lines = [
            *(row.replace(b'"total": 1', b'"total": ' + number) for number in numbers),
            *(row.replace(b'"77"', text) for text in (b'"\\ud800"', b'"\xff"', b"[" * 5_000, b"null")),
            row.replace(b"2026-11-27", b"9" * 1_000),
            account.replace(b'"123-456-7890"', b'"\\udc00\\ud800"'),
            account.replace(b"2026", b"99999"),
        ]
        response = post(TOTALS, b"\n".join(lines), self.key, kind=NDJSON)
        answer = response.json()
        self.assertEqual((response.status_code, answer["stored"], answer["refused"]), (207, 0, len(lines)), answer)
        self.assertEqual([each["row"] for each in answer["rows"]], list(range(1, len(lines) + 1)))
