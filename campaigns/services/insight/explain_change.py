"""A line of history in words: what happened to a campaign, and the facts that this was decided on (R13)."""

from __future__ import annotations

from dataclasses import dataclass

from campaigns.models import StatusChange
from campaigns.rules.money import format_amount, format_money
from campaigns.rules.reasons import LABELS, LIMITS, PauseReason
from campaigns.services.intake.importer import ACTOR as IMPORT
from campaigns.services.jobs.schedule import JOBS

JOB_NAMES = {job.run_name: job.name for job in JOBS}

# How it is told that a reason no longer holds; for limits see below.
ENDED = {
    PauseReason.CAMPAIGN_DISABLED: "switched on",
    PauseReason.BRAND_DISABLED: "brand switched on",
    PauseReason.NOT_STARTED: "its first day has come",
    PauseReason.ENDED: "its last day lies ahead again",
    PauseReason.OUTSIDE_SCHEDULE: "inside its schedule",
}


@dataclass(frozen=True)
class ChangeExplanation:
    what: str
    why: list[str]
    # The reasons that held before and after.
    still: PauseReason

    by: str


def tell_change(line: StatusChange, currency: str) -> ChangeExplanation:
    before, after = PauseReason(line.reasons_before), PauseReason(line.reasons_after)
    began = [_began(reason, line, currency) for reason in after & ~before]
    ended = [_ended(reason, line, currency) for reason in before & ~after]
    return ChangeExplanation(_what(before, after), began + ended, before & after, by(line.actor))


def _what(before: PauseReason, after: PauseReason) -> str:
    if not after:
        return "Resumed"
    return "Still paused" if before else "Paused"


def _began(reason: PauseReason, line: StatusChange, currency: str) -> str:
    if reason not in LIMITS:
        return LABELS[reason]
    spend, limit = LIMITS[reason].decided_on(line)
    return f"{LIMITS[reason].label} reached: {format_amount(spend, currency)} of {format_money(limit, currency)}"


def _ended(reason: PauseReason, line: StatusChange, currency: str) -> str:
    if reason not in LIMITS:
        return ENDED[reason]
    spend, limit = LIMITS[reason].decided_on(line)
    if limit is None:
        return f"no {LIMITS[reason].label} any more"
    return f"{LIMITS[reason].label} not reached: {format_amount(spend, currency)} of {format_money(limit, currency)}"


def is_person(actor: str) -> bool:
    """Return whether a person did it in the admin: jobs and commands find what was switched by SQL."""
    return actor not in JOB_NAMES and actor != IMPORT and not actor.startswith("manage.py ")


def by(actor: str) -> str:
    """Return who or what did it: a person's name, or a job's."""
    return f"{JOB_NAMES[actor]} (job)" if actor in JOB_NAMES else actor
