"""A campaign's status explained in sentences: since when, why, what would let it run now, and what comes next.

Pure functions over data that the caller has read. The past comes from the status history, the future from
campaigns.services.insight.forecast; no rule is decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from campaigns.models import Campaign, StatusChange
from campaigns.rules.money import format_money, format_spend
from campaigns.rules.periods import ONE_DAY, find_zone, first_of_month, local_date, minute_of, start_of_day
from campaigns.rules.reasons import LABELS, LIMITS, Limit, PauseReason, describe, is_reached
from campaigns.services.history.actors import is_person
from campaigns.services.insight.clock import Clock
from campaigns.services.insight.explain_change import find_begin, find_start, has, is_new_period, is_same_period
from campaigns.services.insight.forecast import Window, allowed_from, forecast, next_closing

# The texts of these reasons include a date.
DATED = PauseReason.NOT_STARTED | PauseReason.ENDED

DISABLED = {PauseReason.CAMPAIGN_DISABLED: "turned off", PauseReason.BRAND_DISABLED: "the brand is paused"}

# What a person changes to lift a reason; for limits see _describe_remedy.
REMEDIES = {
    PauseReason.CAMPAIGN_DISABLED: "turn it on",
    PauseReason.BRAND_DISABLED: "resume the brand",
    PauseReason.NOT_STARTED: "move its start date to today",
    PauseReason.ENDED: "move its end date to today or later",
    PauseReason.OUTSIDE_SCHEDULE: "add this time to its schedule",
}


@dataclass(frozen=True)
class Facts:
    """A campaign with its brand, windows and spend, and its latest history, the newest change first."""

    campaign: Campaign
    windows: Sequence[Window]
    changes: Sequence[StatusChange]
    spend_today: Decimal
    brand_spend_today: Decimal
    brand_spend_this_month: Decimal


@dataclass(frozen=True)
class Explanation:
    """Three parts of one text: "Paused since 14:05", the reasons, and "Resumes tonight at 00:00 (Europe/Paris)."."""

    headline: str
    reasons: list[str]
    next: str
    # "To let it run now: raise the daily spend limit above 12.50 EUR."; empty where nothing is to be done.
    remedy: str = ""

    @property
    def text(self) -> str:
        because = f": {'; '.join(self.reasons)}" if self.reasons else ""
        return f"{self.headline}{because}. {self.next}"


def explain_status(facts: Facts, now: datetime) -> Explanation:
    campaign, clock = facts.campaign, Clock(find_zone(facts.campaign.brand.timezone), now)
    start = find_start(facts.changes, (lambda reasons: reasons != 0) if campaign.reasons else _is_active)
    reasons = _describe_reasons(facts, clock, start) if campaign.reasons else _describe_resume(facts, clock, start)
    return Explanation(_headline(facts, clock, start), reasons, _next(facts, clock), _remedy(facts, clock))


def _is_active(reasons: int) -> bool:
    return reasons == 0


def _headline(facts: Facts, clock: Clock, start: StatusChange | None) -> str:
    campaign = facts.campaign
    status = "Paused" if campaign.reasons else "Active"
    if start:
        return f"{status} since {clock.past(start.at)}"
    if facts.changes:
        # Earlier changes have been pruned, or weren't read.
        return f"{status} since before {clock.past(facts.changes[-1].at)}"
    if campaign.reasons:
        return status
    return f"Active since it was created {clock.moment(campaign.created_at).removeprefix('today ')}"


def _describe_reasons(facts: Facts, clock: Clock, start: StatusChange | None) -> list[str]:
    """Return each reason, with its start if later than the pause; if all are later, also the first reasons."""
    texts, are_later = [], []
    for reason in facts.campaign.reasons:
        change = find_start(facts.changes, has(reason))
        text = _describe_reason(reason, facts, clock, change)
        is_later = bool(change and start and change.at != start.at)
        are_later.append(is_later)
        texts.append(f"{text} since {clock.past(change.at)}" if change and is_later and reason not in DATED else text)
    if start and texts and all(are_later):
        texts.append(f"before that: {describe(start.reasons_after)}")
    return texts


def _describe_resume(facts: Facts, clock: Clock, start: StatusChange | None) -> list[str]:
    """Return the new day or month with which an active campaign resumed, if that is why."""
    if start is None:
        return []
    earlier = facts.changes[facts.changes.index(start) + 1 :]
    ended = [LIMITS[reason] for reason in PauseReason(start.reasons_before) if reason in LIMITS]
    periods = {limit.period for limit in ended if is_new_period(limit, start, find_begin(limit, earlier), clock.zone)}
    return [f"new {period}" for period in sorted(periods)]


def _describe_reason(reason: PauseReason, facts: Facts, clock: Clock, change: StatusChange | None) -> str:
    campaign = facts.campaign
    if reason in DISABLED:
        actor = f" by {change.actor}" if change is not None and is_person(change.actor) else ""
        return f"{_describe_switch(reason, campaign)}{actor}"
    if reason == PauseReason.NOT_STARTED and campaign.starts_on:
        return f"it starts {clock.day(campaign.starts_on)}"
    if reason == PauseReason.ENDED and campaign.ends_on:
        return f"its last day was {clock.day(campaign.ends_on).removeprefix('on ')}"
    return _reached(LIMITS[reason], facts, clock, change) if reason in LIMITS else LABELS[reason]


def _describe_switch(reason: PauseReason, campaign: Campaign) -> str:
    """Name what is off; what is archived is off until it is restored."""
    if reason == PauseReason.CAMPAIGN_DISABLED:
        return "archived" if campaign.archived_at else DISABLED[reason]
    return "the brand is archived" if campaign.brand.archived_at else DISABLED[reason]


def _reached(limit: Limit, facts: Facts, clock: Clock, change: StatusChange | None) -> str:
    """Name the spend at which the limit was reached, if limit and period are still the same (R4)."""
    amount, spend = limit.of(facts.campaign), limit.spend_of(facts)
    name = limit.label if limit.subject == "campaign" else f"the {limit.label}"
    if amount == 0:
        return f"{name} is 0, so nothing can be spent"
    currency = facts.campaign.brand.currency
    of = f"{name} of {format_money(amount, currency)} reached"
    spend_then, amount_then = limit.decided_on(change) if change else (spend, None)
    if amount_then != amount or (change and not is_same_period(limit, clock, change.at)):
        return f"{of}, {format_spend(spend, currency)} spent {limit.when}"
    by_now = "" if spend == spend_then else f", {format_spend(spend, currency)} by now"
    return f"{of} at {format_spend(spend_then, currency)}{by_now}"


def _remedy(facts: Facts, clock: Clock) -> str:
    """Return what a person can change to lift all reasons at once; empty if the next check lifts them anyway."""
    campaign = facts.campaign
    if clock.zone is None or _is_due(campaign, clock):
        return ""
    todo = [_describe_remedy(reason, facts) for reason in campaign.reasons if not _is_lifted(reason, facts)]
    if not todo:
        return ""
    *others, last = todo
    before = f"{', '.join(others)} and " if others else ""
    return f"To let it run now: {before}{last}."


def _is_lifted(reason: PauseReason, facts: Facts) -> bool:
    """Return whether a limit isn't reached any more, as the next check will find."""
    limit = LIMITS.get(reason)
    return limit is not None and not is_reached(limit.of(facts.campaign), limit.spend_of(facts))


