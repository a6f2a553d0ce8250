"""A campaign's status and the changes in its history, explained in sentences.

Pure functions over data that the caller has read. The past comes from the status history, the future from
campaigns.services.insight.forecast; no rule is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from campaigns.models import Campaign, StatusChange
from campaigns.rules.money import format_amount, format_money
from campaigns.rules.periods import ONE_DAY, find_zone, first_of_month, local_date, minute_of, start_of_day
from campaigns.rules.reasons import LABELS, LIMITS, Limit, PauseReason, describe
from campaigns.services.history.actors import actor_name, is_person
from campaigns.services.insight.forecast import Window, allowed_from, forecast, format_day, next_closing

# The texts of these reasons include a date.
DATED = PauseReason.NOT_STARTED | PauseReason.ENDED

DISABLED = {PauseReason.CAMPAIGN_DISABLED: "turned off", PauseReason.BRAND_DISABLED: "the brand is paused"}

# What happened when a reason ended; for limits see _describe_end.
ENDED = {
    PauseReason.CAMPAIGN_DISABLED: "turned on",
    PauseReason.BRAND_DISABLED: "brand resumed",
    PauseReason.NOT_STARTED: "start date reached, moved or removed",
    PauseReason.ENDED: "end date moved or removed",
    PauseReason.OUTSIDE_SCHEDULE: "inside its schedule",
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

    @property
    def text(self) -> str:
        because = f": {'; '.join(self.reasons)}" if self.reasons else ""
        return f"{self.headline}{because}. {self.next}"


def explain_status(facts: Facts, now: datetime) -> Explanation:
    campaign, clock = facts.campaign, _Clock(find_zone(facts.campaign.brand.timezone), now)
    start = find_start(facts.changes, (lambda reasons: reasons != 0) if campaign.reasons else _is_active)
    reasons = _describe_reasons(facts, clock, start) if campaign.reasons else _describe_resume(facts, clock, start)
    return Explanation(_headline(facts, clock, start), reasons, _next(facts, clock))


def _is_active(reasons: int) -> bool:
    return reasons == 0


def find_start(changes: Sequence[StatusChange], holds: Callable[[int], bool]) -> StatusChange | None:
    """Return the change since which a condition on the reasons holds; None if the changes don't reach back to it."""
    for change in changes:
        if not holds(change.reasons_after):
            return None
        if not holds(change.reasons_before):
            return change
    return None


@dataclass(frozen=True)
class _Clock:
    """Formats instants in the brand's time zone, or in UTC if that is unknown."""

    zone: ZoneInfo | None
    now: datetime

    @property
    def name(self) -> str:
        return self.zone.key if self.zone else "UTC"

    @property
    def today(self) -> date:
        return self.day_of(self.now)

    def day_of(self, at: datetime) -> date:
        return self._wall(at).date()

    def _wall(self, at: datetime) -> datetime:
        zone: tzinfo = self.zone or ZoneInfo("UTC")
        return at.astimezone(zone)

    def past(self, at: datetime) -> str:
        """Return "14:05", "yesterday 14:05" or "Mon 2 Nov 14:05"."""
        wall = self._wall(at)
        day = "" if wall.date() == self.today else f"{format_day(wall.date(), self.today)} "
        return f"{day}{wall:%H:%M}"

    def moment(self, at: datetime) -> str:
        """Return "today at 14:05", "tonight at 00:00" or "on Mon 2 Nov at 08:00"."""
        wall = self._wall(at)
        if wall.date() == self.today + ONE_DAY and wall.time() == time(0):
            return "tonight at 00:00"
        return f"{self.day(wall.date())} at {wall:%H:%M}"

    def day(self, day: date) -> str:
        named = format_day(day, self.today)
        return named if abs(day - self.today) <= ONE_DAY else f"on {named}"


def _headline(facts: Facts, clock: _Clock, start: StatusChange | None) -> str:
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


def _describe_reasons(facts: Facts, clock: _Clock, start: StatusChange | None) -> list[str]:
    """Return each reason, with its start if later than the pause; if all are later, also the first reasons."""
    texts, are_later = [], []
    for reason in facts.campaign.reasons:
        change = find_start(facts.changes, _has(reason))
        text = _describe_reason(reason, facts, clock, change)
        is_later = bool(change and start and change.at != start.at)
        are_later.append(is_later)
        texts.append(f"{text} since {clock.past(change.at)}" if change and is_later and reason not in DATED else text)
    if start and texts and all(are_later):
        texts.append(f"before that: {describe(start.reasons_after)}")
    return texts


