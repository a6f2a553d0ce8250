"""What connectors report: the status changes that they have applied, and what they see on the platforms (R18).

An acknowledgement names the position of the feed up to which it is; an older one that arrives late changes nothing. A
sighting names none. Two sightings are kept, because one alone may have been read before the connector's own pause. Of
each connector's clock only the order of its reports is used; a report from the future counts as made when it arrived.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from campaigns.database.connection import fetch_all, is_postgresql
from campaigns.database.dialects import rows_param, rows_sql
from campaigns.models import AppliedStatus, PlatformStatus
from campaigns.services.feed.publish import last_position

LINK = tuple[str, str, str]

GIVEN = {"source": "text", "account": "text", "campaign": "text"}
# Locked in order, so that two reports about a link come one after the other. With the line that began the campaign's
# latest pause, and its position.
LINKS = """
    WITH given AS MATERIALIZED ({given})
    SELECT given.source, given.account, given.campaign, link.id, link.campaign_id, campaign.brand_id,
        line.id, batch.first_position + line.id - batch.first_line
    FROM given
    JOIN campaigns_platformaccount AS account
      ON account.source = given.source AND account.external_id = given.account
    JOIN campaigns_campaignlink AS link ON link.account_id = account.id AND link.external_id = given.campaign
    JOIN campaigns_campaign AS campaign ON campaign.id = link.campaign_id
    LEFT JOIN campaigns_statuschange AS line ON line.id = (
        SELECT pausing.id FROM campaigns_statuschange AS pausing
        WHERE pausing.campaign_id = link.campaign_id AND pausing.reasons_before = 0
        ORDER BY pausing.id DESC LIMIT 1
    )
    LEFT JOIN campaigns_feedbatch AS batch ON batch.id = line.batch_id
    ORDER BY link.id {lock}
"""


@dataclass(frozen=True, slots=True)
class Report:
    """An acknowledgement, or a sighting if change is None. row is its number in the batch."""

    row: int
    link: LINK
    status: PlatformStatus
    at: datetime
    change: int | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A report that wasn't stored, and why: "unlinked-campaign" or "unknown-change"."""

    report: Report
    reason: str


class Linked(NamedTuple):
    """A link, its campaign, and the line that began the campaign's latest pause, with its position, if it has one."""

    link: int
    campaign: int
    pause_line: int | None
    pause_position: int | None


class Result(NamedTuple):
    """How many reports were stored, and which were refused. The others were there, or are older than what is."""

    stored: int
    refused: list[Refused]


def report_applied(reports: Sequence[Report], *, now: datetime, brands: Collection[int] | None = None) -> Result:
    """Store the reports about links of these brands, or of all."""
    last = last_position() if any(report.change is not None for report in reports) else 0
    stored, refused = 0, list[Refused]()
    with transaction.atomic():
        links = _links({report.link for report in reports}, brands)
        rows = AppliedStatus.objects.in_bulk([found.link for found in links.values()])
        for report in reports:
            found = links.get(report.link)
            if found is None:
                refused.append(Refused(report, "unlinked-campaign"))
            elif report.change is not None and not 0 <= report.change <= last:
                refused.append(Refused(report, "unknown-change"))
            else:
                row = rows.get(found.link)
                if row is None or row.for_campaign != found.campaign:
                    row = rows[found.link] = AppliedStatus(link_id=found.link, for_campaign=found.campaign)
                stored += _apply(row, report, found, now)
        _store(rows.values())
    return Result(stored, refused)


def _links(keys: Collection[LINK], brands: Collection[int] | None) -> dict[LINK, Linked]:
    """Return what each key is linked to, and lock the links."""
    lock = "FOR NO KEY UPDATE OF link" if is_postgresql() else ""
    found = fetch_all(LINKS.format(given=rows_sql(GIVEN), lock=lock), [rows_param(GIVEN, keys)])
    return {
        (source, account, external_id): Linked(link, campaign, line, position)
        for source, account, external_id, link, campaign, brand, line, position in found
        if brands is None or brand in brands
    }


def _apply(row: AppliedStatus, report: Report, linked: Linked, now: datetime) -> bool:
    """Note a report, and return whether it says something new."""
    at = min(report.at, now)
    if report.change is None:
        return _see(row, report.status, at, now)
    if row.applied_position is not None and report.change < row.applied_position:
        return False
    if report.problem:
        row.problem, row.problem_received = report.problem, now
        return True
    if (report.change, report.status, at) == (row.applied_position, row.applied_status, row.applied_at):
        return False
    row.applied_status, row.applied_position = report.status, report.change
    row.applied_at, row.applied_received = at, now
    position = linked.pause_position
    row.applied_line = linked.pause_line if position is not None and position <= report.change else None
    row.problem, row.problem_received = "", None
    return True


def _see(row: AppliedStatus, status: PlatformStatus, at: datetime, now: datetime) -> bool:
    if row.seen_at is not None and at <= row.seen_at:  # sent again, or overtaken by a newer one
        return False
    row.seen_before_status, row.seen_before_at = row.seen_status, row.seen_at
    row.seen_before_received = row.seen_received
    row.seen_status, row.seen_at, row.seen_received = status, at, now
    return True


def _store(rows: Collection[AppliedStatus]) -> None:
    names = [field.name for field in AppliedStatus._meta.concrete_fields if not field.primary_key]
    AppliedStatus.objects.bulk_create(rows, update_conflicts=True, unique_fields=["link"], update_fields=names)
