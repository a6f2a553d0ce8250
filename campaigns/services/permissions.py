"""Which brands a person can see: all, unless a permission limits them to assigned brands."""

from __future__ import annotations

from typing import Any, TypeGuard, TypeVar

from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.db.models import QuerySet

from campaigns.models import BrandAssignment

M = TypeVar("M", bound=models.Model)

# This permission takes access away: a person with two groups, of which one has it, is limited.
ONLY_ASSIGNED_BRANDS = "campaigns.only_assigned_brands"

Person = User | AnonymousUser


def sees_only_assigned_brands(user: Person) -> TypeGuard[User]:
    """Return whether the person sees only assigned brands. Superusers see all."""
    return not user.is_superuser and bool(user.has_perm(ONLY_ASSIGNED_BRANDS))


def assigned_brands(user: Person) -> frozenset[int] | None:
    """Return the ids of the brands that the person sees; None for all."""
    if not sees_only_assigned_brands(user):
        return None
    return frozenset(BrandAssignment.objects.filter(user=user.pk).values_list("brand_id", flat=True))


def visible_to(user: Person, rows: QuerySet[M], brand: str) -> QuerySet[M]:
    """Return the rows that the person can see; `brand` is the lookup from a row to its brand, or "pk"."""
    if not sees_only_assigned_brands(user):
        return rows
    assigned = BrandAssignment.objects.filter(user=user.pk).values("brand")
    limited: dict[str, Any] = {f"{brand}__in": assigned}
    return rows.filter(**limited)
