"""POST /api/v1/spend: spend records by row, each counted once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from msgspec import Meta

from campaigns.api.amounts import AMOUNT, PlainStrings, Raw, exact_amount, explain_amount
from campaigns.api.body import Body, read_body
from campaigns.api.endpoint import endpoint
from campaigns.api.problems import BatchResult, RefusedRow, explain, respond
from campaigns.models.platforms.api_keys import Scope
from campaigns.rules.money import AMOUNT_LIMIT
from campaigns.rules.periods import EARLIEST, LATEST
from campaigns.rules.text import shorten
from campaigns.services.api_keys import ValidKey
from campaigns.services.intake.placing import PlatformKey, campaign_brands, linked_campaigns, platform_key
from campaigns.services.intake.records import Conflict, Record, store_records

ATTEMPTS = 3

CampaignId = Annotated[int, Meta(ge=1, le=2**63 - 1, description="Our ID of the campaign.", examples=[17])]
PlatformText = Annotated[str, Meta(min_length=1, max_length=255)]


class PlatformCampaign(msgspec.Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """A campaign of an ad platform, which is linked to one of ours."""

    source: PlatformText
    account: PlatformText
    campaign: PlatformText

    def key(self) -> PlatformKey:
        return platform_key(self.source, self.account, self.campaign)


class SpendRow(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Money that a campaign spent."""

    campaign: CampaignId | PlatformCampaign
    amount: Annotated[Decimal, AMOUNT]
    external_id: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=255,
            description="The sender's ID of the record, unique within the campaign: a record sent twice counts once.",
            extra_json_schema={"pattern": r"^[^\u0000]*$"},
        ),
    ]
    timestamp: Annotated[datetime, Meta(tz=True, description="When the money was spent; now if left out.")] | None = (
        None
    )


ROW = msgspec.json.Decoder(SpendRow)


class RowWithId(msgspec.Struct):
    """The readable fields of a row that isn't valid."""

    external_id: str


ROW_WITH_ID = msgspec.json.Decoder(RowWithId)


@endpoint("POST", Scope.SPEND_WRITE)
def post_spend(request: HttpRequest, key: ValidKey) -> HttpResponse:
    body = read_body(request)
    for _ in range(ATTEMPTS - 1):
        try:
            return respond(store(body, key))
        except IntegrityError:  # a campaign has been deleted, or moved to another brand, since it was looked up
            continue
    return respond(store(body, key))


def store(body: Body, key: ValidKey) -> BatchResult:
    """Store the rows of a batch that can be stored, in one transaction; refuse the others by row."""
    refused: list[RefusedRow] = []
    rows = _decode(body, refused)
    records = _place(rows, key, refused)
    stored, conflicts = store_records(records)
    refused += [_refuse_conflict(conflict) for conflict in conflicts]
    refused.sort(key=lambda each: each.row)
    return BatchResult(stored, len(records) - stored - len(conflicts), len(refused), refused)


def _decode(body: Body, refused: list[RefusedRow]) -> dict[int, SpendRow]:
    """Return the valid rows with exact amounts, by their numbers."""
    decode, plain = ROW.decode, PlainStrings("amount", body.text)
    rows = {}
    for number, raw in enumerate(body.rows, start=1):
        try:
            row = decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            refused.append(RefusedRow(number, "invalid-row", explain(error), _external_id(raw)))
            continue
        amount = exact_amount(row.amount)
        if not amount or not plain.allow(raw):
            detail = explain_amount("amount", row.amount, AMOUNT_LIMIT)
            refused.append(RefusedRow(number, "invalid-amount", detail, row.external_id))
        elif row.timestamp is not None and not EARLIEST <= row.timestamp < LATEST:
            detail = "The timestamp must be between 2012 and 2100."
            refused.append(RefusedRow(number, "invalid-timestamp", detail, row.external_id))
        elif "\0" in row.external_id:
            refused.append(RefusedRow(number, "invalid-row", "external_id: It can't contain the character 0."))
        else:
            row.amount = amount
            rows[number] = row
    return rows


def _place(rows: Mapping[int, SpendRow], key: ValidKey, refused: list[RefusedRow]) -> list[Record]:
    """Return the records of the rows whose campaign is found."""
    ids = {row.campaign for row in rows.values() if type(row.campaign) is int}
    brand_of = campaign_brands(ids, key.brands)
    names = {row.campaign.key() for row in rows.values() if isinstance(row.campaign, PlatformCampaign)}
    linked = linked_campaigns(names, key.brands) if names else {}
    records = []
    for number, row in rows.items():
        campaign = row.campaign
        if isinstance(campaign, PlatformCampaign):
            found = linked.get(campaign.key())
            if found is None:
                detail = explain_unlinked(campaign.source, campaign.account, campaign.campaign)
                refused.append(RefusedRow(number, "unlinked-campaign", detail, row.external_id))
                continue
            if found.other_currency():
                detail = (
                    f"The account's currency is {found.account_currency}, the brand's is {found.brand_currency}:"
                    " convert the amount, and send it with our ID of the campaign."
                )
                refused.append(RefusedRow(number, "other-currency", detail, row.external_id))
                continue
            campaign_id, brand_id = found.campaign_id, found.brand_id
        elif campaign in brand_of:
            campaign_id, brand_id = campaign, brand_of[campaign]
        else:
            detail = f"Campaign {campaign} doesn't exist, or this key has no access to its brand."
            refused.append(RefusedRow(number, "unknown-campaign", detail, row.external_id))
            continue
        records.append(Record(campaign_id, row.external_id, number, brand_id, row.amount, row.timestamp))
    return records


def _external_id(raw: Raw) -> str | None:
    try:
        return ROW_WITH_ID.decode(raw).external_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def explain_unlinked(*link: str) -> str:
    """Return why a platform's campaign, by source, account and id, is refused."""
    name = shorten(" ".join(link))
    reason = f"The campaign {name} isn't linked to one of ours, or this key has no access to its brand"
    return f"{reason}: link it in the admin."


def _refuse_conflict(conflict: Conflict) -> RefusedRow:
    record = conflict.record
    detail = (
        f"The campaign {record.campaign_id} has this external_id already, with {conflict.amount:f} at"
        f" {conflict.timestamp.isoformat()}. Send corrections as records of their own."
    )
    return RefusedRow(record.row, "conflict", detail, record.external_id)
