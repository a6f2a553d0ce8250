"""What one page of a dialogue hands to the next through the browser: signed, for this person, and compact."""

from __future__ import annotations

from typing import Any

from django.core import signing
from django.http import HttpRequest


def sign_state(request: HttpRequest, what: str, data: Any) -> str:
    """Return the data as a text that only this person can bring back, for what it is named for."""
    return signing.dumps(data, salt=_salt(request, what), compress=True)


def load_state(request: HttpRequest, what: str, name: str) -> Any:
    """Return what was handed on under the posted name; None where it wasn't, or was changed on its way."""
    try:
        return signing.loads(request.POST.get(name, ""), salt=_salt(request, what))
    except signing.BadSignature:
        return None


def _salt(request: HttpRequest, what: str) -> str:
    return f"campaigns.{what}.{request.user.pk}"
