"""The database as the connector sees it: its own client library, nothing of Django's in between."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from django.db import connection

from campaigns.models import Campaign
from campaigns.tests.support.committed import CommittedTestCase

POSTGRESQL = connection.vendor == "postgresql"
SQLITE = connection.vendor == "sqlite"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Client = sqlite3.Connection | psycopg.Connection[tuple[Any, ...]]
Row = tuple[Any, ...]


def by_vendor(*, postgresql: str, sqlite: str) -> str:
    return postgresql if POSTGRESQL else sqlite


def quarter_at(text: str) -> int:
    """Return the quarter-hour of a UTC time, reckoned apart from campaigns.rules.periods."""
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH) // timedelta(minutes=15)


def utc_text(text: str) -> str:
    """Return a UTC time as a client writes it: PostgreSQL gets the offset, SQLite keeps bare UTC."""
    return f"{text}+00" if POSTGRESQL else text


def open_client() -> Client:
    """Open a second connection, in autocommit; on SQLite without any pragma, so that foreign keys are off."""
    settings = connection.settings_dict
    if SQLITE:
        name = str(settings["NAME"])
        return sqlite3.connect(name, timeout=20, isolation_level=None, uri=name.startswith("file:"))
    return psycopg.connect(
        dbname=settings["NAME"],
        user=settings["USER"] or None,
        password=settings["PASSWORD"] or None,
        host=settings["HOST"] or None,
        port=settings["PORT"] or None,
        autocommit=True,
    )


class OutsideTestCase(CommittedTestCase):
    """Tests that go around Django."""

    def setUp(self) -> None:
        super().setUp()
        self.outside = open_client()
        self.addCleanup(self.outside.close)

    def run_sql(self, sql: str, *params: Any) -> list[Row]:
        """Run a statement, its parameters written %s, and return its rows."""
        if isinstance(self.outside, sqlite3.Connection):
            return self.outside.execute(sql.replace("%s", "?"), params).fetchall()
        cursor = self.outside.execute(sql.encode(), params or None)
        return cursor.fetchall() if cursor.description else []

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each row, all in one transaction."""
        if isinstance(self.outside, sqlite3.Connection):
            self.outside.execute("BEGIN IMMEDIATE")
            self.outside.executemany(sql.replace("%s", "?"), rows)
            self.outside.execute("COMMIT")
            return
        with self.outside.transaction(), self.outside.cursor() as cursor:
            cursor.executemany(sql.encode(), rows)

    def assert_refused(self, rule: str, sql: str, *params: Any) -> None:
        """Assert that the database itself refuses the statement and names the rule."""
        with self.assertRaises((sqlite3.Error, psycopg.Error)) as refusal:
            self.run_sql(sql, *params)
        self.assertIn(rule, str(refusal.exception))

    def insert_spend_sql(self, columns: Mapping[str, Any]) -> str:
        names = ", ".join(columns)
        places = ", ".join(["%s"] * len(columns))
        return f"INSERT INTO campaigns_spendrecord ({names}) VALUES ({places})"

    def insert_spend(self, campaign: Campaign, amount: Any, **columns: Any) -> None:
        row = {"brand_id": campaign.brand_id, "campaign_id": campaign.pk, "amount": amount} | columns
        self.run_sql(self.insert_spend_sql(row), *row.values())

    def assert_spend_refused(self, rule: str, campaign: Campaign, amount: Any = "1", **columns: Any) -> None:
        """Assert that the row is refused by name and that nothing of it is counted."""
        row = {"brand_id": campaign.brand_id, "campaign_id": campaign.pk, "amount": amount} | columns
        before = self.pending()
        self.assert_refused(rule, self.insert_spend_sql(row), *row.values())
        self.assertEqual(self.pending(), before)

    def pending(self) -> dict[tuple[int, int], int]:
        """Return the pending millionths of each campaign and quarter-hour, without those that add up to 0."""
        rows = self.run_sql(
            "SELECT campaign_id, quarter, SUM(amount) FROM campaigns_pendingspend GROUP BY 1, 2 HAVING SUM(amount) <> 0"
        )
        return {(campaign, quarter): int(amount) for campaign, quarter, amount in rows}

    def value(self, sql: str, *params: Any) -> Any:
        ((value,),) = self.run_sql(sql, *params)
        return value
