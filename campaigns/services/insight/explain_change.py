"""A change in a campaign's history explained in sentences, and what explanations of a status take from the history.

Pure functions over data that the caller has read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from campaigns.models import StatusChange
from campaigns.rules.money import format_money, format_spend
from campaigns.rules.periods import first_of_month
from campaigns.rules.reasons import LABELS, LIMITS, Limit, PauseReason
from campaigns.services.history.actors import actor_name, is_person
from campaigns.services.insight.clock import Clock

# What happened when a reason ended; for limits see _describe_end.
ENDED = {
    PauseReason.CAMPAIGN_DISABLED: "turned on",
    PauseReason.BRAND_DISABLED: "brand resumed",
    PauseReason.NOT_STARTED: "start date reached, moved or removed",
    PauseReason.ENDED: "end date moved or removed",
    PauseReason.OUTSIDE_SCHEDULE: "inside its schedule",
}


def find_start(changes: Sequence[StatusChange], holds: Callable[[int], bool]) -> StatusChange | None:
    """Return the change since which a condition on the reasons holds; None if the changes don't reach back to it."""
    for change in changes:
        if not holds(change.reasons_after):
            return None
        if not holds(change.reasons_before):
            return change
    return None


def has(reason: PauseReason) -> Callable[[int], bool]:
    return lambda reasons: bool(reasons & reason)


def is_same_period(limit: Limit, clock: Clock, at: datetime) -> bool:
    day = clock.day_of(at)
    return day == clock.today if limit.period == "day" else first_of_month(day) == first_of_month(clock.today)


@dataclass(frozen=True)
class ChangeExplanation:
    """What a change of the history did, why, and which reasons held before and after it."""

    headline: str
    reasons: list[str]
    remaining: PauseReason
    actor: str


def explain_change(
    change: StatusChange, currency: str, *, earlier: Sequence[StatusChange] = (), zone: ZoneInfo | None = None
) -> ChangeExplanation:
    """Explain a change. Earlier ones of the campaign, newest first, and its zone tell why it is under a limit again."""
    before, after = PauseReason(change.reasons_before), PauseReason(change.reasons_after)
    begun = [_describe_begin(reason, change, currency) for reason in after & ~before]
    ended = [_describe_end(reason, change, currency, earlier, zone) for reason in before & ~after]
    headline = "Resumed" if not after else "Still paused" if before else "Paused"
    return ChangeExplanation(headline, begun + ended, before & after, actor_name(change.actor))


def _describe_begin(reason: PauseReason, change: StatusChange, currency: str) -> str:
    return f"{LABELS[reason]}{_amounts(LIMITS[reason], change, currency) if reason in LIMITS else ''}"


def _describe_end(
    reason: PauseReason, change: StatusChange, currency: str, earlier: Sequence[StatusChange], zone: ZoneInfo | None
) -> str:
    if reason not in LIMITS:
        return ENDED[reason]
    limit = LIMITS[reason]
    amount = limit.decided_on(change)[1]
    if amount is None:
        return f"{limit.label} removed"
    begun = find_begin(limit, earlier)
    return f"{_why_not_reached(limit, change, begun, zone)}{_amounts(limit, change, currency)}"


def find_begin(limit: Limit, earlier: Sequence[StatusChange]) -> StatusChange | None:
    """Return the latest of the earlier changes with which the limit was reached."""
    return next((line for line in earlier if has(limit.reason)(line.reasons_after & ~line.reasons_before)), None)


def _why_not_reached(limit: Limit, change: StatusChange, begun: StatusChange | None, zone: ZoneInfo | None) -> str:
    """Return why a limit isn't reached any more: a new day or month began (R4), or it was raised, if that is known."""
    if is_new_period(limit, change, begun, zone):
        return f"new {limit.period}, {limit.label}"
    was, amount = limit.decided_on(begun)[1] if begun else None, limit.decided_on(change)[1]
    is_raised = was is not None and amount is not None and amount > was
    return f"{limit.label} {'raised' if is_raised else 'no longer reached'}"


def is_new_period(limit: Limit, change: StatusChange, begun: StatusChange | None, zone: ZoneInfo | None) -> bool:
    """Return whether the limit ended because of a new day or month.

    A limit of 0 is reached in every period; and a person's new limit takes effect at once, so the old one was reached
    until then.
    """
    if begun is None:
        return False
    was, amount = limit.decided_on(begun)[1], limit.decided_on(change)[1]
    if was == 0 or (is_person(change.actor) and amount != was):
        return False
    return not is_same_period(limit, Clock(zone, change.at), begun.at)


def _amounts(limit: Limit, change: StatusChange, currency: str) -> str:
    spend, amount = limit.decided_on(change)
    return f": {format_spend(spend, currency, amount)} of {format_money(amount, currency)}"
