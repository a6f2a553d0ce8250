"""The description of the API in OpenAPI 3.1, made from the structs that read and write its JSON."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import msgspec

from campaigns.api.body import JSON, MAX_ROWS, NDJSON
from campaigns.api.problems import OF_REQUESTS, ProblemBody
from campaigns.api.spend import SpendResult, SpendRow
from campaigns.models.access import Scope

REF = "#/components/schemas/{name}"
PROBLEM_JSON = "application/problem+json"
DESCRIPTION = (
    "For connectors that can't reach the database. Batches of rows are a JSON array or one JSON object a line"
    " (NDJSON), as they are or compressed (Content-Encoding: gzip); each row is stored or refused by itself, and a batch that is sent"
    " again changes nothing. Money is exact: strings, or numbers that no float has passed."
)


class Call(NamedTuple):
    """A POST of a batch: path, scope, what it is about, structs of a row, and of the answer."""

    path: str
    scope: Scope
    summary: str
    description: str
    rows: Sequence[type[msgspec.Struct]]
    result: type[msgspec.Struct]
    example: list[dict[str, Any]]


CALLS = (
    Call(
        "/api/v1/spend",
        Scope.SPEND_WRITE,
        "Send spend records",
        f"Up to {MAX_ROWS:,} records of spend. Each counts once by its campaign and external_id: one that is there and"
        " says the same is a duplicate, one that says something else is refused as a conflict.",
        (SpendRow,),
        SpendResult,
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
)
# Problems of every call, by status.
PROBLEMS = (400, 401, 403, 413, 415, 429, 503)
DESCRIPTIONS = {
    200: "Everything is stored, or was there already.",
    207: "Some rows are refused, the others are stored.",
}


@cache
def document() -> dict[str, Any]:
    structs = {ProblemBody, *(struct for call in CALLS for struct in (*call.rows, call.result))}
    _, components = msgspec.json.schema_components(
        sorted(structs, key=lambda struct: struct.__name__), ref_template=REF
    )
    for schema in components.values():
        for field in schema["properties"].values():
            if field.get("format") == "decimal":
                field["type"] = ["string", "number"]  # msgspec says that it writes strings; it reads numbers exactly
    return {
        "openapi": "3.1.0",
        "info": {"title": "Budget manager", "version": "1", "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "paths": {call.path: {"post": _operation(call)} for call in CALLS},
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "A key of the form bm_ID_SECRET."}
            },
        },
    }


def _operation(call: Call) -> dict[str, Any]:
    refs = [{"$ref": REF.format(name=struct.__name__)} for struct in call.rows]
    row = refs[0] if len(refs) == 1 else {"anyOf": refs}
    batch = {"schema": {"type": "array", "maxItems": MAX_ROWS, "items": row}, "example": call.example}
    lines = {"schema": {"type": "string", "description": "A row in each line."}}
    answer = {JSON: {"schema": {"$ref": REF.format(name=call.result.__name__)}}}
    return {
        "operationId": call.path.rpartition("/")[2],
        "summary": call.summary,
        "description": f"{call.description} Needs the scope {call.scope.value}.",
        "security": [{"key": []}],
        "requestBody": {"required": True, "content": {JSON: batch, NDJSON[0]: lines}},
        "responses": {
            **{str(status): {"description": text, "content": answer} for status, text in DESCRIPTIONS.items()},
            **{str(status): _problem(status) for status in PROBLEMS},
        },
    }


def _problem(status: int) -> dict[str, Any]:
    (title,) = [title for code, title in OF_REQUESTS.values() if code == status]
    described: dict[str, Any] = {
        "description": f"{title}.",
        "content": {PROBLEM_JSON: {"schema": {"$ref": REF.format(name=ProblemBody.__name__)}}},
    }
    if status in (429, 503):
        header = {"description": "Seconds to wait before the next try.", "schema": {"type": "integer"}}
        described["headers"] = {"Retry-After": header}
    return described
