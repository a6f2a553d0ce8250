"""The parameters of an address, read into a struct, which describes them too."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from django.http import HttpRequest
from msgspec import UNSET, UnsetType

from campaigns.api.problems import Problem, explain

Value = TypeVar("Value")
Parameters = TypeVar("Parameters", bound=msgspec.Struct)


def read_query(request: HttpRequest, kind: type[Parameters]) -> Parameters:
    """Return the parameters. Raises Problem for an unknown, missing, repeated or invalid one."""
    for name, values in request.GET.lists():
        if len(values) > 1:
            raise Problem("invalid-parameter", f"{name}: give it once.")
        # PostgreSQL has no text with it.
        if "\0" in values[0]:
            raise Problem("invalid-parameter", f"{name}: It can't contain the character 0.")
    try:
        return msgspec.convert(request.GET.dict(), kind, strict=False)
    except msgspec.ValidationError as error:
        raise Problem("invalid-parameter", explain(error)) from None


def given(value: Value | UnsetType) -> Value | None:
    """Return a parameter, or None if it was left out. Its type can't be None: that would be read from "null"."""
    return None if value is UNSET else value
