"""Decreases that may be mistakes: platform outages do report empty days (R16).

A decrease of a finished day is booked by the full check, which judges it together with its account and day: where
their sum falls below a share of what is booked, and by more than an amount (settings), the decreases of that account
and day are held. They wait until a person releases or rejects them, or a later report no longer trips the rule. Today
it is held if half of an account's booked totals, or more, go to 0.
"""

from __future__ import annotations

from datetime import UTC, date
from typing import Any

from django.conf import settings
from django.db import transaction

from campaigns.database.connection import execute, fetch_all, is_postgresql
from campaigns.database.dialects import rows_param, rows_sql, sum_function
from campaigns.database.statements import statement
from campaigns.models.platforms.totals import SpendTotal, Waiting
from campaigns.rules.clock import Clock
from campaigns.rules.money import MICROS
from campaigns.rules.periods import ONE_DAY, local_clocks
from campaigns.services.totals.book import Booked, book_decreases
from campaigns.services.totals.waiting import REPORTED, known_account_zones

TODAY_COLUMNS = {"zone": "text", "today": "date"}
JUDGED_COLUMNS = {"source": "text", "account": "text", "day": "date", "held": "integer"}
ALL_DAYS = date(1, 1, 1)


def judge_decreases(*, clock: Clock, only_today: bool = False) -> Booked:
    """Book the decreases that wait and are harmless, and hold the others. only_today: of days that aren't over."""
    now = clock()
    # No zone is more than a day from UTC.
    first = (now.astimezone(UTC) - ONE_DAY).date() if only_today else ALL_DAYS
    judged = _judge(clock, first, only_open=only_today)
    if not judged:
        return Booked()
    given, rows = rows_sql(JUDGED_COLUMNS, "%(given)s"), {"given": rows_param(JUDGED_COLUMNS, judged)}
    hold = statement(
        "totals/hold",
        given=given,
        reported=REPORTED,
        skip_locked="FOR NO KEY UPDATE OF total SKIP LOCKED" if is_postgresql() else "",
    )
    with transaction.atomic():
        execute(hold, rows)
    harmless = fetch_all(statement("totals/harmless", given=given, reported=REPORTED), rows)
    return book_decreases((each for (each,) in harmless), clock=clock)


def release(source: str, account: str, day: date, *, clock: Clock, rejected: bool = False) -> Booked:
    """Book the held decreases of an account and day, at a person's word; rejected: those that were rejected as well."""
    held = SpendTotal.objects.filter(source=source, account=account, day=day, waiting=Waiting.HELD)
    wanted = [total.pk for total in held if rejected or not is_rejected(total)]
    return book_decreases(wanted, clock=clock)


def reject(source: str, account: str, day: date) -> int:
    """Keep what is booked of an account and day: the held figures aren't asked about again. Return how many."""
    sql = (
        "UPDATE campaigns_spendtotal SET rejected = CAST(ROUND(total * 1000000) AS bigint)"
        " WHERE source = %s AND account = %s AND day = %s AND waiting = %s"
    )
    with transaction.atomic():
        held = SpendTotal.objects.filter(source=source, account=account, day=day, waiting=Waiting.HELD)
        if is_postgresql():  # in the order in which connectors restate them, or both would wait for each other
            list(held.order_by("campaign").select_for_update(no_key=True).values_list("pk"))
        return execute(sql, [source, account, day, Waiting.HELD.value])


def is_rejected(total: SpendTotal) -> bool:
    """Return whether a person has rejected the figure that is reported now."""
    return total.rejected is not None and total.rejected == round(total.total, 6)


def _judge(clock: Clock, first: date, *, only_open: bool) -> list[tuple[Any, ...]]:
    """Return the accounts and days with decreases that wait, each with whether they are held (1) or harmless (0)."""
    zones = [(each.zone, each.today) for each in local_clocks(known_account_zones(), clock())]
    sql = statement(
        "totals/judge_decreases", zones=rows_sql(TODAY_COLUMNS, "%(zones)s"), reported=REPORTED, sum=sum_function()
    )
    params = {
        "zones": rows_param(TODAY_COLUMNS, zones),
        "first": first,
        "only_open": int(only_open),
        "percent": settings.HELD_BELOW_PERCENT,
        "amount": settings.HELD_ABOVE_AMOUNT * MICROS,
    }
    return [(source, account, day, int(bool(held))) for source, account, day, held in fetch_all(sql, params)]
