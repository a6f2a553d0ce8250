"""What to report: problems that are new, that are over, and once a day those that last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from budget_manager.watch.look import Problem
from budget_manager.watch.memory import OpenProblem, Reported

REPEAT_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Notice:
    """One message: what is wrong now, what of it is new, and what is over."""

    # The name of the installation.
    name: str
    problems: Mapping[str, OpenProblem]
    new: Sequence[str]
    over: Sequence[OpenProblem]

    @property
    def subject(self) -> str:
        if not self.problems:
            return f"Budget manager ({self.name}): well again"
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        if self.new:
            return f"Budget manager ({self.name}): {count}"
        return f"Budget manager ({self.name}): still {count}"

    @property
    def text(self) -> str:
        """The problems, new ones first, and what is over; plain text."""
        order = [*self.new, *(key for key in self.problems if key not in self.new)]
        wrong = [f"- {each.sentence} (since {_short(each.since)})" for each in map(self.problems.__getitem__, order)]
        well = [f"- {each.sentence} (began {_short(each.since)})" for each in self.over]
        parts = ["\n".join(["Wrong:", *wrong]) if wrong else "", "\n".join(["Well again:", *well]) if well else ""]
        return "\n\n".join(filter(None, parts))


def notice_of(problems: Sequence[Problem], reported: Reported, *, name: str, now: datetime) -> Notice | None:
    """Return what to report after what was reported; None if nothing is new, and no day has passed."""
    lasting = {problem.key: OpenProblem(problem.sentence, _since(reported, problem.key, now)) for problem in problems}
    new = [key for key in lasting if key not in reported.problems]
    over = [each for key, each in reported.problems.items() if key not in lasting]
    is_old = reported.last is None or now - reported.last >= REPEAT_AFTER or reported.last > now
    if new or over or (lasting and is_old):
        return Notice(name, lasting, new, over)
    return None


def _since(reported: Reported, key: str, now: datetime) -> str:
    return reported.problems[key].since if key in reported.problems else now.isoformat(timespec="seconds")


def _short(instant: str) -> str:
    return f"{datetime.fromisoformat(instant).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
