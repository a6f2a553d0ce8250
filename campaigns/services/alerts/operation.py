"""Alerts to operators: spend that waits, silent sources, unapplied pauses, failing deliveries, late checks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from campaigns.models import Alert, CampaignLink
from campaigns.rules.alerts import State
from campaigns.rules.money import format_money
from campaigns.rules.platforms import SOURCES
from campaigns.services.alerts.look import Look
from campaigns.services.feed.drift import DriftKind, find_drift
from campaigns.services.totals.held import held_decreases
from campaigns.services.totals.silence import silent_accounts
from campaigns.services.totals.unassigned import unassigned_accounts
from campaigns.services.webhooks.deliveries import failing
from campaigns.services.webhooks.overdue import overdue

MEANINGS = {
    DriftKind.LATE: "The platform may go on spending. Look at the connector, and pause the campaign on the platform by"
    " hand.",
    DriftKind.RUNNING: "Somebody or something has resumed it on the platform: pause it there, or resume it here.",
}
LATE = "check_late"
# An alert stays open until the next five-minute check, so that it is sent: a reset that follows at once mustn't
# resolve it.
STAYS = timedelta(minutes=4)
LATE_MEANING = (
    "No full check paused or resumed campaigns in that time, so budgets may be overspent. Beat, worker or broker was"
    " down, or the check failed: see Jobs and the worker’s log."
)
# Alerts are evaluated for all, and sent to those who may see them.
ALL_BRANDS = None


def unassigned(look: Look) -> Iterator[State]:
    """Yield the accounts with spend that waits; once a month and account."""
    for source, account, name, currency, campaigns, amount in unassigned_accounts():
        yield State(
            f"account {source} {account}",
            f"{format_money(amount, currency or '–')} of {SOURCES[source]} account {name or account} aren’t assigned:"
            f" {campaigns:,} campaign{'' if campaigns == 1 else 's'}",
            period=f"{look.now:%Y-%m}",
            meaning="This spend counts for no budget until its campaigns are linked.",
            is_bad=True,
            figures={"amount": str(amount), "currency": currency, "campaigns": campaigns},
        )


def held(look: Look) -> Iterator[State]:
    # Without the limit of pages: what is left out resolves.
    for each in held_decreases(ALL_BRANDS, is_limited=False):
        if each.is_rejected:
            continue
        less = format_money(each.booked - each.reported, each.currency or "–")
        yield State(
            f"account {each.source} {each.account}",
            f"{SOURCES[each.source]} account {each.account_name or each.account} reports {less} less for {each.day}",
            period=f"{each.day}",
            meaning="The decrease is held: what is booked counts until a person releases or rejects it.",
            is_bad=True,
            figures={"reported": str(each.reported), "booked": str(each.booked), "currency": each.currency},
        )


def silent(look: Look) -> Iterator[State]:
    """Yield the accounts that should have reported; a source that reports and falls silent again is a new alert."""
    for each in silent_accounts(now=look.now):
        if each.reported_until is None:
            continue
        until = each.reported_until
        yield State(
            f"account {each.source} {each.external_id}",
            f"{each.get_source_display()} account {each} has reported no spend since {until:%Y-%m-%d %H:%M} UTC",
            period=f"{until:%Y-%m-%dT%H:%M:%S}",
            meaning="Budgets don’t see what it spends. Look at the connector and at the account’s access.",
            is_bad=True,
            figures={"reported_until": until.isoformat()},
        )


def drift(look: Look) -> Iterator[State]:
    """Yield links that don't follow a pause; the next pause is a new alert."""
    found = find_drift(now=look.now)
    rows = CampaignLink.objects.select_related("account", "campaign__brand")
    links = rows.in_bulk([each.link_id for each in found])
    for each in found:
        link = links.get(each.link_id)
        if link is None or link.campaign is None:
            continue
        since = f" since {each.paused_at:%Y-%m-%d %H:%M} UTC" if each.paused_at else ""
        problem = f" The connector says: {each.problem}" if each.problem else ""
        yield State(
            f"link {each.link_id}",
            f"{link.campaign.name} ({link.campaign.brand.name}) is paused here{since}, but {each.kind.sentence} on"
            f" {SOURCES[link.account.source]} account {link.account}",
            period=f"{each.paused_at:%Y-%m-%dT%H:%M:%S}" if each.paused_at else "",
            meaning=f"{MEANINGS[each.kind]}{problem}"[:500],
            is_bad=True,
            brand_id=each.brand_id,
            campaign_id=each.campaign_id,
            figures={"link": each.link_id, "kind": each.kind.value},
        )


def deliveries(look: Look) -> Iterator[State]:
    """Yield deliveries that nothing sends, and receivers that nothing has reached for a while.

    The next failure of a receiver after a success is a new alert.
    """
    late = overdue(now=look.now)
    for what, problem, oldest in (
        ("deliveries", late.delivery_problem, late.deliveries),
        ("e-mails", late.email_problem, late.emails),
    ):
        if oldest is not None:
            yield State(
                what,
                problem,
                period=f"{oldest:%Y-%m-%dT%H:%M:%S}",
                meaning="Receivers and people learn of nothing until a worker serves that queue.",
                is_bad=True,
                figures={"waiting_since": oldest.isoformat()},
            )
    for endpoint in failing(now=look.now):
        since = endpoint.failing_since
        if since is None:
            continue
        yield State(
            f"endpoint {endpoint.pk}",
            f"Nothing has reached the webhook {endpoint.name} since {since:%Y-%m-%d %H:%M} UTC",
            period=f"{since:%Y-%m-%dT%H:%M:%S}",
            meaning="Its messages are sent again for three days, then given up. Look at the receiver’s answers under"
            " Deliveries.",
            is_bad=True,
            figures={"endpoint": endpoint.pk, "failing_since": since.isoformat()},
        )


def late_checks(look: Look) -> Iterator[State]:
    """Yield the time without checks that ends with this one: its period is its beginning, so it fires once.

    While the check is late nothing evaluates alerts: pages show the state itself, and `manage.py watch` notifies.
    """
    recent = Alert.objects.filter(kind=LATE, resolved_at__isnull=True, opened_at__gt=look.now - STAYS)
    for period, headline in recent.values_list("period", "headline").distinct():
        yield State("check", headline, period)
    since = look.no_check_since
    if since is not None:
        minutes = int((look.now - since).total_seconds()) // 60
        yield State(
            "check",
            f"Budgets weren’t checked from {since:%Y-%m-%d %H:%M} to {look.now:%Y-%m-%d %H:%M} UTC, for {minutes:,}"
            " minutes",
            period=f"{since:%Y-%m-%dT%H:%M:%S}",
            meaning=LATE_MEANING,
            is_bad=True,
            figures={"from": since.isoformat(), "until": look.now.isoformat(), "minutes": minutes},
        )