def _describe_remedy(reason: PauseReason, facts: Facts) -> str:
    campaign = facts.campaign
    if reason in LIMITS:
        limit = LIMITS[reason]
        above = format_money(max(limit.spend_of(facts), Decimal(0)), campaign.brand.currency)
        return f"raise the {limit.label} above {above}"
    if reason == PauseReason.CAMPAIGN_DISABLED and campaign.archived_at:
        return "restore it and turn it on"
    if reason == PauseReason.BRAND_DISABLED and campaign.brand.archived_at:
        return "restore and resume the brand"
    return REMEDIES[reason]


def _is_due(campaign: Campaign, clock: Clock) -> bool:
    return clock.zone is not None and campaign.next_change_minute <= minute_of(clock.now)


def _next(facts: Facts, clock: Clock) -> str:
    campaign = facts.campaign
    if _is_due(campaign, clock):
        return "Due now; updates at the next check."
    return _resumes(facts, clock) if campaign.reasons else _pauses(facts, clock)


def _resumes(facts: Facts, clock: Clock) -> str:
    found = forecast(facts.campaign, facts.windows, clock.now)
    if found.is_never:
        return f"Stays paused: {found.why}."
    if found.at is None or clock.zone is None:
        return f"Resumes {found.text}."
    if found.at <= clock.now:
        return "The next check resumes it."
    lifted = allowed_from(facts.campaign, clock.zone, clock.now)
    event, subject = _describe_lift(facts.campaign, clock.zone, lifted)
    if found.at == lifted:
        return f"Resumes {clock.moment(found.at)} ({clock.name}), when {event}."
    opens = f"{clock.moment(found.at)} ({clock.name}), when its next window opens"
    if lifted <= clock.now:
        return f"Resumes {opens}."
    return f"{subject} {clock.moment(lifted)}, outside the schedule, so it resumes {opens}."


def _describe_lift(campaign: Campaign, zone: ZoneInfo, at: datetime) -> tuple[str, str]:
    """Return what lifts the reasons at that instant, as a clause after "when" and as the start of a sentence."""
    day = local_date(zone, at)
    if day == campaign.starts_on:
        return "its first day begins", "The campaign starts"
    is_month = day == first_of_month(day) and any(
        LIMITS[reason].period == "month" for reason in campaign.reasons if reason in LIMITS
    )
    period = "month" if is_month else "day"
    return f"the new {period} begins", "The monthly budget resets" if is_month else "The limit resets"


def _pauses(facts: Facts, clock: Clock) -> str:
    campaign, zone = facts.campaign, clock.zone
    brand = campaign.brand
    if zone is None:
        return (
            f"The brand’s time zone, “{brand.timezone}”, is unknown: correct it to apply budgets, dates and schedules."
        )
    has_limit = any(limit.of(campaign) is not None for limit in LIMITS.values())
    closes = next_closing(facts.windows, zone, clock.now)
    ends = start_of_day(zone, campaign.ends_on + ONE_DAY) if campaign.ends_on else None
    if closes is None and ends is None:
        return (
            "Runs until a limit is reached." if has_limit else "Nothing will pause it: no limit, end date or schedule."
        )
    at = min(at for at in (closes, ends) if at is not None)
    why = "when its last day is over" if at == ends else "when its window closes"
    sooner = ", or sooner if a limit is reached" if has_limit else ""
    return f"Next pause: {clock.moment(at)} ({clock.name}), {why}{sooner}."
