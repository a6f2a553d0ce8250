"""Alerts of kinds of which few hold at a time: what holds is found in Python, and compared with what is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from campaigns.models import Alert, AlertRule
from campaigns.rules.alerts import Identity, State
from campaigns.rules.money import to_micros
from campaigns.services.alerts.differences import Differences, Found, Said
from campaigns.services.alerts.look import Look

Finder = Callable[[Look], Iterator[State]]

COLUMNS = ("pk", "rule_id", "subject", "period", "threshold", "budget", "resolved_at")


def differences_of_states(kind: str, find: Finder, look: Look) -> Differences:
    """Return what is to be written for a kind. Nothing is looked for if all its rules are off."""
    rules = list(AlertRule.objects.filter(kind=kind, enabled=True).prefetch_related("brands"))
    held = {identity: state for state in (find(look) if rules else ()) for identity in _identities(state, rules)}
    result, known = Differences(), set[Identity]()
    alerts = Alert.objects.filter(kind=kind)
    resolved = alerts.filter(subject__in={each.subject for each in held}, resolved_at__isnull=False)
    # One statement, so that each alert comes once, even if another check resolves it meanwhile.
    rows = alerts.filter(resolved_at__isnull=True).order_by().values_list(*COLUMNS)
    for pk, *identity, resolved_at in rows.union(resolved.order_by().values_list(*COLUMNS)):
        found = Identity(*identity)
        known.add(found)
        if found in held and resolved_at is not None:
            result.reopened[pk] = _said(held[found])
        elif found not in held and resolved_at is None:
            result.ended.append(pk)
    result.new = [_new(identity, state) for identity, state in held.items() if identity not in known]
    return result


def _identities(state: State, rules: list[AlertRule]) -> Iterator[Identity]:
    for rule in rules:
        limited = {brand.pk for brand in rule.brands.all()}
        if not limited or state.brand_id in limited:
            yield Identity(rule.pk, state.subject, state.period, rule.threshold, state.budget)


def _new(identity: Identity, state: State) -> tuple[Found, Said]:
    found = Found(
        None,
        identity.rule,
        identity.subject,
        identity.period,
        identity.threshold,
        to_micros(identity.budget),
        state.brand_id,
        state.campaign_id,
    )
    return found, _said(state)


def _said(state: State) -> Said:
    return Said(state.headline, state.meaning, state.figures, state.is_bad)
