"""A campaign's status in sentences: since when, why, on which spend, and what comes next.

Pure Python over facts that the caller has read. What it tells of the future comes from
campaigns.services.insight.forecast, what it tells of the past from the lines of history; no rule is decided here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from campaigns.models import Brand, Campaign, StatusChange
from campaigns.rules.money import format_amount, format_money
from campaigns.rules.periods import ONE_DAY, find_zone, first_of_month, local_date, minute_of, start_of_day
from campaigns.rules.reasons import LABELS, LIMITS, Limit, PauseReason
from campaigns.services.insight.explain_change import is_person
from campaigns.services.insight.forecast import Window, allowed_from, day_in_words, forecast, next_closing

# Reasons that say themselves since when they hold.
DATES = PauseReason.NOT_STARTED | PauseReason.ENDED

SWITCHES = {PauseReason.CAMPAIGN_DISABLED: "switched off", PauseReason.BRAND_DISABLED: "the brand is switched off"}


@dataclass(frozen=True)
class Facts:
    """What a story is made of: the campaign with its brand, and its last lines of history, the newest first."""

    campaign: Campaign
    windows: Sequence[Window]
    lines: Sequence[StatusChange]
    spend_today: Decimal
    brand_spend_today: Decimal
    brand_spend_this_month: Decimal


@dataclass(frozen=True)
class Explanation:
    """Three parts of one text: "Paused since 14:05", why, and "Resumes tonight at 00:00 (Europe/Paris)."."""

    headline: str
    why: list[str]
    next: str

    @property
    def text(self) -> str:
        because = f": {'; '.join(self.why)}" if self.why else ""
        return f"{self.headline}{because}. {self.next}"


def tell(facts: Facts, now: datetime) -> Explanation:
    """Return the campaign's story as of now."""
    campaign, clock = facts.campaign, _Clock.of(facts.campaign.brand, now)
    paused_or_not = began(facts.lines, (lambda reasons: reasons != 0) if campaign.reasons else _is_active)
    since = paused_or_not.at if paused_or_not else None
    why = [_why(reason, facts, clock, since) for reason in campaign.reasons]
    return Explanation(_headline(facts, clock, since), why, _next(facts, clock))


def _is_active(reasons: int) -> bool:
    return reasons == 0


def began(lines: Sequence[StatusChange], holds: Callable[[int], bool]) -> StatusChange | None:
    """Return the line with which began what holds now; None where the lines, newest first, don't tell."""
    for line in lines:
        if not holds(line.reasons_after):
            return None
        if not holds(line.reasons_before):
            return line
    return None


@dataclass(frozen=True)
class _Clock:
    """How the people of the brand's zone call an instant; those of UTC, where the zone is unknown."""

    zone: ZoneInfo | None
    now: datetime

    @classmethod
    def of(cls, brand: Brand, now: datetime) -> _Clock:
        return cls(find_zone(brand.timezone), now)

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
        wall = self._wall(at)
        day = "" if wall.date() == self.today else f"{day_in_words(wall.date(), self.today)} "
        return f"{day}{wall:%H:%M}"

    def future(self, at: datetime) -> str:
        wall = self._wall(at)
        if wall.date() == self.today + ONE_DAY and wall.time() == time(0):
            return "tonight at 00:00"
        day = day_in_words(wall.date(), self.today)
        return f"{day if wall.date() <= self.today + ONE_DAY else f'on {day}'} at {wall:%H:%M}"

    def day(self, day: date) -> str:
        named = day_in_words(day, self.today)
        return named if abs(day - self.today) <= ONE_DAY else f"on {named}"


def _headline(facts: Facts, clock: _Clock, since: datetime | None) -> str:
    status = "Paused" if facts.campaign.reasons else "Active"
    if since:
        return f"{status} since {clock.past(since)}"
    if facts.lines:
        # What was before has been pruned, or lies further back than anybody read.
        return f"{status} since before {clock.past(facts.lines[-1].at)}"
    return status if facts.campaign.reasons else f"{status} since it was made, {clock.past(facts.campaign.created_at)}"


