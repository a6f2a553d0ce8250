"""What a new user can see, in words, for the message after adding one."""

from __future__ import annotations

from django.contrib.auth.models import User

from campaigns.models import Brand, BrandAssignment
from campaigns.services.permissions import sees_only_assigned_brands

# Brands that the message names.
MAX_NAMED = 5


def describe_access(user: User) -> str:
    """Return the user's role and brands: "Role: Brand managers. Brands: Alpine, Blue."."""
    groups = sorted(user.groups.values_list("name", flat=True))
    role = "Superuser" if user.is_superuser else ", ".join(groups) or "none"
    if not user.is_superuser and not user.get_all_permissions():
        return f"Role: {role}. The user can't see anything yet: choose a role."
    return f"Role: {role}. Brands: {_brands(user)}."


def needs_brands(user: User) -> bool:
    """Return whether the role sees only assigned brands, and none is."""
    return sees_only_assigned_brands(user) and not _assigned(user)


def _brands(user: User) -> str:
    if not sees_only_assigned_brands(user):
        return "all"
    names = _assigned(user)
    more = f" and {len(names) - MAX_NAMED:,} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more or "none"


def _assigned(user: User) -> list[str]:
    brands = Brand.objects.filter(pk__in=BrandAssignment.objects.filter(user=user.pk).values("brand"))
    return list(brands.order_by("name").values_list("name", flat=True))
