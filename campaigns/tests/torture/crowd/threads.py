"""A crowd: threads that each repeat their work, until the time is up or one of them fails."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from random import Random
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.db.backends.signals import connection_created

from campaigns.services.enforcement import enforce as enforcement
from campaigns.services.enforcement import saving as changes
from campaigns.services.totals import links
from campaigns.tests.support.together import Crew, pause

# In seconds; a machine may have other things to do.
TOO_LONG = 240


class Crowd:
    """A thread's name is its connection's name in PostgreSQL; the first word says what it does there."""

    def __init__(self) -> None:
        self.crew = Crew()
        self.over = threading.Event()
        self.turns: Counter[str] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def add(self, name: str, turn: Callable[[], object], rest: float = 0) -> None:
        """Add a thread that repeats its work, with so many seconds of rest in between."""

        def take_turns() -> None:
            threading.current_thread().name = name
            try:
                while not self.over.is_set():
                    begun = time.monotonic()
                    turn()
                    self.turns[name] += 1
                    self.seconds[name] += time.monotonic() - begun
                    self.over.wait(rest)
            except BaseException as problem:
                problem.add_note(f"That was {name}, in turn {self.turns[name] + 1}.")
                self.over.set()
                raise

        self.crew.start(take_turns)

    def summary(self) -> str:
        """Return how long a turn of each took."""
        means = (f"{name}: {turns} of {self.seconds[name] / turns:.3f} s" for name, turns in self.turns.items())
        return "; ".join(means)

    def go_on_for(self, seconds: float, at_least: dict[str, int]) -> None:
        """Go on for that long, and until those have had so many turns; then wait for everybody's last one."""
        begun = time.monotonic()
        while not self.over.wait(0.1):
            enough = all(self.turns[name] >= turns for name, turns in at_least.items())
            if time.monotonic() - begun > (seconds if enough else seconds + TOO_LONG):
                self.over.set()
        for thread in self.crew.threads:
            thread.join(TOO_LONG)
        self.crew.finish()
        for name, turns in at_least.items():
            if self.turns[name] < turns:
                raise AssertionError(f"{name} had {self.turns[name]} turns in {TOO_LONG} s more: {self.summary()}")


@contextmanager
def named_connections() -> Iterator[None]:
    """Let PostgreSQL know each connection by the name of its thread."""

    def name(sender: Any, connection: Any, **kwargs: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('application_name', %s, false)", [threading.current_thread().name])

    connection_created.connect(name)
    try:
        yield
    finally:
        connection_created.disconnect(name)


HESITANT = (
    (enforcement, "brands_to_write"),
    (enforcement, "lock_brands"),
    (enforcement, "write_changes"),
    (changes, "lock_brands"),
    (links, "lock_brands"),
)


@contextmanager
def hesitation(long: float) -> Iterator[None]:
    """Let checks and people often stop for a moment, and now and then for long, with the locks they hold.

    So a person comes at every point of a running check, and no wait for a lock goes unseen.
    """
    random = Random(0)

    def hesitating(real: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            answer = real(*args, **kwargs)
            choice = random.random()
            pause(long if choice < 0.01 else random.uniform(0, 0.03) if choice < 0.4 else 0)
            return answer

        return wrapped

    with ExitStack() as stack:
        for module, name in HESITANT:
            stack.enter_context(patch.object(module, name, hesitating(getattr(module, name))))
        yield


def report(title: str, **numbers: object) -> None:
    """Say what a torture came to, beside the test runner's dots."""
    figures = ", ".join(f"{number:,} {what.replace('_', ' ')}" for what, number in numbers.items())
    sys.stderr.write(f"\n{title} on {connection.vendor}: {figures}\n")
