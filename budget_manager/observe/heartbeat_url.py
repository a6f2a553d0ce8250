"""Calls HEARTBEAT_URL after each full check that succeeded, for a service that notices when calls stop coming.

So also a machine that is gone is noticed, which can't report itself.
"""

from __future__ import annotations

import logging
from threading import Thread

from django.conf import settings

from budget_manager.observe.calls import CallFailed, call, host_of

logger = logging.getLogger(__name__)

TIMEOUT = 5


class _LastResult:
    """The result of this process's last call: a result is logged when it changes, not every five minutes."""

    text: str | None = None


def send_heartbeat() -> None:
    """Call HEARTBEAT_URL, if it is set, in a thread: neither a slow nor a failing receiver affects the check."""
    if settings.HEARTBEAT_URL:
        Thread(target=_send, args=(settings.HEARTBEAT_URL,), daemon=True).start()


def _send(url: str) -> None:
    try:
        call(url, seconds=TIMEOUT)
        result, level = "succeeds", logging.INFO
    except CallFailed as error:
        result, level = f"fails: {error}", logging.WARNING
    if result != _LastResult.text:
        _LastResult.text = result
        logger.log(level, "HEARTBEAT_URL: calling %s %s", host_of(url), result)
