"""Who sees which brands: everything, unless a permission says that a person sees only the brands given to them."""

from __future__ import annotations

from typing import Any, TypeGuard, TypeVar

from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.db.models import QuerySet

from campaigns.models import BrandAssignment

M = TypeVar("M", bound=models.Model)

# The permission that takes away: of two groups, one with it and one without, it is the one with it that counts.
ONLY_ASSIGNED_BRANDS = "campaigns.only_assigned_brands"

Person = User | AnonymousUser


def sees_only_assigned_brands(user: Person) -> TypeGuard[User]:
    """Return whether the person sees only the brands that they were given. Superusers see everything."""
    return not user.is_superuser and bool(user.has_perm(ONLY_ASSIGNED_BRANDS))


def visible_to(user: Person, rows: QuerySet[M], brand: str) -> QuerySet[M]:
    """Return those of the rows that the person sees; `brand` is the lookup from a row to its brand, or "pk"."""
    if not sees_only_assigned_brands(user):
        return rows
    given = BrandAssignment.objects.filter(user=user.pk).values("brand")
    limited: dict[str, Any] = {f"{brand}__in": given}
    return rows.filter(**limited)
