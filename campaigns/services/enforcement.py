"""Enforcement: computing the status of campaigns from the facts and writing what differs (R1, R6, R13).

The only place that writes a status. It decides without locks; then, in batches, it locks the brands that differ,
decides again in a new statement, at the instant at which it holds them, and writes with history. Nobody waits for
longer than a batch, a check with nothing to change takes no lock, and what people save meanwhile is not overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from campaigns.money import from_micros
from campaigns.reasons import PauseReason
from campaigns.services import decide
from campaigns.services.locks import lock_brands
from campaigns.services.scope import Scope

Clock = Callable[[], datetime]
"""Gives the instant to decide for. Services read no clock of their own; a fixed instant is `lambda: at`."""

BATCH_CAMPAIGNS = 5_000


@dataclass(frozen=True)
class Change:
    """What enforcement changes, or would change, in one campaign, and the spend and limits that it was decided on."""

    campaign_id: int
    campaign: str
    brand: str
    before: PauseReason
    after: PauseReason
    campaign_spend: Decimal
    campaign_limit: Decimal | None
    brand_day_spend: Decimal
    brand_daily_budget: Decimal | None
    brand_month_spend: Decimal
    brand_monthly_budget: Decimal | None


@dataclass
class Enforcement:
    """What one enforcement did. Brands in an unknown zone are left as they are and reported (R6)."""

    changed: int = 0
    paused: int = 0
    resumed: int = 0
    unknown_zones: list[str] = field(default_factory=list)


def enforce(
    scope: Scope, *, clock: Clock, actor: str, on_changes: Callable[[list[Change]], None] | None = None
) -> Enforcement:
    """Bring every campaign of the scope to the status that the facts give, with history in the name of actor.

    on_changes is given what each batch changed, after its transaction.
    """
    result = Enforcement(unknown_zones=decide.unknown_zones(scope))
    for brand_ids in _batches(decide.differing_brands(scope, clock())):
        with transaction.atomic():
            lock_brands(brand_ids)
            batch = scope.within(brand_ids)
            last_line = decide.write_differences(batch, clock(), actor)
            written = decide.count_lines(batch, last_line)
            changes = [_change(row) for row in decide.lines(batch, last_line)] if on_changes else []
        result.changed += written.changed
        result.paused += written.paused
        result.resumed += written.resumed
        if on_changes and changes:
            on_changes(changes)
    return result


def preview(scope: Scope, *, now: datetime) -> list[Change]:
    """Return what enforcement would change at now, in order of brand and campaign; nothing is written."""
    return [_change(row) for row in decide.differences(scope, now)]


def _batches(brands: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """Cut the brands, each with its number of differing campaigns, into batches that are short to write."""
    batch: list[int] = []
    campaigns = 0
    for brand_id, count in brands:
        if batch and campaigns + count > BATCH_CAMPAIGNS:
            yield batch
            batch, campaigns = [], 0
        batch.append(brand_id)
        campaigns += count
    if batch:
        yield batch


def _change(row: Sequence[Any]) -> Change:
    campaign_id, campaign, brand, before, after, *micros = row
    money: list[Any] = [None if amount is None else from_micros(amount) for amount in micros]
    return Change(campaign_id, campaign, brand, PauseReason(before), PauseReason(after), *money)
