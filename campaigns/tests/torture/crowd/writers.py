"""The connector's writers on PostgreSQL: plain psycopg, a role that may INSERT and nothing else, little patience."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import psycopg
from django.utils import timezone

from campaigns.tests.support.outside import open_client
from campaigns.tests.support.together import pause

# A brand and a campaign of it.
Place = tuple[int, int]

Row = tuple[int, int, Decimal, datetime, str | None]
Client = psycopg.Connection[tuple[Any, ...]]

AMOUNTS = tuple(Decimal(text) for text in ("1", "-1", "0.000001", "3.333333", "-3.333333", "20", "-20", "0.1"))
COLUMNS = "brand_id, campaign_id, amount, timestamp, external_id"
INSERT = f"INSERT INTO campaigns_spendrecord ({COLUMNS}) VALUES (%s, %s, %s, %s, %s)"
INSERT_MANY = (
    f"INSERT INTO campaigns_spendrecord ({COLUMNS})"
    " SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[], %s::timestamptz[], %s::text[])"
)
COPY = f"COPY campaigns_spendrecord ({COLUMNS}) FROM STDIN"


class RolledBack(Exception):
    """The writer thought better of it."""


class Writer:
    """Writes in a way of its own, and remembers which rows the database has accepted."""

    def __init__(self, name: str, role: str, places: Sequence[Place], way: Way, seed: int) -> None:
        self.name, self.places, self.way, self.random = name, places, way, Random(seed)
        self.rows, self.written = 0, Counter[int]()
        self.client = open_client()
        assert isinstance(self.client, psycopg.Connection)
        self.client.execute(f"SET application_name = '{name}'".encode())
        self.client.execute(b"SET lock_timeout = '1s'")
        self.client.execute(f"SET ROLE {role}".encode())

    def turn(self) -> None:
        assert isinstance(self.client, psycopg.Connection)
        try:
            rows = self.way(self.client, self)
        except RolledBack:
            return
        self.rows += len(rows)
        for _, campaign, amount, _, _ in rows:
            self.written[campaign] += int(amount * 1_000_000)

    def make(self, count: int) -> list[Row]:
        """Return rows of campaigns in no order, of about now, of days before and of days to come."""
        return [self._row() for _ in range(count)]

    def _row(self) -> Row:
        brand, campaign = self.random.choice(self.places)
        far = self.random.random() < 0.4
        minutes = self.random.uniform(-4000, 4000) if far else self.random.uniform(-60, 60)
        external_id = f"{self.name} {self.random.getrandbits(62)}" if self.random.random() < 0.5 else None
        amount = self.random.choice(AMOUNTS)
        return brand, campaign, amount, timezone.now() + timedelta(minutes=minutes), external_id

    def may_roll_back(self) -> None:
        if self.random.random() < 0.1:
            raise RolledBack


Way = Callable[[Client, Writer], Sequence[Row]]


def single_rows(client: Client, writer: Writer) -> Sequence[Row]:
    rows = writer.make(1)
    client.execute(INSERT.encode(), rows[0])
    return rows


def rows_with_retries(client: Client, writer: Writer) -> Sequence[Row]:
    """Send every row twice, as after a lost answer: it counts once (R11)."""
    (row,) = writer.make(1)
    row = (*row[:4], row[4] or f"{writer.name} {writer.random.getrandbits(62)}")
    for expected in (1, 0):
        written = client.execute(f"{INSERT} ON CONFLICT DO NOTHING".encode(), row).rowcount
        assert written == expected, f"{written} rows of {row} instead of {expected}"
    return [row]


def unordered_batches(client: Client, writer: Writer) -> Sequence[Row]:
    """Write a batch in one statement, as a list of rows."""
    rows = writer.make(writer.random.randint(2, 40))
    client.execute(INSERT_MANY.encode(), [list(column) for column in zip(*rows, strict=True)])
    return rows


def batches_row_by_row(client: Client, writer: Writer) -> Sequence[Row]:
    """Write a batch in one transaction, as drivers do with executemany."""
    rows = writer.make(writer.random.randint(2, 30))
    with client.transaction(), client.cursor() as cursor:
        cursor.executemany(INSERT.encode(), rows)
        writer.may_roll_back()
    return rows


def copies(client: Client, writer: Writer) -> Sequence[Row]:
    rows = writer.make(writer.random.randint(1, 100))
    with client.cursor() as cursor, cursor.copy(COPY.encode()) as copy:
        for row in rows:
            copy.write_row(row)
    return rows


def several_statements(client: Client, writer: Writer) -> Sequence[Row]:
    """Write three times in a transaction, about campaigns that other writers write about in another order."""
    rows: list[Row] = []
    with client.transaction():
        for _ in range(3):
            rows += unordered_batches(client, writer)
            pause(writer.random.uniform(0, 0.02))
        writer.may_roll_back()
    return rows


def idle_in_transaction(client: Client, writer: Writer) -> Sequence[Row]:
    """Write, wait for long with the transaction open, and write again."""
    with client.transaction():
        rows = [*unordered_batches(client, writer)]
        pause(writer.random.uniform(0.5, 3))
        rows += single_rows(client, writer)
        writer.may_roll_back()
    return rows


EIGHT: dict[str, Way] = {
    "writer 1, single rows": single_rows,
    "writer 2, rows with retries": rows_with_retries,
    "writer 3, batches": unordered_batches,
    "writer 4, batches": unordered_batches,
    "writer 5, row by row": batches_row_by_row,
    "writer 6, COPY": copies,
    "writer 7, several statements": several_statements,
    "writer 8, idle in its transaction": idle_in_transaction,
}
