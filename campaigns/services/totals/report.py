"""Taking in totals as platforms report them, with the accounts and campaigns they are of.

Files and the HTTP API use it; connectors run the same SQL themselves (docs/connector.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from campaigns.database.connection import execute, fetch_all
from campaigns.database.dialects import hour_ahead, rows_param, rows_sql
from campaigns.database.statements import statement
from campaigns.database.write_column import in_pieces
from campaigns.models.platforms.accounts import DEFAULT_INTERVAL
from campaigns.rules.platforms import platform_id
from campaigns.services.totals.days import as_parameter
from campaigns.services.totals.waiting import free_accounts

TOTAL_COLUMNS = {
    "source": "text",
    "account": "text",
    "campaign": "text",
    "day": "date",
    "total": "numeric",
    "as_of": "timestamptz",
}
ACCOUNT_COLUMNS = {
    "source": "text",
    "external_id": "text",
    "name": "text",
    "currency": "text",
    "timezone": "text",
    "reported_until": "timestamptz",
    "brand_id": "bigint",
    "interval_hours": "integer",
}
LINK_COLUMNS = {"source": "text", "account": "text", "campaign": "text", "name": "text"}


@dataclass(frozen=True)
class ReportedTotal:
    """What a platform says that a campaign has spent on a day of its account. as_of: when the platform said so."""

    source: str
    account: str
    campaign: str
    day: date
    total: Decimal
    as_of: datetime

    @property
    def key(self) -> tuple[str, str, date, str]:
        """Return the key in the order of the database's index."""
        return self.source, platform_id(self.account), self.day, platform_id(self.campaign)


@dataclass(frozen=True)
class ReportedAccount:
    """What a report says of an account; what is empty stays as it is stored."""

    source: str
    account: str
    name: str = ""
    currency: str = ""
    timezone: str = ""
    reported_until: datetime | None = None
    # The brand that is suggested for its campaigns, unless another one is stored.
    brand_id: int | None = None
    # The hours until silence of an account that is added; one that is there keeps its own.
    interval_hours: int = DEFAULT_INTERVAL


@dataclass(frozen=True)
class ReportedCampaign:
    """A campaign of a platform with its name there."""

    source: str
    account: str
    campaign: str
    name: str


@dataclass(frozen=True)
class Reported:
    """What became of reported totals: written, or left because they are older or say what is stored."""

    written: int
    left: int
    # The accounts, by platform and id, that were added or changed.
    accounts: frozenset[tuple[str, str]]


class ReportedTwiceError(ValueError):
    """A total is there twice: add up the rows of a campaign and day before."""


def report_totals(
    totals: Iterable[ReportedTotal],
    *,
    accounts: Iterable[ReportedAccount] = (),
    campaigns: Iterable[ReportedCampaign] = (),
) -> Reported:
    """Upsert totals, and add the accounts and campaigns that are missing; all in one transaction.

    Ids may be given as the platform writes them. Raises ReportedTwiceError if a campaign and day is there twice, and
    IntegrityError for what the database refuses (see SpendTotal): check what strangers send before.
    """
    by_key = _by_key(totals)
    with transaction.atomic():
        changed = report_accounts([*accounts, *(ReportedAccount(source, account) for source, account, *_ in by_key)])
        _report_links(campaigns, by_key)
        written = sum(_upsert(piece) for piece in in_pieces([by_key[key] for key in sorted(by_key)]))
    return Reported(written, len(by_key) - written, changed)


def report_accounts(accounts: Iterable[ReportedAccount]) -> frozenset[tuple[str, str]]:
    """Add accounts, and what is known of those that are there; return which were added or changed.

    A new zone or currency sets totals free.
    """
    written: set[tuple[str, str]] = set()
    merged: dict[tuple[str, str], ReportedAccount] = {}
    for each in accounts:
        key = each.source, platform_id(each.account)
        if key not in merged or each != ReportedAccount(each.source, each.account):
            merged[key] = each
    for piece in in_pieces(sorted(merged)):
        given = rows_sql(ACCOUNT_COLUMNS, "%(given)s")
        params = {"given": rows_param(ACCOUNT_COLUMNS, [_account_row(key, merged[key]) for key in piece])}
        changed = fetch_all(statement("totals/changed_accounts", given=given), params)
        written |= set(fetch_all(statement("totals/report_accounts", given=given, hour_ahead=hour_ahead()), params))
        free_accounts(changed)
    return frozenset(written)


def _account_row(key: tuple[str, str], account: ReportedAccount) -> tuple[Any, ...]:
    until = account.reported_until
    return (
        *key,
        account.name[:200],
        account.currency,
        account.timezone,
        None if until is None else as_parameter(until),
        account.brand_id,
        account.interval_hours,
    )


def _by_key(totals: Iterable[ReportedTotal]) -> dict[tuple[str, str, date, str], ReportedTotal]:
    by_key: dict[tuple[str, str, date, str], ReportedTotal] = {}
    for total in totals:
        if by_key.setdefault(total.key, total) is not total:
            raise ReportedTwiceError(
                f"{total.source} account {total.account}, campaign {total.campaign} is there twice for {total.day}."
            )
    return by_key


def _report_links(campaigns: Iterable[ReportedCampaign], totals: Iterable[tuple[str, str, date, str]]) -> None:
    names = {(source, account, campaign): "" for source, account, _, campaign in totals}
    for each in campaigns:
        names[each.source, platform_id(each.account), platform_id(each.campaign)] = each.name[:200]
    given = statement("totals/report_links", given=rows_sql(LINK_COLUMNS, "%(given)s"))
    for piece in in_pieces(sorted((*key, name) for key, name in names.items())):
        execute(given, {"given": rows_param(LINK_COLUMNS, piece)})


def _upsert(totals: Sequence[ReportedTotal]) -> int:
    rows = [
        (source, account, campaign, day, str(each.total), as_parameter(each.as_of))
        for each in totals
        for source, account, day, campaign in [each.key]
    ]
    sql = statement("totals/report_totals", given=rows_sql(TOTAL_COLUMNS, "%(given)s"))
    return execute(sql, {"given": rows_param(TOTAL_COLUMNS, rows)})
