"""The description of the API in OpenAPI 3.1, made from the structs that read and write its JSON."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from campaigns.api.body import JSON, MAX_ROWS, NDJSON
from campaigns.api.calls import CALLS, READS, Call, Read
from campaigns.api.problems import OF_REQUESTS, BatchResult, ProblemBody

REF = "#/components/schemas/{name}"
PROBLEM_JSON = "application/problem+json"
DESCRIPTION = (
    "For connectors that can't reach the database. Batches of rows are a JSON array or one JSON object a line"
    " (NDJSON), as they are or compressed (Content-Encoding: gzip); each row is stored or refused by itself, and a"
    " batch that is sent again changes nothing. Money is exact: strings, or numbers that no float has passed."
)


PROBLEMS_OF_READS = (400, 401, 403, 429, 503)
# Problems of every batch, by status.
PROBLEMS = (400, 401, 403, 413, 415, 429, 503)
DESCRIPTIONS = {
    200: "Everything is stored, or was there already.",
    207: "Some rows are refused, the others are stored.",
}


@cache
def document() -> dict[str, Any]:
    structs = {ProblemBody, BatchResult, *(struct for call in CALLS for struct in call.rows)}
    structs |= {read.result for read in READS}
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
        "paths": {call.path: {"post": _operation(call)} for call in CALLS}
        | {read.path: {"get": _read(read)} for read in READS},
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
    answer = {JSON: {"schema": {"$ref": REF.format(name=BatchResult.__name__)}}}
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


def _read(read: Read) -> dict[str, Any]:
    answer = {JSON: {"schema": {"$ref": REF.format(name=read.result.__name__)}}}
    return {
        "operationId": read.name,
        "summary": read.summary,
        "description": f"{read.description} Needs the scope {read.scope.value}.",
        "security": [{"key": []}],
        "parameters": list(_parameters(read)),
        "responses": {
            "200": {"description": "The answer.", "content": answer},
            **{str(status): _problem(status) for status in (*PROBLEMS_OF_READS, *read.problems)},
        },
    }


def _parameters(read: Read) -> Iterator[dict[str, Any]]:
    if "{id}" in read.path:
        yield {"name": "id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}
    schema = msgspec.json.schema(read.parameters)
    (fields,) = schema["$defs"].values()
    for name, field in fields["properties"].items():
        wanted = {key: value for key, value in field.items() if key != "description"}
        yield {
            "name": name,
            "in": "query",
            "required": name in fields["required"],
            "description": description_of(field),
            "schema": wanted,
        }


def description_of(field: dict[str, Any]) -> str:
    """Return the description of a field, or of one of its alternatives."""
    parts = [field, *field.get("anyOf", ())]
    return next((part["description"] for part in parts if "description" in part), "")


def _problem(status: int) -> dict[str, Any]:
    title = ", or ".join(title for code, title in OF_REQUESTS.values() if code == status)
    described: dict[str, Any] = {
        "description": f"{title}.",
        "content": {PROBLEM_JSON: {"schema": {"$ref": REF.format(name=ProblemBody.__name__)}}},
    }
    if status in (429, 503):
        header = {"description": "Seconds to wait before the next try.", "schema": {"type": "integer"}}
        described["headers"] = {"Retry-After": header}
    return described
