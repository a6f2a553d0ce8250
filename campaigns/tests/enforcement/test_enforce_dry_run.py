"""manage.py enforce --dry-run: it says what a check would do and writes nothing at all."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.database.connection import execute
from campaigns.models import Brand, PendingSpend
from campaigns.tests.enforcement.test_enforce_command import NOON, NOTHING, CommandTestCase
from campaigns.tests.support.checking import check_at
from campaigns.tests.support.factories import make_brand, make_campaign, spend


class ADryRunWritesNothing(CommandTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(name="Alpine", daily_budget=10)
        self.campaign = make_campaign(self.brand, name="Search")
        spend(self.campaign, 4, "2026-11-19 12:00")
        spend(self.campaign, 10, "2026-11-20 02:00")

    def everything(self) -> dict[str, list[Any]]:
        """Return every row of every table of ours."""
        models = apps.get_app_config("campaigns").get_models()
        return {model.__name__: list(model._base_manager.order_by("pk").values()) for model in models}

    def test_it_prints_what_would_change(self) -> None:
        self.assertEqual(
            self.enforce("--dry-run"),
            [
                "Alpine / Search: active → paused: brand's daily budget reached (10.00 of 10.00)",
                "1 campaign would change.",
            ],
        )

    def test_it_prints_so_where_nothing_would_change(self) -> None:
        self.assertEqual(self.enforce("--dry-run", "--at", "2026-11-21T00:00Z"), [NOTHING])

    def test_it_writes_nothing_at_all(self) -> None:
        before = self.everything()
        self.assertEqual((len(before["PendingSpend"]), len(before["StatusChange"])), (2, 0))
        self.enforce("--dry-run")
        self.enforce("--dry-run", "--at", "2026-12-01T00:00Z")
        self.assertEqual(self.everything(), before)

    def test_it_sends_no_statement_that_writes_or_locks(self) -> None:
        with CaptureQueriesContext(connection) as captured:
            self.enforce("--dry-run")
        statements = [query["sql"] for query in captured.captured_queries]
        self.assertGreater(len(statements), 0)
        for sql in statements:
            self.assertRegex(sql, r"^\s*(SELECT|WITH)\b")
            self.assertNotRegex(sql, r"\b(INSERT|UPDATE|DELETE|LOCK)\b")

    def test_it_warns_of_a_zone_that_nobody_knows(self) -> None:
        execute("UPDATE campaigns_brand SET timezone = 'Mars/Olympus'")
        self.assertEqual(self.enforce("--dry-run"), [NOTHING])
        self.assertIn("Unknown time zone 'Mars/Olympus'", self.warnings)

    def test_it_writes_nothing_where_a_zone_was_changed_by_sql(self) -> None:
        check_at(NOON)
        execute("UPDATE campaigns_brand SET timezone = 'America/New_York'")
        before = self.everything()
        self.assertEqual(
            self.enforce("--dry-run"),
            ["Alpine / Search: paused: brand's daily budget reached → active", "1 campaign would change."],
        )
        self.assertEqual(self.everything(), before)

    def test_it_says_what_the_check_then_does(self) -> None:
        execute("UPDATE campaigns_brand SET timezone = 'Asia/Kathmandu'")
        would = [line for line in self.enforce("--dry-run") if "→" in line]
        self.assertEqual([line for line in self.enforce() if "→" in line], would)
        self.assertEqual(Brand.objects.get().timezone, "Asia/Kathmandu")
        self.assertEqual(PendingSpend.objects.count(), 0)
