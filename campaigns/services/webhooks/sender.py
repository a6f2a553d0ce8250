"""Sending: one thread claims and notes, and starts a thread for each request, which only waits for its receiver.

The thread lives in a worker's process and outlives the task that started it, so a receiver that hangs keeps no process
from the next check, and no other receiver from its deliveries.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue

from django.db import connections

from campaigns.models.outgoing.webhooks import MAX_ENDPOINTS
from campaigns.rules.clock import Clock
from campaigns.services.webhooks.bodies import headers_of
from campaigns.services.webhooks.client import SECONDS, Answer, post
from campaigns.services.webhooks.deliveries import (
    Claim,
    claim,
    claim_one,
    is_anything_due,
    is_anything_old,
    note,
    prune,
)

logger = logging.getLogger(__name__)

# Seconds between two looks for new deliveries.
LOOK_EVERY = 0.5
# Seconds after a request's deadline when its thread is given up: the system's resolver can hang for longer.
GRACE = 3
# A sender stays for what is due soon, such as the first retry.
LINGER = timedelta(seconds=8)


def send_one(pk: int, *, clock: Clock) -> Answer | None:
    """Send a delivery at once and note its answer, for a person who waits; None if the endpoint is busy."""
    claimed = claim_one(pk, now=clock())
    if claimed is None:
        return None
    answer = _post(claimed, clock())
    note(claimed, answer, now=clock())
    return answer


def _post(claimed: Claim, now: datetime) -> Answer:
    headers = headers_of(claimed.kind, claimed.message_id, claimed.body, claimed.keys, now=now)
    return post(claimed.url, claimed.body, headers)


@dataclass
class Sender:
    """One run: it ends when nothing is in flight and nothing is due soon."""

    clock: Clock
    linger: timedelta = LINGER
    answers: SimpleQueue[tuple[Claim, Answer]] = field(default_factory=SimpleQueue)
    # Deliveries in flight by id, each with its claim and when it was started (time.monotonic).
    flying: dict[int, tuple[Claim, float]] = field(default_factory=dict)

    def run(self) -> int:
        """Send until nothing is left to do; return the number of answers."""
        answers = 0
        while True:
            found = self.start()
            if not self.flying and not found and not is_anything_due(self.clock() + self.linger):
                return answers
            answers += self.collect()

    def start(self) -> int:
        """Claim what is due, and start its requests."""
        room = MAX_ENDPOINTS - len(self.flying)
        now = self.clock()
        if room < 1 or not is_anything_due(now):
            return 0
        claims = claim(now=now, most=room)
        for each in claims:
            self.flying[each.delivery] = each, time.monotonic()
            threading.Thread(target=self._send, args=(each, now), daemon=True).start()
        return len(claims)

    def _send(self, each: Claim, now: datetime) -> None:
        """Send without the database: each thread would open a connection of its own."""
        try:
            answer = _post(each, now)
        except Exception:
            logger.exception("delivery %d couldn't be sent", each.delivery)
            answer = Answer(problem="An error in the sender; its log has it.")
        self.answers.put((each, answer))

    def collect(self) -> int:
        """Note the answers that have come; wait for the first one a moment."""
        noted = 0
        try:
            each, answer = self.answers.get(timeout=LOOK_EVERY)
            while True:
                noted += self.end(each, answer)
                each, answer = self.answers.get_nowait()
        except Empty:
            pass
        for each, begun in list(self.flying.values()):
            if time.monotonic() - begun > SECONDS + GRACE:
                noted += self.end(each, Answer(problem="No answer in time.", milliseconds=SECONDS * 1000))
        return noted

    def end(self, each: Claim, answer: Answer) -> int:
        if self.flying.pop(each.delivery, None) is None:
            return 0  # given up before
        note(each, answer, now=self.clock())
        logger.debug("delivery %d: %s", each.delivery, answer.status or answer.problem)
        return 1


_running = threading.Lock()


def ensure_sender(clock: Clock) -> bool:
    """Start a sender in this process if something is due and none runs; return whether one was started.

    Here it's only looked at: on SQLite a write may have to wait for a long import.
    """
    now = clock()
    if not (is_anything_due(now) or is_anything_old(now)) or not _running.acquire(blocking=False):
        return False
    threading.Thread(target=_run, args=(clock,), name="deliveries", daemon=True).start()
    return True


def _run(clock: Clock) -> None:
    try:
        prune(now=clock())
        Sender(clock).run()
    except Exception:
        logger.exception("sending deliveries failed; the next task tries again")
    finally:
        connections.close_all()
        _running.release()
