"""What somebody has been told, in a small file of JSON: so that a problem is told once, also from cron."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class ToldProblem:
    sentence: str
    since: str  # in ISO form


@dataclass
class Told:
    """The problems that one channel has been told and that lasted then, by key, and when a message was last sent."""

    problems: dict[str, ToldProblem] = field(default_factory=dict)
    at: str = ""

    @property
    def last(self) -> datetime | None:
        return datetime.fromisoformat(self.at) if self.at else None


class Memory:
    """The file. One that isn't there or can't be understood counts as empty: better to be told twice than never."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # For as long as the process runs: a full disk mustn't have the same told again and again.
        self.written: dict[str, Told] | None = None

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """Hold the file's lock; give False if another process holds it. Raises OSError if the folder isn't writable."""
        with self.path.with_name(f"{self.path.name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def read(self) -> dict[str, Told]:
        if self.written is not None:
            return dict(self.written)
        try:
            stored = json.loads(self.path.read_text())
            return {name: _told(channel) for name, channel in stored.items()}
        except (FileNotFoundError, ValueError, TypeError, AttributeError, KeyError):
            return {}

    def write(self, told: dict[str, Told]) -> None:
        """Replace the file as a whole, so that it is never half-written. Raises OSError."""
        self.written = dict(told)
        new = self.path.with_name(f"{self.path.name}.new")
        new.write_text(json.dumps({name: asdict(channel) for name, channel in told.items()}, indent=1) + "\n")
        new.replace(self.path)


def _told(stored: dict[str, object]) -> Told:
    problems = stored["problems"]
    if not isinstance(problems, dict):
        raise TypeError
    told = Told({key: ToldProblem(str(each["sentence"]), str(each["since"])) for key, each in problems.items()})
    told.at = str(stored["at"])
    _ = told.last, [datetime.fromisoformat(each.since) for each in told.problems.values()]
    return told
