"""Verification of reported totals: the records of each, over all campaigns, sum up to what is booked of it (R16).

What is booked and its record are written in one statement, so one snapshot shows differences exactly, beside bookers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from campaigns.database.connection import as_date, execute, fetch_all, is_postgresql, one_snapshot
from campaigns.database.dialects import in_list, list_param, micros_sql, sum_function
from campaigns.database.statements import statement
from campaigns.database.write_column import in_pieces
from campaigns.models import SpendTotal
from campaigns.rules.money import from_micros
from campaigns.rules.periods import EARLIEST
from campaigns.services.totals.book import TO_BOOK

# A record lies on the day of its total in the account's time zone, so at most a day from it in UTC.
FURTHEST_FROM_UTC = timedelta(days=1)


@dataclass(frozen=True)
class Unbalanced:
    """A total of which another sum is booked than its records have."""

    id: int
    name: str
    day: date
    booked: Decimal
    recorded: Decimal


def unbalanced_totals(*, since: date | None = None) -> list[Unbalanced]:
    """Return the totals whose records don't sum up to what is booked, newest first: all, or of days from one on."""
    sql = statement("totals/unbalanced", sum=sum_function(), micros=micros_sql("amount"))
    with one_snapshot():
        rows = fetch_all(sql, since_params(since))
    return [
        Unbalanced(pk, f"{source} {account}/{campaign}", as_date(day), from_micros(booked), from_micros(recorded))
        for pk, source, account, campaign, day, booked, recorded in rows
    ]


def rebalance(ids: Iterable[int]) -> int:
    """Set what is booked of totals to the sum of their records; return how many that changed."""
    sql = statement(
        "totals/rebalance",
        sum=sum_function(),
        micros=micros_sql("record.amount"),
        in_batch=in_list("total.id", param="%(ids)s"),
    )
    return sum(_rebalance(sql, piece) for piece in in_pieces(sorted(ids)))


def flag_days(*, since: date | None = None) -> int:
    """Flag the days of accounts whose totals a check would not book; return how many.

    Triggers flag them; totals that were restored with triggers disabled have no flag.
    """
    return execute(statement("totals/flag_days", to_book=TO_BOOK), {"since": since or EARLIEST.date()})


def keep_links() -> int:
    """Keep the campaigns that links and totals lead to, where triggers were disabled; return how many were missing."""
    return execute(statement("totals/keep_links"))


@transaction.atomic
def _rebalance(sql: str, ids: list[int]) -> int:
    if is_postgresql():
        # As connectors restate them, or both would wait for each other.
        in_order = SpendTotal.objects.filter(pk__in=ids).order_by("source", "account", "campaign", "day")
        list(in_order.select_for_update(no_key=True).values_list("pk"))
    return execute(sql, {"ids": list_param(ids)})


def since_params(since: date | None) -> dict[str, Any]:
    """Return the parameters of statements about totals from a day on, or of all days."""
    return {"since": since or EARLIEST.date(), "rows_from": _rows_from(since)}


def _rows_from(since: date | None) -> Any:
    """Return the instant, as a parameter, before which no record of a total from that day on can lie."""
    first = EARLIEST if since is None else datetime.combine(since, time.min, tzinfo=UTC) - FURTHEST_FROM_UTC
    return connection.ops.adapt_datetimefield_value(max(first, EARLIEST))
