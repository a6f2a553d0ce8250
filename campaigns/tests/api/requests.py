"""Requests to the HTTP API, as a client with a key makes them."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from django.test import Client

from campaigns.models import Brand
from campaigns.models.platforms.api_keys import Scope
from campaigns.services.api_keys import create_key

SPEND, TOTALS = "/api/v1/spend", "/api/v1/totals"


def make_key(*scopes: Scope, brands: Collection[Brand] = (), **fields: Any) -> str:
    """Return a new key, by default one that may write spend and totals."""
    wanted = scopes or (Scope.SPEND_WRITE, Scope.TOTALS_WRITE)
    return create_key("Test", wanted, brands=[brand.pk for brand in brands], created_by="tests", **fields)[1]


def post(path: str, rows: Any, key: str | None, *, kind: str = "application/json", **headers: str) -> Any:
    """Send rows, or a body as it is, and return the response."""
    body = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
    if key is not None:
        headers["authorization"] = f"Bearer {key}"
    return Client(enforce_csrf_checks=True).post(path, body, content_type=kind, headers=headers)


def spend_row(campaign: Any, amount: Any = "1.5", external_id: Any = "a", **fields: Any) -> dict[str, Any]:
    return {"campaign": campaign, "amount": amount, "external_id": external_id} | fields
