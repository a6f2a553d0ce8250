"""The pause reasons of rule R1, in the order in which they are told."""

from __future__ import annotations

from enum import IntFlag


class PauseReason(IntFlag):
    """Why a campaign may not run. A campaign is active if and only if no reason holds (R1)."""

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
        """The machine names of the reasons that hold, as the design lists them."""
        return [str(reason.name).lower() for reason in self]

    @property
    def labels(self) -> list[str]:
        """The same in words for people."""
        return [LABELS[reason] for reason in self]


LABELS = {
    PauseReason.CAMPAIGN_DISABLED: "switched off",
    PauseReason.BRAND_DISABLED: "brand switched off",
    PauseReason.NOT_STARTED: "not started yet",
    PauseReason.ENDED: "ended",
    PauseReason.OUTSIDE_SCHEDULE: "outside its schedule",
    PauseReason.CAMPAIGN_DAILY_LIMIT: "daily spend limit reached",
    PauseReason.BRAND_DAILY_BUDGET: "brand's daily budget reached",
    PauseReason.BRAND_MONTHLY_BUDGET: "brand's monthly budget reached",
}

ALL_REASONS = PauseReason(255)


def describe(reasons: int) -> str:
    """Return the reasons in one phrase, or "active" where none holds."""
    return ", ".join(PauseReason(reasons).labels) or "active"
