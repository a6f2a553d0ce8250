"""What of an e-mail may still be sent: looked up before each attempt, as hours may have passed since it was written."""

from __future__ import annotations

from collections.abc import Sequence

from campaigns.models import Alert, AlertEmail, AlertMessage
from campaigns.services.alerts.compose import alert_email
from campaigns.services.alerts.messages import highest_thresholds
from campaigns.services.alerts.recipients import brands_assigned_to, may_be_told, sees

NOT_THEIRS = "The person may no longer see it, or has no address."
OVER = "Everything in it has resolved."


def recheck(email: AlertEmail) -> str:
    """Leave out what is no longer to be sent; return why nothing is left, or "" if the e-mail may be sent."""
    person = email.person
    assigned = brands_assigned_to(person)
    alerts = [message.alert for message in email.messages.select_related("alert")]
    if not may_be_told(person) or not all(sees(person, alert, assigned) for alert in alerts):
        return NOT_THEIRS
    if email.digest_day or email.reminder_day:
        return ""
    left = [alert for alert in alerts if alert.resolved_at is None]
    if len(left) < len(alerts):
        _rewrite(email, left)
    return "" if left else OVER


def _rewrite(email: AlertEmail, alerts: Sequence[Alert]) -> None:
    """Write the e-mail anew for the alerts that are left, under the same Message-ID."""
    if not alerts:
        return
    AlertMessage.objects.filter(email=email).exclude(alert__in=alerts).update(email=None)
    written = alert_email(email.person, [group[0] for group in highest_thresholds(alerts)])
    email.subject, email.text, email.html = written.subject, written.text, written.html
    email.save(update_fields=["subject", "text", "html"])
