"""Bodies that aren't batches: refused in a sentence, with little memory, and nothing stored."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from typing import Any

from django.test import TestCase

from campaigns.models import SpendRecord
from campaigns.tests.api.requests import SPEND, make_key, post, spend_row
from campaigns.tests.support.factories import make_campaign

MEGABYTE = 1024**2
GZIP = {"content_encoding": "gzip"}
NDJSON = "application/x-ndjson"


class Garbage(TestCase):
    def setUp(self) -> None:
        self.key = make_key()

    def assert_problem(self, status: int, name: str, sentence: str, body: bytes, **options: Any) -> None:
        response = post(SPEND, body, self.key, **options)
        self.assertEqual(response.status_code, status, response.content[:300])
        self.assertEqual(response["Content-Type"], "application/problem+json")
        problem = response.json()
        self.assertEqual((problem["status"], problem["type"]), (status, f"/api/v1/docs#{name}"))
        self.assertIn(sentence, problem["detail"])
        self.assertEqual(SpendRecord.objects.count(), 0)

    def test_what_is_no_array(self) -> None:
        campaign = make_campaign()
        row = json.dumps(spend_row(campaign.pk)).encode()
        for body in (
            b" ",
            b"{}",
            b"null",
            row,
            b"[",
            b"[" + row,
            b"[" + row + b",]",
            b"[" + row + b"]]",
            b"[NaN]",
            b"[Infinity]",
            b'["\\ud800"]',
            b'["\\udc00\\ud800"]',
            b"\xef\xbb\xbf[]",
            "[]".encode("utf-16"),
            b"\0" * 1000,
            b"\x1f\x8b[]",
        ):
            with self.subTest(body[:40]):
                self.assert_problem(400, "invalid-json", "", body)

    def test_deep_json(self) -> None:
        for body in (b"[" * 10**6, b"[" * 10**5 + b"]" * 10**5, b'[{"a":' * 10**5):
            self.assert_problem(400, "invalid-json", "", body)
        nested = b"[" * 100 + b"]" * 100
        response = post(SPEND, b"[" + nested + b"]", self.key)
        self.assertEqual((response.status_code, response.json()["refused"]), (207, 1))

    def test_numbers_beyond_all_types(self) -> None:
        campaign = make_campaign()
        rows = b",".join(
            b'{"campaign":%d,"amount":%s,"external_id":"a"}' % (campaign.pk, amount)
            for amount in (b"9223372036854775808", b"1e308", b"1e99999999999", b"-1e-99999999999", b"1" * 100_000)
        )
        response = post(SPEND, b"[" + rows + b"]", self.key)
        self.assertEqual((response.status_code, response.json()["refused"]), (207, 5))
        rows = b'{"campaign":9223372036854775808,"amount":1,"external_id":"a"}'
        self.assertEqual(post(SPEND, b"[" + rows + b"]", self.key).json()["refused"], 1)

    def test_too_many_rows(self) -> None:
        row = json.dumps(spend_row(10**9)).encode()
        for count in (10_001, 60_000):
            rows = [row] * count
            self.assert_problem(413, "too-large", "at most 10,000 rows", b"[" + b",".join(rows) + b"]")
            self.assert_problem(413, "too-large", "at most 10,000 rows", b"\n".join(rows), kind=NDJSON)
        self.assertEqual(post(SPEND, b"[" + b",".join([row] * 10_000) + b"]", self.key).status_code, 207)

    def test_a_million_rows(self) -> None:
        rows = gzip.compress(b"[" + b",".join([b'{"campaign":1,"amount":1,"external_id":""}'] * 10**6) + b"]")
        self.assert_problem(413, "too-large", "at most 10,000 rows", rows, **GZIP)

    def test_too_many_bytes(self) -> None:
        self.assert_problem(413, "too-large", "at most 5 MB on the wire", b" " * (5 * MEGABYTE + 1))
        self.assertEqual(post(SPEND, b" " * (5 * MEGABYTE - 2) + b"[]", self.key).status_code, 200)

    def test_what_unpacks_to_too_much(self) -> None:
        bomb = gzip.compress(b" " * 200 * MEGABYTE, 9)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        self.assert_problem(413, "too-large", "at most 50 MB unpacked", bomb, **GZIP)
        self.assertLess(tracemalloc.get_traced_memory()[1], 150 * MEGABYTE)
        exactly = gzip.compress(b" " * (50 * MEGABYTE - 2) + b"[]")
        self.assertEqual(post(SPEND, exactly, self.key, **GZIP).status_code, 200)

    def test_fifty_megabytes_of_small_values_take_little_memory(self) -> None:
        half = 25 * MEGABYTE - 1
        bodies = (b"[" + b"0," * half + b"0]", b"[" + b"{}," * (half // 2) + b"{}]", b"\n" * 2 * half, b"[" * 2 * half)
        for body in bodies:
            packed = gzip.compress(body, 1)
            for kind in ("application/json", NDJSON):
                with self.subTest(body[:10], kind=kind):
                    tracemalloc.start()
                    response = post(SPEND, packed, self.key, kind=kind, **GZIP)
                    peak = tracemalloc.get_traced_memory()[1]
                    tracemalloc.stop()
                    self.assertIn(response.status_code, (200, 207, 400, 413))
                    self.assertLess(peak, 200 * MEGABYTE)

    def test_what_is_no_gzip(self) -> None:
        whole = gzip.compress(b"[]")
        for body in (b"[]", whole[:-1], whole[:5], whole + b"x", b"\x1f\x8b" * 100, whole + whole[:12]):
            with self.subTest(body[:20]):
                self.assert_problem(400, "invalid-json", "gzip", body, **GZIP)

    def test_other_forms(self) -> None:
        for options in (
            {"kind": "text/plain"},
            {"kind": "application/x-www-form-urlencoded"},
            {"kind": "multipart/form-data; boundary=a"},
            {"kind": "application/jsonp"},
            {"kind": ""},
            {"content_encoding": "br"},
            {"content_encoding": "gzip, gzip"},
        ):
            with self.subTest(options):
                self.assert_problem(415, "unsupported-media-type", "Send ", b"[]", **options)

    def test_other_methods_and_paths(self) -> None:
        for method in ("get", "put", "delete", "patch", "head", "options"):
            response = getattr(self.client, method)(SPEND)
            self.assertEqual((response.status_code, response["Allow"]), (405, "POST"))
        for path in ("/api/v1/", "/api/v1/spend/", "/api/v1/x/y", "/api/v1/Spend"):
            response = self.client.post(path, b"[]", content_type="application/json")
            self.assertEqual((response.status_code, response["Content-Type"]), (404, "application/problem+json"))

    def test_the_body_is_not_read_without_a_valid_key(self) -> None:
        for key, status in ((None, 401), (self.key[:-1], 401)):
            response = post(SPEND, b"[" * 10**6, key)
            self.assertEqual(response.status_code, status)
