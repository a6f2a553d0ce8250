"""What the state machine knows: the facts in plain Python, beside the database that is to agree with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from campaigns.models import SpendRecord
from campaigns.tests.oracle.oracle import BrandFacts, CampaignFacts, Record, reasons, spends
from campaigns.tests.oracle.oracle_books import Books, Totals
from campaigns.tests.support.stored import spend_row, store_brand, store_campaign


@dataclass(frozen=True)
class Line:
    """What a line of history has to say (R13)."""

    campaign: int
    at: datetime
    before: tuple[str, ...]
    after: tuple[str, ...]
    actor: str
    decided_on: tuple[Decimal | None, ...]


@dataclass
class World:
    """Brands with their books, and a clock that only goes forward."""

    now: datetime
    brands: list[BrandFacts] = field(default_factory=list)
    books: dict[int, Books] = field(default_factory=dict)
    # The reasons that the last decision about each campaign gave.
    stored: dict[int, list[str]] = field(default_factory=dict)
    # The lines of history that this step has to leave.
    lines: list[Line] = field(default_factory=list)
    # The last line of the steps before.
    seen: int = 0
    names: int = 0
    # Brands that were changed by SQL since the last full check: a quick check needn't look at them (R8).
    waiting: set[int] = field(default_factory=set)

    def __repr__(self) -> str:
        return f"World at {self.now}"

    @property
    def pairs(self) -> list[tuple[BrandFacts, CampaignFacts]]:
        return [(brand, campaign) for brand in self.brands for campaign in brand.campaigns]

    @property
    def records(self) -> list[tuple[CampaignFacts, Record]]:
        return [(campaign, record) for _, campaign in self.pairs for record in campaign.records]

    @property
    def events(self) -> list[tuple[CampaignFacts, Record]]:
        """Return the records that came as such, each with a name; those of reported totals have none."""
        return [(campaign, record) for campaign, record in self.records if record.external_id]

    @property
    def totals(self) -> Totals:
        return {key: amount for books in self.books.values() for key, amount in books.totals().items()}

    def new_name(self) -> str:
        self.names += 1
        return f"n{self.names}"

    def add_brand(self, brand: BrandFacts, created_at: datetime) -> None:
        """Store a brand that has no campaigns yet."""
        store_brand(brand, created_at)
        self.brands.append(brand)
        self.books[brand.pk] = Books(brand, created_at)

    def add_campaign(self, brand: BrandFacts, campaign: CampaignFacts) -> None:
        """Store a campaign, and what it spends."""
        store_campaign(brand, campaign)
        for record in campaign.records:
            record.external_id = self.new_name()
        SpendRecord.objects.bulk_create([spend_row(brand, campaign, record) for record in campaign.records])
        self.know_campaign(brand, campaign)

    def know_campaign(self, brand: BrandFacts, campaign: CampaignFacts) -> None:
        """Take over a campaign that is stored; it is active until it is decided on."""
        brand.campaigns.append(campaign)
        self.stored[campaign.pk] = []

    def forget_campaign(self, brand: BrandFacts, campaign: CampaignFacts) -> None:
        brand.campaigns.remove(campaign)
        del self.stored[campaign.pk]

    def brand_of(self, campaign: CampaignFacts) -> BrandFacts:
        return next(brand for brand, other in self.pairs if other is campaign)

    def check(self, actor: str) -> None:
        """Reckon what a full check does."""
        for books in self.books.values():
            books.check(self.now)
        self.waiting.clear()
        self.decide(self.pairs, actor)

    def quick_check(self, actor: str, found: Mapping[int, list[str]], zones: Mapping[int, str]) -> None:
        """Reckon what a quick check does; found are the stored reasons after it, zones those that brands are booked in.

        Of what waits for a full check, it may have looked at some: what it decided there has to be right as well.
        """
        for brand in self.brands:
            books = self.books[brand.pk]
            if books.has_moved and zones[brand.pk] == brand.timezone:
                books.close(self.now)
                books.rebook(self.now)
        self.decide(
            [
                (brand, campaign)
                for brand, campaign in self.pairs
                if brand.pk not in self.waiting or found[campaign.pk] != self.stored[campaign.pk]
            ],
            actor,
        )

    def save(self, touched: Sequence[CampaignFacts], change: Callable[[], None], *brands: BrandFacts) -> None:
        """Reckon what a person's change of these brands does, if it is to be decided on these campaigns."""
        for brand in brands:
            self.books[brand.pk].close(self.now)
        change()
        pairs = [pair for pair in self.pairs if pair[1] in touched]
        for pk in {brand.pk for brand, _ in pairs}:
            self.books[pk].rebook(self.now)
        self.decide(pairs, "amara")

    def decide(self, pairs: Iterable[tuple[BrandFacts, CampaignFacts]], actor: str) -> None:
        for brand, campaign in pairs:
            before, after = self.stored[campaign.pk], reasons(brand, campaign, self.now)
            if before != after:
                spent = spends(brand, campaign, self.now)
                decided_on = (
                    *(spent.campaign_today, campaign.daily_spend_limit),
                    *(spent.brand_today, brand.daily_budget),
                    *(spent.brand_this_month, brand.monthly_budget),
                )
                self.lines.append(Line(campaign.pk, self.now, tuple(before), tuple(after), actor, decided_on))
            self.stored[campaign.pk] = after
