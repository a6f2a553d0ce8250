"""The kinds of alerts: one table. A new kind is one entry here, and the function that finds what holds."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import Group

from campaigns.models import AlertRule
from campaigns.services.alerts import budgets, operation
from campaigns.services.alerts.days import DAYS, PROJECTED_OVER, PROJECTED_UNDER, UNLIKE_DAY
from campaigns.services.alerts.differences import Query
from campaigns.services.alerts.look import BUDGET_DAY, BUDGET_MONTH, CAMPAIGN_LIMIT
from campaigns.services.alerts.no_spend import NO_SPEND, NO_SPEND_HOURS
from campaigns.services.alerts.states import Finder
from campaigns.services.groups import OPERATORS

UNASSIGNED, HELD, SILENT = "unassigned", "held", "silent"
DRIFT, DELIVERIES, LATE = "drift", "deliveries", operation.LATE

ON_TWO_DAYS = "on two days in a row, from the 5th of the month on; looked at once a local day, from 8:00 on"

AT_ONCE, DIGEST = AlertRule.Delivery.AT_ONCE, AlertRule.Delivery.DIGEST


@dataclass(frozen=True)
class Kind:
    """A kind of alert."""

    code: str
    label: str
    # What the number of a rule is; empty where it needs none.
    unit: str
    # What holds: a statement for all brands of a look, or a function where few hold at a time.
    source: Query | Finder
    # Thresholds of the rules of a fresh installation, with their delivery.
    defaults: tuple[tuple[int, AlertRule.Delivery], ...]
    # When it fires, for the page of its rule.
    fires: str
    # Whether the state belongs to the operation: it is found in full checks, and not told to the people of its brand.
    is_operational: bool = False
    # Passes quiet hours.
    is_urgent: bool = False

    @property
    def group(self) -> str:
        """Return the group that the default rule tells; empty for superusers."""
        return OPERATORS if self.is_operational else ""


KINDS = {
    kind.code: kind
    for kind in (
        Kind(
            BUDGET_MONTH,
            "Monthly budget",
            "%",
            budgets.BUDGETS,
            ((80, AT_ONCE), (100, AT_ONCE)),
            "when this part of the month’s budget is spent",
        ),
        Kind(
            BUDGET_DAY,
            "Daily budget",
            "%",
            budgets.BUDGETS,
            ((100, DIGEST),),
            "when this part of the day’s budget is spent",
        ),
        Kind(
            CAMPAIGN_LIMIT,
            "Campaign’s daily limit reached",
            "",
            budgets.BUDGETS,
            ((100, DIGEST),),
            "when its daily limit pauses a campaign",
        ),
        Kind(
            PROJECTED_OVER,
            "Projected beyond the month’s budget",
            "",
            DAYS,
            ((0, DIGEST),),
            f"when the brand is over-pacing {ON_TWO_DAYS}",
        ),
        Kind(
            PROJECTED_UNDER,
            "Projected below the month’s budget",
            "",
            DAYS,
            ((0, DIGEST),),
            f"when the brand is under-pacing {ON_TWO_DAYS}",
        ),
        Kind(
            UNLIKE_DAY,
            "A day unlike its weekdays",
            "%",
            DAYS,
            ((50, DIGEST),),
            "when a finished day differs from what was expected of it by this much, and by more than a small amount",
        ),
        Kind(
            NO_SPEND,
            "No spend",
            "hours",
            NO_SPEND_HOURS,
            ((3, AT_ONCE),),
            "when an active brand spends nothing for so many of the hours in which it usually spends",
        ),
        Kind(
            UNASSIGNED,
            "Spend unassigned",
            "",
            operation.unassigned,
            ((0, AT_ONCE),),
            "when spend of an account counts for no budget; once a month and account",
            is_operational=True,
        ),
        Kind(
            HELD,
            "Totals held",
            "",
            operation.held,
            ((0, AT_ONCE),),
            "when a decrease waits for a decision",
            is_operational=True,
        ),
        Kind(
            SILENT,
            "Source silent",
            "",
            operation.silent,
            ((0, AT_ONCE),),
            "when an account in use hasn’t reported within its interval",
            is_operational=True,
            is_urgent=True,
        ),
        Kind(
            DRIFT,
            "Pause not applied",
            "",
            operation.drift,
            ((0, AT_ONCE),),
            "when a platform doesn’t follow a pause",
            is_operational=True,
            is_urgent=True,
        ),
        Kind(
            DELIVERIES,
            "Deliveries failing",
            "",
            operation.deliveries,
            ((0, AT_ONCE),),
            "when nothing reaches a receiver for 30 minutes, or no worker sends deliveries for 10",
            is_operational=True,
        ),
        Kind(
            LATE,
            "Check late",
            "",
            operation.late_checks,
            ((0, AT_ONCE),),
            "when the full check comes late; once for each such time",
            is_operational=True,
            is_urgent=True,
        ),
    )
}


def label_of(code: str) -> str:
    return KINDS[code].label if code in KINDS else code


def ensure_rules(using: str) -> None:
    """Create the default rules of kinds that have none, so that a fresh installation needs no click."""
    there = set(AlertRule.objects.using(using).values_list("kind", flat=True))
    groups = dict(Group.objects.using(using).values_list("name", "pk"))
    AlertRule.objects.using(using).bulk_create(
        AlertRule(kind=kind.code, threshold=threshold, delivery=delivery, group_id=groups.get(kind.group))
        for kind in KINDS.values()
        if kind.code not in there
        for threshold, delivery in kind.defaults
    )
