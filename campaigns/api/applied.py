"""POST /api/v1/applied: what a connector has applied on the platforms, or saw there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from django.http import HttpRequest, HttpResponse
from msgspec import Meta

from campaigns.api.body import Body, read_body
from campaigns.api.endpoint import endpoint
from campaigns.api.problems import BatchResult, RefusedRow, explain, respond
from campaigns.api.spend import PlatformText, explain_unlinked
from campaigns.api.status import Status
from campaigns.database.clock import database_now
from campaigns.models import PlatformStatus
from campaigns.models.platforms.api_keys import Scope
from campaigns.rules.periods import EARLIEST, LATEST
from campaigns.rules.platforms import platform_id
from campaigns.services.api_keys import ValidKey
from campaigns.services.feed.applied import Report, report_applied


class AppliedRow(msgspec.Struct, forbid_unknown_fields=True):
    """A change that was applied to a campaign of a platform, or what the platform shows."""

    source: PlatformText
    account: PlatformText
    campaign: PlatformText
    status: Annotated[Status, Meta(description="What was applied or seen.")]
    at: Annotated[datetime, Meta(tz=True, description="When, by the connector's clock.")]
    change: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=2**63 - 1,
                description="The position of the change that was applied, or of the list. Left out, the row says what"
                " the platform shows.",
            ),
        ]
        | None
    ) = None
    problem: (
        Annotated[str, Meta(max_length=500, description="Why the change couldn't be applied. Left out if it was.")]
        | None
    ) = None


ROW = msgspec.json.Decoder(AppliedRow)


@endpoint("POST", Scope.STATUS_ACK)
def post_applied(request: HttpRequest, key: ValidKey) -> HttpResponse:
    body = read_body(request)
    refused: list[RefusedRow] = []
    reports = _decode(body, refused)
    stored = report_applied(reports, now=database_now(), brands=key.brands)
    refused += [RefusedRow(each.report.row, each.reason, _explain(each.report, each.reason)) for each in stored.refused]
    refused.sort(key=lambda row: row.row)
    duplicates = len(reports) - stored.stored - len(stored.refused)
    return respond(BatchResult(stored.stored, duplicates, len(refused), refused))


def _decode(body: Body, refused: list[RefusedRow]) -> list[Report]:
    reports = []
    for number, raw in enumerate(body.rows, start=1):
        try:
            row = ROW.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            refused.append(RefusedRow(number, "invalid-row", explain(error)))
            continue
        problem = row.problem or ""
        if not EARLIEST <= row.at < LATEST:
            refused.append(RefusedRow(number, "invalid-timestamp", "at must be between 2012 and 2100."))
        elif problem and row.change is None:
            refused.append(RefusedRow(number, "invalid-row", "problem: It needs the change that it is about."))
        elif "\0" in f"{row.source}{row.account}{row.campaign}{problem}":
            refused.append(RefusedRow(number, "invalid-row", "Texts can't contain the character 0."))
        else:
            link = (row.source, platform_id(row.account), platform_id(row.campaign))
            # PostgreSQL reads no offset of 16 hours or more.
            at = row.at.astimezone(UTC)
            reports.append(Report(number, link, PlatformStatus(row.status), at, row.change, problem))
    return reports


def _explain(report: Report, reason: str) -> str:
    if reason == "unknown-change":
        return f"The position {report.change} was never given: list the campaigns again."
    return explain_unlinked(*report.link)
