"""The brand and campaign of each row of a batch: found by name, created if missing, and checked against the row.

A row's time is read in the brand's time zone, and its currency must be the brand's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import in_list, list_param
from campaigns.models import Brand, Campaign
from campaigns.rules.names import name_key, normal_name
from campaigns.rules.periods import find_zone
from campaigns.services.intake.csv_reader import BadRow, Row
from campaigns.services.intake.staging import Placed
from campaigns.services.intake.times import local_to_utc
from campaigns.services.ledger.locks import lock_brands
from campaigns.services.naming.find_names import Found, find_brands, find_campaigns

# The names of a brand and a campaign.
Pair = tuple[str, str]

# The brands whose rows are accepted; None for all.
Brands = QuerySet[Brand] | None


@dataclass(slots=True)
class Counts:
    """The results of an import. without_external_id are imported rows that would count twice if imported again.

    notes are totals and the notes after them. rounded are rows with more than six decimals.
    """

    imported: int = 0
    repeated: int = 0
    refused: int = 0
    without_external_id: int = 0
    created_brands: int = 0
    created_campaigns: int = 0
    without_spend: int = 0
    notes: int = 0
    rounded: int = 0

    def add(self, other: Counts) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class Batch:
    """The results of one batch; ends is whether its transaction ends with it."""

    ends: bool
    counts: Counts = field(default_factory=Counts)
    refused: list[BadRow] = field(default_factory=list)
    created: list[int] = field(default_factory=list)
    created_brands: list[int] = field(default_factory=list)

    def refuse(self, row: Row, reason: str) -> None:
        self.refused.append(BadRow(row.line, reason, row.text))


class BrandFacts(NamedTuple):
    """What a row must agree with."""

    name: str
    timezone: str
    currency: str


def read_brand_facts(brand_ids: Collection[int]) -> dict[int, BrandFacts]:
    sql = f"SELECT id, name, timezone, currency FROM campaigns_brand WHERE {in_list('id')}"
    found = fetch_all(sql, [list_param(set(brand_ids))]) if brand_ids else []
    return {brand_id: BrandFacts(*facts) for brand_id, *facts in found}


def fit_to_brand(row: Row, brand: BrandFacts, zone: ZoneInfo | None) -> Row:
    """Return the row with its timestamp in UTC. Raises ValueError with a message if it contradicts the brand.

    zone applies to times without an offset; None for the brand's. A day is always the brand's.
    """
    if row.currencies and brand.currency not in row.currencies:
        raise ValueError(
            f"The amount is in {row.currencies[0]}, but the brand “{brand.name}” uses {brand.currency}: convert"
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
    return replace(row, timestamp=local_to_utc(clock, row.timestamp))


def check_currency(row: Row) -> Row:
    """Return the row, or raise ValueError if no brand can be created with its currency."""
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


CREATE_IT = "correct the name, create it in the admin, or let the import create missing ones."
CORRECT_IT = "correct the name."


@dataclass
class Places:
    """Finds, and creates if asked, the brand and campaign of each row of a batch."""

    create: bool
    brands: Brands
    zone: ZoneInfo | None
    found_brands: Found[str] = field(default_factory=Found)
    found_campaigns: Found[tuple[int, str]] = field(default_factory=Found)

    def place(self, rows: Sequence[Row], batch: Batch) -> Iterator[Placed]:
        """Yield the rows whose brand and campaign exist or were created; refuse the others."""
        self._find(_pairs(rows))
        rows = list(self._fitting(rows, batch))
        missing = [pair for pair in _pairs(rows) if self._may_create(*pair)] if self.create else []
        if missing:
            self._create(rows, missing, batch)
            rows = list(self._fitting(rows, batch))
        for row in rows:
            brand_id = self.found_brands.ids.get(row.brand)
            campaign_id = None if brand_id is None else self.found_campaigns.ids.get((brand_id, row.campaign))
            if brand_id is None or campaign_id is None:
                batch.refuse(row, self._refusal(row.brand, row.campaign))
            else:
                yield Placed(row, brand_id, campaign_id)

    def _fitting(self, rows: Sequence[Row], batch: Batch) -> Iterator[Row]:
        """Yield the rows that agree with their brand, with UTC timestamps, and those whose brand is missing."""
        ids = self.found_brands.ids
        facts = read_brand_facts(set(ids.values()))
        for row in rows:
            try:
                yield fit_to_brand(row, facts[ids[row.brand]], self.zone) if row.brand in ids else check_currency(row)
            except ValueError as refusal:
                batch.refuse(row, str(refusal))

    def place_preview(self, rows: Sequence[Row], batch: Batch) -> Iterator[Placed]:
        """Yield the rows as they would be placed, with id 0 for what would be created; refuse the others."""
        self._find(_pairs(rows))
        for row in self._fitting(rows, batch):
            brand_id = self.found_brands.ids.get(row.brand, 0)
            campaign_id = self.found_campaigns.ids.get((brand_id, row.campaign), 0)
            if campaign_id or (self.create and self._may_create(row.brand, row.campaign)):
                yield Placed(row, brand_id, campaign_id)
            else:
                batch.refuse(row, self._refusal(row.brand, row.campaign))

    def place_zeros(self, rows: Sequence[Row]) -> Iterator[Placed]:
        """Yield the rows of amount 0 whose campaign exists; the others have nothing to compare."""
        if not rows:
            return
        zeros = Places(create=False, brands=self.brands, zone=self.zone)
        ignored = Batch(ends=False)
        yield from zeros.place(rows, ignored)

    def _find(self, pairs: Iterable[Pair]) -> None:
        self.found_brands = find_brands({brand for brand, _ in pairs}, self.brands)
        ids = self.found_brands.ids
        self.found_campaigns = find_campaigns({(ids[brand], name) for brand, name in pairs if brand in ids})

    def _refusal(self, brand: str, campaign: str) -> str:
        if brand in self.found_brands.problems:
            return self.found_brands.problems[brand]
        if brand not in self.found_brands.ids:
            return f"Unknown brand “{brand}”: {CREATE_IT if self.brands is None else CORRECT_IT}"
        problem = self.found_campaigns.problems.get((self.found_brands.ids[brand], campaign))
        return problem or f"The brand “{brand}” has no campaign “{campaign}”: {CREATE_IT}"

    def _may_create(self, brand: str, campaign: str) -> bool:
        """Return whether the campaign is missing and can be created, with its brand if that is missing too."""
        brand_id = self.found_brands.ids.get(brand)
        if brand_id is None:
            return self.brands is None and _is_valid(brand) and _is_valid(campaign)
        key = (brand_id, campaign)
        return key not in self.found_campaigns.ids and key not in self.found_campaigns.problems

    def _create(self, rows: Sequence[Row], missing: Sequence[Pair], batch: Batch) -> None:
        """Create what is missing; rows that others create concurrently are used as they are.

        Enforcing the created campaigns needs the locks of their brands. They are taken before the INSERT, in the same
        order as when a person creates a campaign, or both could wait for each other. They aren't held through further
        batches, because a check would have to wait: then the import can lose a deadlock, and is rolled back.
        """
        pairs = _pairs(rows)
        brands = {name_key(brand): brand for brand, _ in reversed(missing) if brand not in self.found_brands.ids}
        currencies = {name_key(row.brand): row.currencies for row in reversed(rows)}
        new = [_new_brand(name, currencies[key]) for key, name in sorted(brands.items())]
        Brand.objects.bulk_create(new, ignore_conflicts=True)
        self._find(pairs)
        ids = self.found_brands.ids
        names = {(ids[brand], name_key(name)): name for brand, name in reversed(missing) if brand in ids}
        if batch.ends:
            lock_brands(brand_id for brand_id, _ in names)
        Campaign.objects.bulk_create(
            [Campaign(brand_id=brand_id, name=normal_name(name)) for (brand_id, _), name in sorted(names.items())],
            ignore_conflicts=True,
        )
        self._find(pairs)
        found = self.found_campaigns.ids
        made = ((ids[brand], name) for brand, name in missing if brand in ids)
        batch.created = sorted({found[pair] for pair in made if pair in found})
        batch.created_brands = sorted({ids[brand] for brand in brands.values() if brand in ids})
        batch.counts.created_brands = len(brands)
        batch.counts.created_campaigns = len(names)


def _new_brand(name: str, currencies: tuple[str, ...]) -> Brand:
    brand = Brand(name=normal_name(name))
    if currencies:
        brand.currency = currencies[0]
    return brand


def _pairs(rows: Iterable[Row]) -> list[Pair]:
    return list(dict.fromkeys((row.brand, row.campaign) for row in rows))


def _is_valid(name: str) -> bool:
    try:
        return bool(normal_name(name))
    except ValueError:
        return False
