"""Owners of brands: members of the staff who look after them. An owner gets no access by it."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db.models import QuerySet

from campaigns.database.write_column import in_pieces


def possible_owners() -> QuerySet[User]:
    return User.objects.filter(is_active=True, is_staff=True).order_by("username")


def owner_ids(names: Iterable[str | None]) -> dict[str, int]:
    """Return the ids of the possible owners with these usernames."""
    found: dict[str, int] = {}
    for piece in in_pieces(sorted({name for name in names if name})):
        found |= dict(possible_owners().filter(username__in=piece).values_list("username", "pk"))
    return found
