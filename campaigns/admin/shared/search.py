"""Search by names and ids, among brands and campaigns only: never a scan of the ledger or the history."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import smart_split, unescape_string_literal

from campaigns.models import Brand, Campaign
from campaigns.rules.names import is_refused
from campaigns.services.naming.search import find
from campaigns.services.permissions import visible_to

# Maximum number of matching brands or campaigns whose spend, history or statements are searched.
MAX_NAMED = 1_000

# The search text is cut here: no name is longer, and SQLite accepts no condition of a thousand words.
LONGEST = 500


def searched(text: str) -> str:
    """Return the search text in the form of stored names: composed, without invisible characters."""
    composed = unicodedata.normalize("NFC", text[:LONGEST])
    return "".join(character for character in composed if not is_refused(character))


def words_of(text: str) -> Iterator[str]:
    """Yield the words of a search, and quoted phrases as one, as Django's own search does."""
    for word in smart_split(searched(text)):
        quoted = word[0] in "\"'" and word[0] == word[-1] and len(word) > 1
        yield unescape_string_literal(word) if quoted else word


def brands_named(text: str, among: QuerySet[Any] | None = None) -> QuerySet[Any]:
    """Return the brands that have every word of the text in their name, or as their id."""
    return find(Brand.objects.order_by() if among is None else among, list(words_of(text)))


def campaigns_named(text: str, among: QuerySet[Any] | None = None) -> QuerySet[Any]:
    """Return the campaigns that have every word of the text in their name or their brand's, or as their id."""
    return find(Campaign.objects.order_by() if among is None else among, list(words_of(text)))


def first_ids(request: HttpRequest, named: QuerySet[Any]) -> list[int]:
    """Return the ids of the first MAX_NAMED rows that the person sees, with a warning if there are more."""
    seen = visible_to(request.user, named, "pk" if named.model is Brand else "brand")
    ids = list(seen.order_by("pk").values_list("pk", flat=True)[: MAX_NAMED + 1])
    if len(ids) > MAX_NAMED:
        what = named.model._meta.verbose_name_plural
        messages.warning(
            request, f"More than {MAX_NAMED:,} {what} match. Only entries of the first {MAX_NAMED:,} are shown."
        )
    return ids[:MAX_NAMED]
