"""Evaluate alerts after a check (R19): record what holds, resolve what no longer does.

In a transaction of its own, after enforcement has committed, so that no pause waits for it. Only for the brands that
the check looked at; with none, not a single query.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import DateTimeField, QuerySet, Value
from django.db.models.functions import Greatest

from campaigns.models import Alert, AlertRule
from campaigns.rules.alerts import REACHED, Identity, State, is_silenced
from campaigns.services.alerts.kinds import CAMPAIGN_LIMIT, KINDS
from campaigns.services.alerts.look import BUDGET_DAY, BUDGET_MONTH, Look
from campaigns.services.ledger.unfinished import Unfinished

T = TypeVar("T", int, str)

logger = logging.getLogger(__name__)

BATCH = 1_000
COLUMNS = ("pk", "rule_id", "subject", "period", "threshold", "budget", "resolved_at")


@dataclass(frozen=True)
class Evaluated:
    """What one look changed."""

    fired: int = 0
    reopened: int = 0
    resolved: int = 0


def evaluate_after_check(brands: Collection[int] | None, *, now: datetime, unfinished: Unfinished) -> None:
    """Evaluate alerts for the brands of a check, or for all. What fails is logged and reported, and stops nothing."""
    if brands is not None and not brands:
        return
    try:
        evaluate(brands, now=now)
    except Exception as error:  # whatever it is, the check has done its work
        logger.exception("alerts could not be evaluated")
        unfinished.alerts_error = f"{type(error).__name__}: {error}"[:300]


def evaluate(brands: Collection[int] | None, *, now: datetime) -> Evaluated:
    """Record alerts that hold for these brands, or for everything, and resolve others."""
    look = _look(brands, now)
    if not look.rules:
        return Evaluated()
    held, silent = _what_holds(look)
    return _record(look, held, silent)


def _look(brands: Collection[int] | None, now: datetime) -> Look:
    rules: dict[str, list[AlertRule]] = {}
    for rule in AlertRule.objects.filter(enabled=True):
        kind = KINDS.get(rule.kind)
        if kind and (brands is None or not kind.is_operational):
            rules.setdefault(rule.kind, []).append(rule)
    limited: dict[int, set[int]] = {}
    for rule_id, brand_id in AlertRule.brands.through.objects.values_list("alertrule_id", "brand_id"):
        limited.setdefault(rule_id, set()).add(brand_id)
    return Look(now, brands, rules, limited)


def _what_holds(look: Look) -> tuple[dict[Identity, tuple[AlertRule, State]], set[Identity]]:
    """Return everything that holds, by identity, and which of it is silenced: the month's budget silences the rest."""
    held: dict[Identity, tuple[AlertRule, State]] = {}
    silent: set[Identity] = set()
    silencing: dict[str, set[int]] = {BUDGET_DAY: set(), CAMPAIGN_LIMIT: set()}
    for code in KINDS:
        for state in KINDS[code].find(look) if code in look.rules else ():
            for rule in look.rules_of(code, state.threshold, state.brand_id):
                identity = state.identity(rule.pk)
                held[identity] = rule, state
                if is_silenced(code, state.brand_id, silencing=dict(silencing)):
                    silent.add(identity)
            if code == BUDGET_MONTH and state.threshold >= REACHED and state.brand_id:
                silencing[BUDGET_DAY].add(state.brand_id)
                silencing[CAMPAIGN_LIMIT].add(state.brand_id)
    return held, silent


def _record(look: Look, held: dict[Identity, tuple[AlertRule, State]], silent: set[Identity]) -> Evaluated:
    there: dict[Identity, tuple[int, bool]] = {}
    for pk, rule, subject, period, threshold, budget, resolved_at in _known(look, held.keys()):
        there[Identity(rule, subject, period, threshold, budget)] = pk, resolved_at is None
    new = [identity for identity in held if identity not in there and identity not in silent]
    reopened = [there[each][0] for each in held if each in there and not there[each][1] and each not in silent]
    ended = [pk for identity, (pk, is_open) in there.items() if is_open and identity not in held]
    if not (new or reopened or ended):
        return Evaluated()  # the ordinary case: nothing is written, and no transaction was open
    with transaction.atomic():
        alerts = (_alert(look, each, *held[each]) for each in new)
        # Another run may have recorded the same meanwhile.
        Alert.objects.bulk_create(alerts, batch_size=BATCH, ignore_conflicts=True)
        for piece in _pieces(reopened):
            Alert.objects.filter(pk__in=piece).update(resolved_at=None, acknowledged_at=None, snoozed_until=None)
        for piece in _pieces(ended):
            # Not before it fired, where the clock was set back.
            resolved_at = Greatest("opened_at", Value(look.now, DateTimeField()))
            Alert.objects.filter(pk__in=piece, resolved_at__isnull=True).update(resolved_at=resolved_at)
    return Evaluated(len(new), len(reopened), len(ended))


def _known(look: Look, held: Collection[Identity]) -> Iterable[tuple[Any, ...]]:
    """Yield the open alerts of what was looked at, and the resolved ones among what holds."""
    open_ones: QuerySet[Alert] = Alert.objects.filter(resolved_at__isnull=True)
    if look.brands is not None:
        operational = [code for code, kind in KINDS.items() if kind.is_operational]
        open_ones = open_ones.filter(brand__in=look.brands).exclude(kind__in=operational)
    yield from open_ones.order_by().values_list(*COLUMNS)
    resolved = Alert.objects.filter(period__in=sorted({each.period for each in held}), resolved_at__isnull=False)
    subjects = sorted({each.subject for each in held})
    if len(subjects) <= BATCH:  # for more, those of the periods are read at once
        resolved = resolved.filter(subject__in=subjects)
    yield from resolved.order_by().values_list(*COLUMNS)


def _alert(look: Look, identity: Identity, rule: AlertRule, state: State) -> Alert:
    return Alert(
        rule_id=identity.rule,
        kind=rule.kind,
        subject=state.subject,
        period=state.period,
        threshold=state.threshold,
        budget=state.budget,
        brand_id=state.brand_id,
        campaign_id=state.campaign_id,
        is_bad=state.is_bad,
        headline=state.headline[:400],
        meaning=state.meaning,
        figures=state.figures,
        opened_at=look.now,
        # What goes into digests needs no messages of its own.
        is_routed=rule.delivery == AlertRule.Delivery.DIGEST,
    )


def _pieces(values: list[T]) -> Iterable[list[T]]:
    return (values[start : start + BATCH] for start in range(0, len(values), BATCH))
