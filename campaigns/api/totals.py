"""POST /api/v1/totals: what platforms report by campaign and day, and up to when it is known (R16, R17)."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, NamedTuple

import msgspec
from django.db import OperationalError, transaction
from django.http import HttpRequest, HttpResponse
from msgspec import Meta

from campaigns.api.amounts import TOTAL, PlainStrings, Raw, exact_amount, explain_amount
from campaigns.api.body import Body, read_body
from campaigns.api.endpoint import endpoint
from campaigns.api.problems import BatchResult, RefusedRow, explain, respond
from campaigns.database.clock import database_now
from campaigns.database.connection import is_conflict, limit_lock_waits
from campaigns.models.platforms.api_keys import Scope
from campaigns.rules.currencies import find_currency
from campaigns.rules.periods import EARLIEST, find_zone
from campaigns.rules.platforms import LONGEST_ID, SOURCES, platform_id
from campaigns.services.api_keys import ValidKey
from campaigns.services.intake.placing import given_accounts, linked_campaigns
from campaigns.services.intake.records import ATTEMPTS, LOCK_WAIT
from campaigns.services.totals.report import ReportedAccount, ReportedCampaign, ReportedTotal, report_totals

TOTAL_LIMIT = 500_000_000
FIRST_DAY, LAST_DAY = date(2012, 1, 2), date(2099, 12, 30)
# What a platform knows can't lie further ahead than clocks differ.
AHEAD = timedelta(hours=1)

Source = Annotated[str, Meta(description="The platform.", extra_json_schema={"enum": list(SOURCES)})]
PlatformId = Annotated[str, Meta(min_length=1, max_length=LONGEST_ID)]
Name = Annotated[str, Meta(max_length=200, description="The name on the platform.")]


class TotalRow(msgspec.Struct, forbid_unknown_fields=True):
    """What a campaign of a platform has spent on one day."""

    source: Source
    account: Annotated[PlatformId, Meta(description="The platform's ID of the account.")]
    campaign: Annotated[PlatformId, Meta(description="The platform's ID of the campaign.")]
    day: Annotated[date, Meta(description="The day in the account's time zone.")]
    total: Annotated[Decimal, TOTAL]
    as_of: Annotated[datetime, Meta(tz=True, description="When the platform said so; now if left out.")] | None = None
    name: Name = ""


class AccountRow(msgspec.Struct, forbid_unknown_fields=True):
    """Up to when the spend of an account is known."""

    source: Source
    account: Annotated[PlatformId, Meta(description="The platform's ID of the account.")]
    reported_until: Annotated[
        datetime, Meta(tz=True, description="Everything spent before is reported; an earlier instant changes nothing.")
    ]
    name: Name = ""
    currency: Annotated[str, Meta(description="The currency of the account's figures, such as EUR.")] = ""
    timezone: Annotated[str, Meta(description="The zone of the account's days, such as Europe/Berlin.")] = ""


TOTAL_ROW, ACCOUNT_ROW = msgspec.json.Decoder(TotalRow), msgspec.json.Decoder(AccountRow)


class Refusal(Exception):
    """A row that is refused: the problem, and a sentence."""


class Numbered(NamedTuple):
    """A total, its campaign's name, and the number of its row."""

    number: int
    total: ReportedTotal
    name: str


@endpoint("POST", Scope.TOTALS_WRITE)
def post_totals(request: HttpRequest, key: ValidKey) -> HttpResponse:
    return respond(store(read_body(request), key, now=database_now()))


def store(body: Body, key: ValidKey, *, now: datetime) -> BatchResult:
    """Store the rows of a batch that can be stored, in one transaction; refuse the others by row."""
    refused: list[RefusedRow] = []
    totals, accounts = _decode(body, now, refused)
    if key.brands is not None:
        totals, accounts = _limit_to_brands(totals, accounts, key.brands, refused)
    newest = _newest(totals, refused)
    stored = _report(newest, [account for _, account in accounts])
    refused.sort(key=lambda each: each.row)
    return BatchResult(stored, len(body.rows) - stored - len(refused), len(refused), refused)


def _report(totals: Sequence[Numbered], accounts: Collection[ReportedAccount]) -> int:
    """Write the totals and accounts, and return how many of them changed; again after a deadlock."""
    names = [ReportedCampaign(each.source, each.account, each.campaign, name) for _, each, name in totals if name]
    for attempt in itertools.count(1):
        try:
            with transaction.atomic():
                limit_lock_waits(LOCK_WAIT)
                reported = report_totals([each.total for each in totals], accounts=accounts, campaigns=names)
            break
        except OperationalError as error:
            if attempt == ATTEMPTS or not is_conflict(error):
                raise
    return reported.written + len({(each.source, each.account) for each in accounts} & reported.accounts)


def _decode(
    body: Body, now: datetime, refused: list[RefusedRow]
) -> tuple[list[Numbered], list[tuple[int, ReportedAccount]]]:
    """Return the valid totals and accounts, with the numbers of their rows."""
    plain = PlainStrings("total", body.text)
    totals: list[Numbered] = []
    accounts: list[tuple[int, ReportedAccount]] = []
    for number, raw in enumerate(body.rows, start=1):
        try:
            row = _decode_row(raw)
            if isinstance(row, AccountRow):
                accounts.append((number, _account(row, now)))
            elif plain.allow(raw):
                totals.append(Numbered(number, _total(row, now), row.name))
            else:
                raise Refusal("invalid-amount", explain_amount("total", row.total or Decimal(1), TOTAL_LIMIT))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            refused.append(RefusedRow(number, "invalid-row", explain(error)))
        except Refusal as refusal:
            refused.append(RefusedRow(number, *refusal.args))
    return totals, accounts


