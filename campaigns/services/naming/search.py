"""Searching brands and campaigns by words of their names, without case and accents, and by ids.

On PostgreSQL the names are read as campaigns/sql/postgresql_search.sql keeps them: what contains a word is found by
trigrams, what begins with it by its order. On SQLite all names are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from django.db import models
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from campaigns.database.connection import fetch_all, is_postgresql
from campaigns.database.dialects import in_list, list_param
from campaigns.models import Brand, Campaign
from campaigns.services.permissions import Person, sees_only_assigned_brands, visible_to

M = TypeVar("M", bound=models.Model)

# Up to so many brands that have a word in their name, the campaigns of each are looked up; otherwise all are read.
FEW_BRANDS = 1_000
MAX_ID = 2**63 - 1
# No text that begins with another comes after that one with this character.
LAST_CHARACTER = "\U0010ffff"


class Match(NamedTuple):
    """A condition in SQL with its parameters."""

    sql: str
    params: list[Any]


class Names(NamedTuple):
    """Where the names of a model are read, their text there, and the condition that it contains a word."""

    table: str
    text: str
    contains: str


def names_of(model: type[models.Model]) -> Names:
    if is_postgresql():
        return Names(f"{model._meta.db_table}search", "text", "text LIKE campaigns_search_pattern(%s)")
    text = "campaigns_search_text(name)"
    return Names(model._meta.db_table, text, f"instr({text}, campaigns_search_text(%s)) > 0")


def find(rows: QuerySet[M], words: Sequence[str]) -> QuerySet[M]:
    """Return those of the brands or campaigns that have every word in their name, in their brand's, or as their id."""
    if not words:
        return rows
    match = _matches(rows.model, words)
    ids = f"SELECT id FROM {names_of(rows.model).table} WHERE {match.sql}"
    return rows.filter(pk__in=RawSQL(ids, match.params))  # noqa: S611  # the words are parameters


def suggest_brands(user: Person, words: Sequence[str], *, limit: int, archived: bool = False) -> list[Brand]:
    """Return some brands that have every word, as the person sees them, those whose names begin so first.

    Only archived ones, or only others.
    """
    brands = Brand.objects.archived() if archived else Brand.objects.not_archived()
    rows = visible_to(user, brands.order_by(), "pk")
    return _by_id(rows.only("name"), _candidates(Brand, words, user, limit, archived=archived), limit)


def suggest_campaigns(user: Person, words: Sequence[str], *, limit: int, archived: bool = False) -> list[Campaign]:
    """Return some campaigns that have every word, with their brands; see suggest_brands."""
    campaigns = Campaign.objects.archived() if archived else Campaign.objects.not_archived()
    rows = visible_to(user, campaigns.order_by(), "brand").select_related("brand").only("name", "brand__name")
    return _by_id(rows, _candidates(Campaign, words, user, limit, archived=archived), limit)


def _by_id(rows: QuerySet[M], ids: Sequence[int], limit: int) -> list[M]:
    found = rows.in_bulk(ids)
    return [found[pk] for pk in ids if pk in found][:limit]


def _candidates(
    model: type[models.Model], words: Sequence[str], user: Person, limit: int, *, archived: bool
) -> list[int]:
    """Return ids, the best first: the id itself, names that begin with the words, others; each read up to the limit."""
    names, match, shown = names_of(model), _matches(model, words), _shown(model, user, archived=archived)
    begin = f"{names.text} >= campaigns_search_text(%s) AND {names.text} < campaigns_search_text(%s) || %s"
    select = f"SELECT id FROM {names.table} AS name WHERE"
    text = " ".join(words)
    beginning = fetch_all(
        f"{select} {begin} AND {shown.sql} ORDER BY {names.text} LIMIT %s",
        [text, text, LAST_CHARACTER, *shown.params, limit],
    )
    others = fetch_all(f"{select} {match.sql} AND {shown.sql} LIMIT %s", [*match.params, *shown.params, limit])
    number = number_of(words[0]) if len(words) == 1 else None
    own = [] if number is None else [(number,)]
    return list(dict.fromkeys(pk for (pk,) in (*own, *beginning, *others)))


def _shown(model: type[models.Model], user: Person, *, archived: bool) -> Match:
    """Return the condition that the person sees a row, and that it is archived or isn't.

    It is looked up for a row whose name matches: there may be many that are archived, and few are needed.
    """
    brand = "name.id" if model is Brand else "name.brand_id"
    kept = [f"(SELECT archived_at IS NULL FROM campaigns_brand AS brand WHERE brand.id = {brand})"]
    if model is Campaign:
        kept.append("(SELECT archived_at IS NULL FROM campaigns_campaign AS campaign WHERE campaign.id = name.id)")
    shown = [f"NOT ({' AND '.join(kept)})"] if archived else kept
    if not sees_only_assigned_brands(user):
        return Match(" AND ".join(shown), [])
    shown.append(f"{brand} IN (SELECT brand_id FROM campaigns_brandassignment WHERE user_id = %s)")
    return Match(" AND ".join(shown), [user.pk])


def number_of(word: str) -> int | None:
    """Return the id that a word can be: digits, also after a number sign."""
    digits = word.removeprefix("#")
    return int(digits) if digits.isdecimal() and digits.isascii() and int(digits) <= MAX_ID else None


def _matches(model: type[models.Model], words: Sequence[str]) -> Match:
    brands = _few_brands(words) if model is Campaign else {}
    each = [_match(model, word, brands.get(number)) for number, word in enumerate(words)]
    return Match(" AND ".join(f"({one.sql})" for one in each), [param for one in each for param in one.params])


def _match(model: type[models.Model], word: str, few_brands: list[int] | None) -> Match:
    number = number_of(word)
    sql: list[str] = [names_of(model).contains]
    params: list[Any] = [word]
    if number is not None:
        sql.append("id = %s")
        params.append(number)
    if model is not Campaign:
        return Match(" OR ".join(sql), params)
    if few_brands == []:
        return Match(" OR ".join(sql), params)
    if few_brands is not None:
        return Match(" OR ".join([*sql, in_list("brand_id")]), [*params, list_param(few_brands)])
    brands = names_of(Brand)
    of_brands = f"brand_id IN (SELECT id FROM {brands.table} WHERE {brands.contains})"
    return Match(" OR ".join([*sql, of_brands]), [*params, word])


def _few_brands(words: Sequence[str]) -> dict[int, list[int]]:
    """Return the brands that have each word, by its place; without the words that more than FEW_BRANDS have.

    With the ids at hand PostgreSQL finds the campaigns by their indexes, where it would read all for a subquery.
    """
    brands = names_of(Brand)
    found: dict[int, list[int]] = {number: [] for number in range(len(words))}
    selects = [
        f"SELECT * FROM (SELECT {number} AS number, id FROM {brands.table} WHERE {brands.contains} LIMIT %s) AS found"
        for number in found
    ]
    params = [param for word in words for param in (word, FEW_BRANDS + 1)]
    for number, pk in fetch_all(" UNION ALL ".join(selects), params):
        found[number].append(pk)
    return {number: ids for number, ids in found.items() if len(ids) <= FEW_BRANDS}
