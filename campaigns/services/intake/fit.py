"""Fitting a line to the brand that it names: its time is read in the brand's zone, its currency is the brand's."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import in_list, list_param
from campaigns.models import Brand
from campaigns.rules.periods import find_zone
from campaigns.services.intake.csv_reader import Row
from campaigns.services.intake.times import on_the_clock_of


class BrandFacts(NamedTuple):
    """What a line has to agree with."""

    name: str
    timezone: str
    currency: str


def facts_of_brands(brand_ids: Collection[int]) -> dict[int, BrandFacts]:
    sql = f"SELECT id, name, timezone, currency FROM campaigns_brand WHERE {in_list('id')}"
    found = fetch_all(sql, [list_param(set(brand_ids))]) if brand_ids else []
    return {brand_id: BrandFacts(*facts) for brand_id, *facts in found}


def fit(row: Row, brand: BrandFacts, zone: ZoneInfo | None) -> Row:
    """Return the row with its timestamp in UTC. Raises ValueError, with a sentence, where it contradicts the brand.

    zone is that of times without an offset; None for the brand's own. A day is always the brand's day.
    """
    if row.currencies and brand.currency not in row.currencies:
        raise ValueError(
            f"The amount is in {row.currencies[0]}, but the brand “{brand.name}” counts in {brand.currency}: convert"
            f" it, or correct the currency."
        )
    if row.timestamp.tzinfo is not None:
        return row
    clock = find_zone(brand.timezone) if zone is None or row.is_day else zone
    if clock is None:
        raise ValueError(
            f"The brand “{brand.name}” has the unknown time zone “{brand.timezone}”: correct it in the admin, or write"
            " the time with its offset."
        )
    return replace(row, timestamp=on_the_clock_of(clock, row.timestamp))


def with_a_currency(row: Row) -> Row:
    """Return the row if a brand can be made for it. Raises ValueError where no brand counts in its currency."""
    problem = _problem_of_currency(row.currencies[0]) if row.currencies else ""
    if problem:
        raise ValueError(problem)
    return row


@lru_cache(maxsize=1_000)
def _problem_of_currency(code: str) -> str:
    try:
        Brand._meta.get_field("currency").clean(code, None)
    except ValidationError as error:
        return f"The currency “{code}” isn't valid: {' '.join(error.messages)}"
    return ""
