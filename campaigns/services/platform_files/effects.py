"""What importing a report would do to statuses and budgets: it is imported and booked, and everything is taken back.

Statuses depend on the spend of the current day and month only, so only the totals of these are written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal

from django.db.models import Exists, OuterRef

from campaigns.models import Brand, Campaign, SpendCorrection, SpendRecord, SpendTotal
from campaigns.models.platforms.totals import Waiting
from campaigns.rules.clock import Clock
from campaigns.rules.periods import ONE_DAY, first_of_month
from campaigns.rules.reasons import is_reached
from campaigns.services.enforcement.saving import Effects, Spent, begin_change, effects, rolled_back, spent_of
from campaigns.services.history.record import Channel, Source
from campaigns.services.platform_files.download import Download
from campaigns.services.platform_files.importing import import_download
from campaigns.services.platform_files.placing import brand_of
from campaigns.services.scope import Scope
from campaigns.services.totals.book import book_some

# Totals that a preview writes; on SQLite nobody else writes meanwhile.
MOST_TOTALS = 10_000
# Campaigns that it links, each with statements of its own.
MOST_LINKS = 300
PREVIEW = Source("preview", Channel.IMPORT)


@dataclass(frozen=True)
class ReachedBudget:
    """A budget that is reached with the report, and isn't without it."""

    brand: str
    currency: str
    is_day: bool
    spend: Decimal
    budget: Decimal


@dataclass(frozen=True)
class ReportEffects:
    effects: Effects = field(default_factory=Effects)
    reached: list[ReachedBudget] = field(default_factory=list)
    # The campaigns that the import creates.
    created: frozenset[int] = frozenset()
    # Totals that fall, which the full check books or holds.
    decreases: int = 0
    is_too_large: bool = False
    # Names of campaigns of the report that have spend records of their own in these months: the same spend may count
    # twice.
    with_records: list[str] = field(default_factory=list)
    # Whether no spend of the report counts for a brand.
    is_unassigned: bool = False


def preview_effects(download: Download, *, link: bool, create: bool, clock: Clock) -> ReportEffects | None:
    """Return the effects of an import, None where there is nothing to import."""
    if not download.may_import:
        return None
    now = clock()
    since = first_of_month((now.astimezone(UTC) - ONE_DAY).date())
    count = sum(day >= since for each in download.placed.campaigns.values() for day in each.totals)
    new = [each for each in download.placed.unlinked if brand_of(each, link=link, create=create)]
    if count > MOST_TOTALS or len(new) > MOST_LINKS:
        return ReportEffects(is_too_large=True)
    brands = sorted(_brands(download, link=link, create=create))
    if not count or not brands:
        return ReportEffects(is_unassigned=not brands)
    with rolled_back():
        begin_change(brands, clock=clock)
        before = spent_of(brands, now)
        done = import_download(download, link=link, create=create, source=PREVIEW, clock=clock, since=since)
        ids = _totals(download, since)
        book_some(ids, clock=clock)
        decreases = SpendTotal.objects.filter(pk__in=ids, waiting=Waiting.DECREASE).count()
        would = effects(Scope.of_brands(brands), brands, clock=clock)
        reached = list(_reached(before, spent_of(brands, now)))
        with_records = _with_records(ids, since)
    return ReportEffects(would, reached, done.campaigns, decreases, with_records=with_records)


def _brands(download: Download, *, link: bool, create: bool) -> set[int]:
    found = (brand_of(each, link=link, create=create) for each in download.placed.campaigns.values())
    return {brand.pk for brand in found if brand}


def _totals(download: Download, since: date) -> list[int]:
    days = [day for each in download.placed.campaigns.values() for day in each.totals if day >= since]
    rows = SpendTotal.objects.filter(
        source=download.report.source,
        account__in=list(download.placed.accounts),
        day__range=(min(days), max(days)),
        waiting=Waiting.NO,
    )
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _reached(before: Mapping[int, Spent], after: Mapping[int, Spent]) -> Iterator[ReachedBudget]:
    for brand in Brand.objects.filter(pk__in=after).order_by("name"):
        old, new = before[brand.pk], after[brand.pk]
        for is_day, budget, was, spend in (
            (True, brand.daily_budget, old.today, new.today),
            (False, brand.monthly_budget, old.this_month, new.this_month),
        ):
            if budget is not None and is_reached(budget, spend) and not is_reached(budget, was):
                yield ReachedBudget(brand.name, brand.currency, is_day, spend, budget)


def _with_records(ids: list[int], since: date) -> list[str]:
    """Return the names of campaigns that totals are booked for and that have other records too, since a day."""
    booked = SpendTotal.objects.filter(pk__in=ids, booked_campaign__isnull=False).values("booked_campaign")
    start = datetime.combine(since, time.min, tzinfo=UTC)
    records = SpendRecord.objects.filter(campaign=OuterRef("pk"), total__isnull=True, timestamp__gte=start)
    records = records.exclude(pk__in=SpendCorrection.objects.values("added"))
    found = Campaign.objects.filter(Exists(records), pk__in=booked)
    return list(found.order_by("name").values_list("name", flat=True))
