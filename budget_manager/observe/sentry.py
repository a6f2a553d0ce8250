"""Reports errors to Sentry if SENTRY_DSN is set; otherwise sentry-sdk isn't even imported.

Reports hold the traceback and the path of the request, and no customer data: no local variables, no bodies, no query
strings (people search for names), no values of log messages (they name brands) or of rows in database errors.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

# PostgreSQL adds the values of the row: "DETAIL:  Key (brand_id, name)=(1, Acme) already exists."
ROW_VALUES = re.compile(r"\s*(DETAIL|CONTEXT):.*", re.DOTALL)


def start(dsn: str, *, environment: str, release: str) -> None:
    """Start reporting errors of web requests, tasks and commands. Never delays them: a thread sends the reports."""
    import sentry_sdk
    from sentry_sdk.integrations.logging import LoggingIntegration

    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        release=f"budget-manager@{release}",
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        # Errors in the log are reported; other lines would be breadcrumbs, which name campaigns.
        integrations=[LoggingIntegration(level=None)],
        before_send=without_customer_data,
    )


def without_customer_data(event: Event, _hint: Hint) -> Event:
    request = event.get("request", {})
    for name in ("query_string", "data", "cookies"):
        request.pop(name, None)
    if message := event.get("logentry"):
        event["logentry"] = {"message": message.get("message", "")}
    for error in event.get("exception", {}).get("values", []):
        error["value"] = ROW_VALUES.sub("", error.get("value") or "")
    return event