def _describe_resume(facts: Facts, clock: _Clock, start: StatusChange | None) -> list[str]:
    """Return the new day or month with which an active campaign resumed, if that is why."""
    if start is None:
        return []
    earlier = facts.changes[facts.changes.index(start) + 1 :]
    ended = [LIMITS[reason] for reason in PauseReason(start.reasons_before) if reason in LIMITS]
    periods = {limit.period for limit in ended if _is_new_period(limit, start, _begin(limit, earlier), clock.zone)}
    return [f"new {period}" for period in sorted(periods)]


def _has(reason: PauseReason) -> Callable[[int], bool]:
    return lambda reasons: bool(reasons & reason)


def _describe_reason(reason: PauseReason, facts: Facts, clock: _Clock, change: StatusChange | None) -> str:
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


def _reached(limit: Limit, facts: Facts, clock: _Clock, change: StatusChange | None) -> str:
    """Name the spend at which the limit was reached, if limit and period are still the same (R4)."""
    amount, spend = limit.of(facts.campaign), limit.spend_of(facts)
    name = limit.label if limit.subject == "campaign" else f"the {limit.label}"
    if amount == 0:
        return f"{name} is 0, so nothing can be spent"
    currency = facts.campaign.brand.currency
    of = f"{name} of {format_money(amount, currency)} reached"
    spend_then, amount_then = limit.decided_on(change) if change else (spend, None)
    if amount_then != amount or (change and not _is_same_period(limit, clock, change.at)):
        return f"{of}, {format_amount(spend, currency)} spent {limit.when}"
    by_now = "" if spend == spend_then else f", {format_amount(spend, currency)} by now"
    return f"{of} at {format_amount(spend_then, currency)}{by_now}"


def _is_same_period(limit: Limit, clock: _Clock, at: datetime) -> bool:
    day = clock.day_of(at)
    return day == clock.today if limit.period == "day" else first_of_month(day) == first_of_month(clock.today)


def _next(facts: Facts, clock: _Clock) -> str:
    campaign, zone = facts.campaign, clock.zone
    if zone and campaign.next_change_minute <= minute_of(clock.now):
        return "Due now; updates at the next check."
    return _resumes(facts, clock) if campaign.reasons else _pauses(facts, clock)


def _resumes(facts: Facts, clock: _Clock) -> str:
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


def _pauses(facts: Facts, clock: _Clock) -> str:
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
    begun = _begin(limit, earlier)
    return f"{_why_not_reached(limit, change, begun, zone)}{_amounts(limit, change, currency)}"


def _begin(limit: Limit, earlier: Sequence[StatusChange]) -> StatusChange | None:
    """Return the latest of the earlier changes with which the limit was reached."""
    return next((line for line in earlier if _has(limit.reason)(line.reasons_after & ~line.reasons_before)), None)


def _why_not_reached(limit: Limit, change: StatusChange, begun: StatusChange | None, zone: ZoneInfo | None) -> str:
    """Return why a limit isn't reached any more: a new day or month began (R4), or it was raised, if that is known."""
    if _is_new_period(limit, change, begun, zone):
        return f"new {limit.period}, {limit.label}"
    was, amount = limit.decided_on(begun)[1] if begun else None, limit.decided_on(change)[1]
    is_raised = was is not None and amount is not None and amount > was
    return f"{limit.label} {'raised' if is_raised else 'no longer reached'}"


def _is_new_period(limit: Limit, change: StatusChange, begun: StatusChange | None, zone: ZoneInfo | None) -> bool:
    """Return whether the limit ended because of a new day or month.

    A limit of 0 is reached in every period; and a person's new limit takes effect at once, so the old one was reached
    until then.
    """
    if begun is None:
        return False
    was, amount = limit.decided_on(begun)[1], limit.decided_on(change)[1]
    if was == 0 or (is_person(change.actor) and amount != was):
        return False
    return not _is_same_period(limit, _Clock(zone, change.at), begun.at)


def _amounts(limit: Limit, change: StatusChange, currency: str) -> str:
    spend, amount = limit.decided_on(change)
    return f": {format_amount(spend, currency)} of {format_money(amount, currency)}"
