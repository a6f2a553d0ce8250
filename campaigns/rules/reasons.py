"""The pause reasons of rule R1, and the one table of the limits among them (R2)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import IntFlag
from typing import Any, Literal


class PauseReason(IntFlag):
    """Why a campaign may not run, in the order of R1. A campaign is active if and only if no reason holds."""

    CAMPAIGN_DISABLED = 1
    BRAND_DISABLED = 2
    NOT_STARTED = 4
    ENDED = 8
    OUTSIDE_SCHEDULE = 16
    CAMPAIGN_DAILY_LIMIT = 32
    BRAND_DAILY_BUDGET = 64
    BRAND_MONTHLY_BUDGET = 128

    @property
    def codes(self) -> list[str]:
        """The machine names of the reasons that hold."""
        return [str(reason.name).lower() for reason in self]

    @property
    def labels(self) -> list[str]:
        """The same in words for people."""
        return [LABELS[reason] for reason in self]


@dataclass(frozen=True)
class Limit:
    """A limit on spend: the reason that holds while it is reached, and where limit and spend are stored."""

    reason: PauseReason
    # Whose limit it is, and the period whose spend counts; the period's end lifts it.
    subject: Literal["campaign", "brand"]
    period: Literal["day", "month"]
    # The field of the campaign or brand.
    field: str
    # The columns of a decision and of the history that hold the spend and the limit.
    spend_column: str
    limit_column: str

    @property
    def name(self) -> str:
        return self.field.replace("_", " ")

    @property
    def label(self) -> str:
        return self.name if self.subject == "campaign" else f"brand's {self.name}"

    @property
    def when(self) -> str:
        return "today" if self.period == "day" else "this month"

    def of(self, campaign: Any) -> Decimal | None:
        """Return the limit that a campaign, or its brand, has now."""
        value: Decimal | None = getattr(campaign if self.subject == "campaign" else campaign.brand, self.field)
        return value

    def spend_of(self, campaign: Any) -> Decimal:
        """Return the spend that counts, of what has the attributes that with_spend() gives a campaign."""
        name = f"spend_{self.when.replace(' ', '_')}"
        spend: Decimal = getattr(campaign, name if self.subject == "campaign" else f"brand_{name}")
        return spend

    def decided_on(self, change: Any) -> tuple[Decimal, Decimal | None]:
        """Return the spend and the limit that a change was decided on."""
        return getattr(change, self.spend_column), getattr(change, self.limit_column)


LIMITS = {
    limit.reason: limit
    for limit in (
        Limit(
            PauseReason.CAMPAIGN_DAILY_LIMIT, "campaign", "day", "daily_spend_limit", "campaign_spend", "campaign_limit"
        ),
        Limit(PauseReason.BRAND_DAILY_BUDGET, "brand", "day", "daily_budget", "brand_day_spend", "brand_daily_budget"),
        Limit(
            PauseReason.BRAND_MONTHLY_BUDGET,
            "brand",
            "month",
            "monthly_budget",
            "brand_month_spend",
            "brand_monthly_budget",
        ),
    )
}

LABELS = {
    PauseReason.CAMPAIGN_DISABLED: "turned off",
    PauseReason.BRAND_DISABLED: "brand paused",
    PauseReason.NOT_STARTED: "not started yet",
    PauseReason.ENDED: "ended",
    PauseReason.OUTSIDE_SCHEDULE: "outside its schedule",
} | {reason: f"{limit.label} reached" for reason, limit in LIMITS.items()}

ALL_REASONS = PauseReason(sum(PauseReason))


def describe(reasons: int) -> str:
    """Return the reasons in one phrase, or "active" where none holds."""
    return ", ".join(PauseReason(reasons).labels) or "active"


# From this share of a limit on, spend is near it.
NEAR_PERCENT = 90


def reached_sql(limit: str, spend: str) -> str:
    """Return the SQL of R2: whether spend reaches a limit; false where there is no limit."""
    return f"({limit} = 0 OR {spend} >= {limit})"


def is_reached(limit: Decimal | None, spend: Decimal) -> bool:
    """Return the same in Python, of amounts in one currency; a test compares the two."""
    return limit is not None and (limit == 0 or spend >= limit)


def near_sql(limit: str, spend: str) -> str:
    """Return the SQL of whether spend is near a limit and hasn't reached it; the columns are whole millionths."""
    # Divided first, which is exact in 64 bits: the least amount of at least 90 %.
    return f"({limit} > 0 AND {spend} >= {limit} - {limit} / {100 // (100 - NEAR_PERCENT)} AND {spend} < {limit})"


def is_near(limit: Decimal | None, spend: Decimal) -> bool:
    """Return the same in Python."""
    return limit is not None and limit > 0 and limit * NEAR_PERCENT <= spend * 100 and spend < limit