def _decode_row(raw: Raw) -> TotalRow | AccountRow:
    try:
        return TOTAL_ROW.decode(raw)
    except msgspec.ValidationError:
        # Only an account's row has no campaign; what it lacks is reported_until.
        if b'"reported_until"' not in bytes(raw) and b'"campaign"' in bytes(raw):
            raise
    return ACCOUNT_ROW.decode(raw)


def _total(row: TotalRow, now: datetime) -> ReportedTotal:
    """Return the total of a row. Raises Refusal."""
    total = exact_amount(row.total)
    if total is None or total.copy_abs() >= TOTAL_LIMIT:
        raise Refusal("invalid-amount", explain_amount("total", row.total, TOTAL_LIMIT))
    if not FIRST_DAY <= row.day <= LAST_DAY:
        raise Refusal("invalid-day", f"The day must be from {FIRST_DAY} to {LAST_DAY}.")
    _check_instant("as_of", row.as_of, now)
    _check_name(row.name)
    account, campaign = _platform_id("account", row.account), _platform_id("campaign", row.campaign)
    return ReportedTotal(_source(row.source), account, campaign, row.day, total, row.as_of or now)


def _account(row: AccountRow, now: datetime) -> ReportedAccount:
    """Return the account of a row. Raises Refusal."""
    _check_instant("reported_until", row.reported_until, now)
    _check_name(row.name)
    if row.currency and find_currency(row.currency) is None:
        raise Refusal("invalid-row", "currency: It isn't a currency code, such as EUR.")
    if row.timezone and find_zone(row.timezone) is None:
        raise Refusal("invalid-row", "timezone: It isn't a known time zone, such as Europe/Berlin.")
    return ReportedAccount(
        _source(row.source),
        _platform_id("account", row.account),
        name=row.name,
        currency=find_currency(row.currency) or "",
        timezone=row.timezone,
        reported_until=row.reported_until,
    )


def _source(source: str) -> str:
    if source not in SOURCES:
        raise Refusal("unknown-source", f"Unknown platform: use {', '.join(SOURCES)}.")
    return source


def _platform_id(field: str, text: str) -> str:
    found = platform_id(text)
    if not (1 <= len(found) <= LONGEST_ID and found.isprintable()):
        raise Refusal("invalid-id", f"{field}: It needs 1 to {LONGEST_ID} characters that can be printed.")
    return found


def _check_instant(field: str, instant: datetime | None, now: datetime) -> None:
    if instant is not None and not EARLIEST <= instant <= now + AHEAD:
        raise Refusal("invalid-timestamp", f"{field}: It must be after 2012, and at most an hour ahead of now.")


def _check_name(name: str) -> None:
    if "\0" in name:
        raise Refusal("invalid-row", "name: It can't contain the character 0.")


def _limit_to_brands(
    totals: Sequence[Numbered],
    accounts: Sequence[tuple[int, ReportedAccount]],
    brands: frozenset[int],
    refused: list[RefusedRow],
) -> tuple[list[Numbered], list[tuple[int, ReportedAccount]]]:
    """Return what is of the brands: accounts that suggest one, and the campaigns that are linked to theirs.

    A campaign that is linked to another brand isn't theirs, whatever its account suggests.
    """
    keys = {(each.source, each.account, each.campaign) for _, each, _ in totals}
    linked = linked_campaigns(keys, None)
    own = given_accounts(
        {(source, account) for source, account, _ in keys} | {(each.source, each.account) for _, each in accounts},
        brands,
    )

    def is_given(source: str, account: str, campaign: str) -> bool:
        link = linked.get((source, account, campaign))
        return link.brand_id in brands if link else (source, account) in own

    kept = []
    for row in totals:
        if is_given(row.total.source, row.total.account, row.total.campaign):
            kept.append(row)
        else:
            refused.append(_unknown_account(row.number, row.total.source, row.total.account))
    known = [(number, each) for number, each in accounts if (each.source, each.account) in own]
    unknown = [(number, each) for number, each in accounts if (each.source, each.account) not in own]
    refused += [_unknown_account(number, each.source, each.account) for number, each in unknown]
    return kept, known


def _unknown_account(number: int, source: str, account: str) -> RefusedRow:
    detail = (
        f"Account {account[:60]} of {source} doesn't exist, or this key has no access to its brand. If the account is"
        " the brand's, set its Brand on the page of the account under Accounts."
    )
    return RefusedRow(number, "unknown-account", detail)


def _newest(totals: Sequence[Numbered], refused: list[RefusedRow]) -> list[Numbered]:
    """Return each total once, as of the newest report of it in the batch.

    Different figures as of the same instant are rows that had to be summed up, as those of devices: none is stored.
    """
    by_key: dict[tuple[object, ...], list[Numbered]] = defaultdict(list)
    for row in totals:
        by_key[row.total.key].append(row)
    found = []
    for rows in by_key.values():
        last = max(row.total.as_of for row in rows)
        newest = [row for row in rows if row.total.as_of == last]
        if len({row.total.total for row in newest}) == 1:
            found.append(newest[-1])
            continue
        for row in rows:
            detail = (
                f"The batch has other totals of campaign {row.total.campaign[:60]} on {row.total.day}, as of the same"
                " instant: add them up, and send each campaign and day once."
            )
            refused.append(RefusedRow(row.number, "conflict", detail))
    return found
