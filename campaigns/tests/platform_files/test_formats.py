"""Remembered formats: their guards in the database, and their names."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.test import TestCase

from campaigns.models import FileFormat
from campaigns.services.platform_files.stored_answers import free_name
from campaigns.tests.support.factories import utc


class GuardTests(TestCase):
    def make(self, **fields: Any) -> FileFormat:
        given: dict[str, Any] = {"name": "Google Ads", "signature": "a" * 64, "source": "google_ads"}
        return FileFormat.objects.create(used_at=utc("2026-11-29 04:00"), **given | fields)

    def assert_refused(self, guard: str, /, **fields: Any) -> None:
        with self.assertRaisesRegex(IntegrityError, guard), transaction.atomic():
            self.make(**fields)

    def test_a_name_is_there_once(self) -> None:
        self.make()
        self.assert_refused("file_format_name_unique|fileformat.name", signature="b" * 64)
        self.make(name="Another", signature="b" * 64)

    def test_headings_have_one_format(self) -> None:
        self.make()
        self.assert_refused("file_format_signature_unique|fileformat.signature", name="Another")

    def test_an_unknown_platform(self) -> None:
        self.assert_refused("file_format_source_known", source="somewhere")

    def test_a_name_of_nothing(self) -> None:
        self.assert_refused("file_format_has_a_name", name="")

    def test_a_free_name_has_a_number(self) -> None:
        self.assertEqual(free_name("google_ads"), "Google Ads")
        self.make()
        self.assertEqual(free_name("google_ads"), "Google Ads 2")
        self.make(name="Google Ads 2", signature="b" * 64)
        self.assertEqual(free_name("google_ads"), "Google Ads 3")
