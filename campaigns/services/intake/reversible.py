"""What reversals of spend imports and of report imports share: why one is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from campaigns.models import Brand
from campaigns.services.permissions import Person, sees_only_assigned_brands, visible_to


class ReversalRefused(Exception):
    """The import can't be reversed; the message says why."""


def check_assigned(name: str, person: Person, brands_of_import: Callable[[], Sequence[int]]) -> None:
    """Raises ReversalRefused if the import has spend of brands that the person no longer sees."""
    if not sees_only_assigned_brands(person):
        return
    brands = brands_of_import()
    if visible_to(person, Brand.objects.filter(pk__in=brands), "pk").count() < len(brands):
        raise ReversalRefused(
            f"“{name}” has spend of brands that are no longer assigned to you. Ask an administrator to reverse it."
        )
