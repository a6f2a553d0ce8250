"""Saved filters: each person's own, and those that colleagues share."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from campaigns.models import SavedFilter
from campaigns.services.permissions import Person, sees_only_assigned_brands

MAX_NAME, MAX_QUERY = 60, 1_000
# Of one person, for one list.
MAX_FILTERS = 20
# Chips above a list.
MAX_SHOWN = 60


class FilterRefused(Exception):
    """The filter can't be saved; the message says why."""


def saved_filters(person: Person, of_list: str) -> list[SavedFilter]:
    """Return the person's filters of a list and the shared ones, in one query.

    People who see only assigned brands see their own only: the names of others may mention other clients.
    """
    found: QuerySet[SavedFilter] = SavedFilter.objects.filter(list=of_list).select_related("user")
    own = Q(user=person.pk)
    return list(found.filter(own if sees_only_assigned_brands(person) else own | Q(is_shared=True))[:MAX_SHOWN])


def save_filter(person: User, of_list: str, name: str, query: str, *, is_shared: bool) -> SavedFilter:
    """Save a query string, which the caller has reduced to the list's own parameters. Raises FilterRefused."""
    name = " ".join(name.replace("\0", "").split())
    if not name:
        raise FilterRefused("Enter a name for the filter.")
    if len(name) > MAX_NAME:
        raise FilterRefused(f"The name has {len(name)} characters; at most {MAX_NAME} are possible.")
    if not query:
        raise FilterRefused("Nothing to save: search, filter or sort the list first.")
    if len(query) > MAX_QUERY:
        raise FilterRefused("The search and filters are too long to be saved.")
    if SavedFilter.objects.filter(user=person, list=of_list).count() >= MAX_FILTERS:
        raise FilterRefused(f"You have {MAX_FILTERS} saved filters for this list. Delete one first.")
    try:
        with transaction.atomic():
            return SavedFilter.objects.create(user=person, list=of_list, name=name, query=query, is_shared=is_shared)
    except IntegrityError:
        raise FilterRefused(f"You already have a saved filter “{name}”. Choose another name.") from None


def delete_filter(person: Person, of_list: str, pk: int) -> bool:
    """Delete one of the person's filters, or any as a superuser; return whether it was there."""
    found = SavedFilter.objects.filter(pk=pk, list=of_list)
    deleted, _ = (found if person.is_superuser else found.filter(user=person.pk)).delete()
    return bool(deleted)
