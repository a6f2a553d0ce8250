"""/api/v1/openapi.json, and the same for people at /api/v1/docs: a page without scripts and without another host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from campaigns.api.body import MAX_ROWS, MAX_UNPACKED, MEGABYTE
from campaigns.api.calls import CALLS, READS
from campaigns.api.openapi import DESCRIPTION, DESCRIPTIONS, PROBLEMS, PROBLEMS_OF_READS, description_of, document
from campaigns.api.problems import OF_REQUESTS, OF_ROWS
from campaigns.models.platforms.api_keys import Scope


class Field(NamedTuple):
    """A field of a row."""

    name: str
    is_required: bool
    type: str
    description: str


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(json.dumps(document(), ensure_ascii=False), content_type="application/json")


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    schemas = document()["components"]["schemas"]
    calls = [
        {
            "call": call,
            "name": call.path.rpartition("/")[2],
            "rows": [(struct.__doc__, list(_fields(schemas[struct.__name__], schemas))) for struct in call.rows],
            "example": json.dumps(call.example, indent=2, ensure_ascii=False),
            "result": list(_fields(schemas["BatchResult"], schemas)),
        }
        for call in CALLS
    ]
    reads = [
        {
            "read": read,
            "parameters": [
                Field(each["name"], each["required"], _type(each["schema"], schemas), each.get("description", ""))
                for each in document()["paths"][read.path]["get"]["parameters"]
            ],
            "result": list(_fields(schemas[read.result.__name__], schemas)),
        }
        for read in READS
    ]
    context = {
        "reads": reads,
        "description": DESCRIPTION,
        "calls": calls,
        "scopes": Scope.choices,
        "answers": DESCRIPTIONS,
        "problems": [
            (name, *of)
            for name, of in OF_REQUESTS.items()
            if of[0] in {*PROBLEMS, *PROBLEMS_OF_READS, 404, 405, 410, 500}
        ],
        "row_problems": OF_ROWS,
        "max_rows": MAX_ROWS,
        "max_body": settings.API_MAX_BODY // MEGABYTE,
        "max_unpacked": MAX_UNPACKED // MEGABYTE,
        "requests_per_minute": settings.API_REQUESTS_PER_MINUTE,
    }
    return render(request, "campaigns/api/docs.html", context)


def _fields(schema: dict[str, Any], schemas: dict[str, Any]) -> Iterator[Field]:
    required = schema.get("required", ())
    for name, field in schema["properties"].items():
        yield Field(name, name in required, _type(field, schemas), description_of(field))


def _type(field: dict[str, Any], schemas: dict[str, Any]) -> str:
    """Return the type of a field in a few words."""
    if "anyOf" in field:
        kinds = [_type(each, schemas) for each in field["anyOf"] if each.get("type") != "null"]
        return " or ".join(kinds)
    if "$ref" in field:
        properties = schemas[field["$ref"].rpartition("/")[2]]["properties"]
        return f"{{{', '.join(properties)}}}"
    if "enum" in field:
        return "one of " + ", ".join(map(str, field["enum"]))
    if field["type"] == "array":
        return f"list of {_type(field['items'], schemas)}"
    kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
    form = field.get("format")
    return " or ".join(kinds) if form in (None, "decimal") else f"{form} as {' or '.join(kinds)}"
