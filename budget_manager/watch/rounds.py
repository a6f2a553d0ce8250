"""One round of watching: look, look again if something seems wrong, notify, and remember what was reported."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from budget_manager.watch.channels import DeliveryFailed, channels
from budget_manager.watch.look import Problem
from budget_manager.watch.memory import Memory, Reported
from budget_manager.watch.notice import Notice, notice_of


@dataclass(frozen=True)
class Round:
    """What a round found, the messages that were sent, and the channels that failed, each with a reason."""

    problems: Sequence[Problem]
    sent: dict[str, Notice]
    failed: dict[str, str]

    @property
    def exit_status(self) -> int:
        """0 if all is well, 1 if something is wrong, 2 if a message couldn't be sent."""
        if self.failed:
            return 2
        return 1 if self.problems else 0


@dataclass(frozen=True)
class Watch:
    """How to look, where to remember, and the name of the installation in messages."""

    look: Callable[[], list[Problem]]
    memory: Memory
    name: str
    # How long after a look a second one confirms a new problem: a process that is being restarted is none.
    confirm_seconds: float

    def round(self, *, clock: Callable[[], datetime]) -> Round:
        """Do one round. Each channel is notified on its own: if one fails, only that one is tried again."""
        remembered = self.memory.read()
        problems = self._confirmed(remembered)
        sent, failed = {}, {}
        for name, send in channels().items():
            before = remembered.get(name, Reported())
            now = clock()
            notice = notice_of(problems, before, name=self.name, now=now)
            if notice is None:
                continue
            try:
                send(notice)
            except DeliveryFailed as error:
                failed[name] = str(error)
                continue
            sent[name] = notice
            # At once, or a crash would have it sent again.
            remembered[name] = Reported(dict(notice.problems), now.isoformat(timespec="seconds"))
            self.memory.write(remembered)
        return Round(problems, sent, failed)

    def _confirmed(self, remembered: dict[str, Reported]) -> list[Problem]:
        problems = self.look()
        known = {key for sent in remembered.values() for key in sent.problems}
        new = {problem.key for problem in problems} - known
        if not new or not self.confirm_seconds:
            return problems
        time.sleep(self.confirm_seconds)
        return [problem for problem in self.look() if problem.key in new | known]
