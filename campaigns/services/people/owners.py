"""Owners of brands: members of the staff who look after them. An owner gets no access by it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from campaigns.database.clock import database_now
from campaigns.database.write_column import in_pieces
from campaigns.models import Brand
from campaigns.services.history.record import Channel, Source, differences, record_changes
from campaigns.services.history.settings import read_settings
from campaigns.services.permissions import Person


def possible_owners() -> QuerySet[User]:
    return User.objects.filter(is_active=True, is_staff=True).order_by("username")


def owner_ids(names: Iterable[str | None]) -> dict[str, int]:
    """Return the ids of the possible owners with these usernames."""
    found: dict[str, int] = {}
    for piece in in_pieces(sorted({name for name in names if name})):
        found |= dict(possible_owners().filter(username__in=piece).values_list("username", "pk"))
    return found


@contextmanager
def recording_lost_owners(people: Sequence[int], editor: Person) -> Iterator[None]:
    """Delete users inside, in one transaction: brands that lose their owner have a line of it in their history."""
    with transaction.atomic():
        owned = Brand.objects.filter(owner__in=people).order_by("pk").select_for_update(of=("self",))
        ids = list(owned.values_list("pk", flat=True))
        before = read_settings(Brand, ids)
        yield
        source = Source(editor.get_username(), Channel.FORM)
        record_changes(differences(before, read_settings(Brand, ids)), source, at=database_now())
