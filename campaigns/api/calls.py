"""The calls of the API as they are described: in OpenAPI, and on the page for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from campaigns.api.applied import AppliedRow
from campaigns.api.body import MAX_ROWS
from campaigns.api.brands import BrandBudget, BrandsPage, BrandsQuery, NoQuery
from campaigns.api.spend import SpendRow
from campaigns.api.status import CampaignsPage, CampaignsQuery, ChangesPage, ChangesQuery
from campaigns.api.totals import AccountRow, TotalRow
from campaigns.models.platforms.api_keys import Scope


class Read(NamedTuple):
    """A GET: path, scope, what it is about, structs of its parameters and of the answer."""

    path: str
    scope: Scope
    summary: str
    description: str
    parameters: type[msgspec.Struct]
    result: type[msgspec.Struct]
    # Of the path and the query.
    example: str
    # Problems beside those of every call.
    problems: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        return "get-" + self.path.removeprefix("/api/v1/").replace("/{id}", "-id")


class Call(NamedTuple):
    """A POST of a batch; rows are the structs of its rows."""

    path: str
    scope: Scope
    summary: str
    description: str
    rows: Sequence[type[msgspec.Struct]]
    example: list[dict[str, Any]]


CALLS = (
    Call(
        "/api/v1/spend",
        Scope.SPEND_WRITE,
        "Send spend records",
        f"Up to {MAX_ROWS:,} records of spend. Each counts once by its campaign and external_id: one that is there and"
        " says the same is a duplicate, one that says something else is refused as a conflict.",
        (SpendRow,),
        [
            {"campaign": 17, "amount": "12.345678", "external_id": "click-4711"},
            {
                "campaign": {"source": "google_ads", "account": "123-456-7890", "campaign": "12345678901"},
                "amount": "-0.0042",
                "timestamp": "2026-11-22T14:05:00+01:00",
                "external_id": "refund-1",
            },
        ],
    ),
    Call(
        "/api/v1/totals",
        Scope.TOTALS_WRITE,
        "Send what platforms report",
        f"Up to {MAX_ROWS:,} rows, of two kinds. Totals by the platform's campaign and day: the newest report of each"
        " counts, and changes are booked within seconds; send every total once, summed over devices, networks and"
        " hours. Accounts, with the instant up to which their spend is known: send it after each sync. Accounts and"
        " campaigns that are new are added; their spend waits until a person links them.",
        (TotalRow, AccountRow),
        [
            {
                "source": "google_ads",
                "account": "123-456-7890",
                "campaign": "12345678901",
                "day": "2026-11-27",
                "total": "180.50",
                "as_of": "2026-11-27T20:00:00Z",
            },
            {"source": "google_ads", "account": "123-456-7890", "reported_until": "2026-11-27T20:00:00Z"},
        ],
    ),
    Call(
        "/api/v1/applied",
        Scope.STATUS_ACK,
        "Acknowledge what was applied",
        f"Up to {MAX_ROWS:,} rows: with change, what was applied on the platform, or why it couldn't be; without, what"
        " the platform shows. Acknowledge every change of a linked campaign, also if there was nothing to do.",
        (AppliedRow,),
        [
            {
                "source": "google_ads",
                "account": "123-456-7890",
                "campaign": "12345678901",
                "change": 1795922948759001,
                "status": "paused",
                "at": "2026-11-29T14:00:31Z",
            },
        ],
    ),
)
READS = (
    Read(
        "/api/v1/campaigns",
        Scope.STATUS_READ,
        "List campaigns with their statuses",
        "Status, reasons, until when, links, and what was applied, up to 1,000 campaigns a page. Then follow the"
        " changes from the position; list again now and then, and whenever a position is unknown.",
        CampaignsQuery,
        CampaignsPage,
        "/api/v1/campaigns?source=google_ads&status=paused",
    ),
    Read(
        "/api/v1/changes",
        Scope.STATUS_READ,
        "Follow status changes",
        "The changes after a position, in order, up to 1,000 a page; none is ever missed, some may come twice. Apply"
        " the status, which is the campaign's status now. A campaign that is neither listed nor changed is active.",
        ChangesQuery,
        ChangesPage,
        "/api/v1/changes?after=1795922948759001",
        (410,),
    ),
    Read(
        "/api/v1/brands",
        Scope.BUDGET_READ,
        "List brands with budgets and spend",
        "Budgets, spend, pace and projection, up to 1,000 brands a page.",
        BrandsQuery,
        BrandsPage,
        "/api/v1/brands",
    ),
    Read(
        "/api/v1/brands/{id}",
        Scope.BUDGET_READ,
        "Read a brand",
        "Budgets, spend, pace and projection of one brand.",
        NoQuery,
        BrandBudget,
        "/api/v1/brands/17",
        (404,),
    ),
)
