"""Errors as RFC 9457 problems: what is wrong with a request, or with one row of it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from django.http import HttpRequest, HttpResponse
from msgspec import Meta

DOCS = "/api/v1/docs"

# What can be wrong with a request: status, title.
OF_REQUESTS = {
    "invalid-json": (400, "The body isn't valid"),
    "invalid-parameter": (400, "A parameter of the address isn't valid"),
    "unauthorized": (401, "No valid key"),
    "forbidden": (403, "The key may not do this"),
    "not-found": (404, "There is nothing here"),
    "method-not-allowed": (405, "The method isn't allowed"),
    "unknown-position": (410, "The position was pruned, or never given: list the campaigns again"),
    "too-large": (413, "The batch is too large"),
    "unsupported-media-type": (415, "The form of the body isn't supported"),
    "too-many-requests": (429, "Too many requests"),
    "error": (500, "An error of the server"),
    "busy": (503, "Try again later"),
}
# What can be wrong with a row.
OF_ROWS = {
    "invalid-row": "The row isn't valid JSON, lacks a field, has an unknown one, or one of another type",
    "invalid-amount": "The amount is 0, too large, no number, or has more than six decimals",
    "invalid-timestamp": "An instant isn't between 2012 and 2100, or lies more than an hour ahead where it can't",
    "unknown-source": "Unknown platform",
    "invalid-id": "The platform's ID is empty, too long, or has control characters",
    "invalid-day": "The day isn't between 2012-01-02 and 2099-12-30",
    "unknown-account": "Unknown account, or no access to its brand",
    "unknown-campaign": "Unknown campaign, or no access to its brand",
    "unlinked-campaign": "The platform's campaign isn't linked to one of ours",
    "other-currency": "The account of the platform has another currency than the brand",
    "unknown-change": "The position in change was never given",
    "conflict": "The external_id is there already with another amount or timestamp, or a total is in the batch twice",
}


class ProblemBody(msgspec.Struct):
    """Why a request is refused as a whole (RFC 9457)."""

    type: Annotated[str, Meta(description="Names the kind of the problem.")]
    title: str
    status: int
    detail: Annotated[str, Meta(description="What is wrong with this request, for people.")]
    instance: Annotated[str, Meta(description="The path of the request.")]


class Problem(Exception):
    """A request that is refused as a whole."""

    def __init__(self, kind: str, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def response(self, request: HttpRequest) -> HttpResponse:
        status, title = OF_REQUESTS[self.kind]
        body = ProblemBody(f"{DOCS}#{self.kind}", title, status, self.detail, request.path)
        headers = {"Cache-Control": "no-store"} | self.headers
        return HttpResponse(
            msgspec.json.encode(body), status=status, content_type="application/problem+json", headers=headers
        )


class RefusedRow(msgspec.Struct, omit_defaults=True):
    """A row of a batch that wasn't stored."""

    row: Annotated[int, Meta(ge=1, description="The number of the row in the batch, from 1.")]
    problem: Annotated[str, Meta(extra_json_schema={"enum": list(OF_ROWS)})]
    detail: Annotated[str, Meta(description="What is wrong with the row, for people.")]
    external_id: str | None = None


class BatchResult(msgspec.Struct):
    """What has become of a batch."""

    stored: Annotated[int, Meta(description="Rows that are new, or that changed something.")]
    duplicates: Annotated[int, Meta(description="Rows that say what was there already, or something older.")]
    refused: int
    rows: Annotated[list[RefusedRow], Meta(description="The rows that were refused.")]


def explain(error: Exception) -> str:
    """Return why msgspec couldn't decode something, as a sentence."""
    if isinstance(error, RecursionError):
        return "The JSON is nested too deeply."
    if isinstance(error, UnicodeDecodeError):
        return "The text isn't valid UTF-8."
    if not isinstance(error, msgspec.ValidationError):
        return f"It isn't valid JSON: {error}."
    reason, _, path = str(error).partition(" - at `$")
    field = path.rstrip("`").strip(".")
    reason = reason.replace("`decimal`", "a number").replace("`str`", "a string").replace("`", "")
    return f"{field}: {reason}." if field else f"{reason}."


def respond(result: BatchResult) -> HttpResponse:
    return json_response(result, status=207 if result.refused else 200)


def json_response(body: msgspec.Struct, *, status: int = 200) -> HttpResponse:
    return HttpResponse(
        msgspec.json.encode(body),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