def _why(reason: PauseReason, facts: Facts, clock: _Clock, since: datetime | None) -> str:
    line = began(facts.lines, lambda reasons: bool(reasons & reason))
    told = _reason(reason, facts, clock, line)
    if line is None or since is None or line.at == since or reason in DATES:
        return told
    return f"{told} (since {clock.past(line.at)})"


def _reason(reason: PauseReason, facts: Facts, clock: _Clock, line: StatusChange | None) -> str:
    campaign = facts.campaign
    if reason in SWITCHES:
        by = f" by {line.actor}" if line is not None and is_person(line.actor) else ""
        return f"{SWITCHES[reason]}{by}"
    if reason == PauseReason.NOT_STARTED and campaign.starts_on:
        return f"it starts {clock.day(campaign.starts_on)}"
    if reason == PauseReason.ENDED and campaign.ends_on:
        return f"its last day was {clock.day(campaign.ends_on).removeprefix('on ')}"
    return _reached(LIMITS[reason], facts, clock, line) if reason in LIMITS else LABELS[reason]


def _reached(limit: Limit, facts: Facts, clock: _Clock, line: StatusChange | None) -> str:
    """Say at which spend the limit was reached, if limit and period still are those of then (R4)."""
    amount, spend = limit.of(facts.campaign), limit.spend_of(facts)
    name = limit.label if limit.subject == "campaign" else f"the {limit.label}"
    if amount == 0:
        return f"{name} is 0: nothing may be spent"
    currency = facts.campaign.brand.currency
    of = f"{name} of {format_money(amount, currency)} reached"
    spend_then, amount_then = limit.decided_on(line) if line else (spend, None)
    if amount_then != amount or (line and not _is_same_period(limit, clock, line.at)):
        return f"{of}, {format_amount(spend, currency)} spent {limit.when}"
    by_now = "" if spend == spend_then else f", {format_amount(spend, currency)} by now"
    return f"{of} at {format_amount(spend_then, currency)}{by_now}"


def _is_same_period(limit: Limit, clock: _Clock, at: datetime) -> bool:
    day = clock.day_of(at)
    return day == clock.today if limit.period == "day" else first_of_month(day) == first_of_month(clock.today)


def _next(facts: Facts, clock: _Clock) -> str:
    campaign, zone = facts.campaign, clock.zone
    if zone and campaign.next_change_minute <= minute_of(clock.now):
        return "Its time has come: the next check looks at it again."
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
    begins = _what_begins(facts.campaign, clock.zone, lifted)
    if found.at == lifted:
        return f"Resumes {clock.future(found.at)} ({clock.name}), when {begins}."
    opens = f"{clock.future(found.at)} ({clock.name}), when its next window opens"
    if lifted <= clock.now:
        return f"Resumes {opens}."
    return f"{begins[0].upper()}{begins[1:]} {clock.future(lifted)}, outside its schedule: it resumes {opens}."


def _what_begins(campaign: Campaign, zone: ZoneInfo, at: datetime) -> str:
    day = local_date(zone, at)
    if day == campaign.starts_on:
        return "its first day begins"
    is_month = day == first_of_month(day) and any(
        LIMITS[reason].period == "month" for reason in campaign.reasons if reason in LIMITS
    )
    return "the new month begins" if is_month else "the new day begins"


def _pauses(facts: Facts, clock: _Clock) -> str:
    campaign, zone = facts.campaign, clock.zone
    brand = campaign.brand
    if zone is None:
        return f"Its brand’s time zone, “{brand.timezone}”, is unknown: correct it, so that its days and windows count."
    has_limit = any(limit.of(campaign) is not None for limit in LIMITS.values())
    closes = next_closing(facts.windows, zone, clock.now)
    ends = start_of_day(zone, campaign.ends_on + ONE_DAY) if campaign.ends_on else None
    if closes is None and ends is None:
        return "Next pause: when a limit is reached." if has_limit else "No limit, date or schedule will pause it."
    at = min(at for at in (closes, ends) if at is not None)
    why = "when its last day is over" if at == ends else "when its window closes"
    sooner = ", sooner if a limit is reached" if has_limit else ""
    return f"Next pause: {clock.future(at)} ({clock.name}), {why}{sooner}."
