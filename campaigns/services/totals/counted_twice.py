"""Spend that two senders report for the same campaign and days: found by `verify_spend`, stored, and shown to people.

To find it takes reading the ledger, so pages show what the latest verification has stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from campaigns.database.connection import as_date, fetch_all, is_postgresql, one_snapshot
from campaigns.database.statements import statement
from campaigns.models import CountedTwice, PlatformAccount
from campaigns.rules.platforms import BY_NAME, SOURCES
from campaigns.services.totals.silence import in_use_and_late, is_silent
from campaigns.services.totals.verify import since_params

Kind = CountedTwice.Kind
# Shown on a page; the others are counted.
SHOWN = 5

CONSEQUENCES = {
    Kind.NAME_AND_ID: (
        "has reported totals by the platform campaign’s name beside totals by its ID",
        "the same spend counts twice; reverse the import by name, under Imports of platform reports",
    ),
    Kind.RECORDS: (
        "has spend records of its own beside reported totals",
        "the same spend may count twice; stop one of the two senders and reverse its import",
    ),
}
_COLUMNS = ("days", "first_day", "last_day", "found_at")


class Found(NamedTuple):
    """What a page shows: the first campaigns, errors before warnings, and how many more there are."""

    shown: list[CountedTwice]
    more: int


def find_counted_twice(*, since: date | None, now: datetime) -> list[CountedTwice]:
    """Return the campaigns that have spend from two senders on a day, of all days or from one on; not stored."""
    day = "CAST(record.timestamp AT TIME ZONE 'UTC' AS date)" if is_postgresql() else "substr(record.timestamp, 1, 10)"
    statements = {
        Kind.NAME_AND_ID: statement("totals/by_name_and_id", by_name=BY_NAME),
        Kind.RECORDS: statement("totals/both_kinds", day=day),
    }
    with one_snapshot():
        return [
            CountedTwice(
                campaign_id=campaign,
                account_id=account,
                kind=kind,
                days=days,
                first_day=as_date(first),
                last_day=as_date(last),
                found_at=now,
            )
            for kind, sql in statements.items()
            for campaign, account, days, first, last in fetch_all(sql, since_params(since))
        ]


@transaction.atomic
def store_counted_twice(found: Iterable[CountedTwice], *, since: date | None) -> None:
    """Replace what is stored of these days. What began before `since` wasn't looked at and stays, and is extended.

    How many of its days are from `since` on is unknown, so they are counted again only when all days are verified.
    """
    stored = CountedTwice.objects.all()
    earlier = {} if since is None else {_key(each): each for each in stored.filter(first_day__lt=since)}
    (stored if since is None else stored.filter(first_day__gte=since)).delete()
    rows = sorted(found, key=_key)
    for row in rows:
        if since and (before := earlier.get(_key(row))):
            is_apart = before.last_day < since
            row.days = before.days + row.days if is_apart else max(before.days, row.days)
            row.first_day, row.last_day = before.first_day, max(before.last_day, row.last_day)
    CountedTwice.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["campaign", "account", "kind"], update_fields=_COLUMNS
    )


def counted_twice(brands: Collection[int] | None) -> Found:
    """Return what the latest verification has stored, if given only of campaigns of these brands; in one query or two.

    The table is small: a row for each campaign that somebody must look at.
    """
    rows = _of_brands(brands).select_related("campaign__brand", "account").order_by("kind", "pk")
    shown = list(rows[: SHOWN + 1])
    return Found(shown[:SHOWN], rows.count() - SHOWN if len(shown) > SHOWN else 0)


def silent_and_counted_twice(*, now: datetime, brands: Collection[int] | None) -> tuple[list[PlatformAccount], Found]:
    """Return the silent accounts, and what is counted twice: in one query where all is well, for home."""
    accounts = PlatformAccount.objects.annotate(
        may_be_silent=in_use_and_late(now=now, brands=brands),
        has_spend_twice=Exists(_of_brands(brands).filter(account=OuterRef("pk"))),
    )
    noted = list(accounts.filter(Q(may_be_silent=True) | Q(has_spend_twice=True)).order_by("reported_until"))
    silent: list[PlatformAccount] = [each for each in noted if each.may_be_silent and is_silent(each, now=now)]
    return silent, counted_twice(brands) if any(each.has_spend_twice for each in noted) else Found([], 0)


def _of_brands(brands: Collection[int] | None) -> QuerySet[CountedTwice]:
    rows = CountedTwice.objects.order_by()
    return rows if brands is None else rows.filter(campaign__brand__in=brands)


def sentence(each: CountedTwice) -> str:
    """Return a sentence that names the campaign, the account, the days and what to do."""
    has, so = CONSEQUENCES[Kind(each.kind)]
    days = f"{each.days} day{'' if each.days == 1 else 's'}"
    on = f"{days}, {each.first_day} to {each.last_day}" if each.days > 1 else f"{days}, {each.last_day}"
    account = f"{SOURCES[each.account.source]} account {each.account}"
    return f"Campaign “{each.campaign.name}” ({each.campaign_id}) {has} of {account} on {on}: {so}."


def counted_twice_warning() -> str:
    """Return how many campaigns it is, for monitoring: without names; "" if none."""
    counts = Counter(CountedTwice.objects.values_list("kind", flat=True))
    parts = ", ".join(f"{counts[kind]:,} with {kind.label}" for kind in Kind if counts[kind])
    return f"Spend of campaigns may count twice; home says which: {parts}." if parts else ""


def _key(each: CountedTwice) -> tuple[int, int, str]:
    return each.campaign_id, each.account_id, each.kind
