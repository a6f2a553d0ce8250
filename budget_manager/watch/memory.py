"""What has been reported, in a small file of JSON, so that a problem is reported once, also from cron."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class OpenProblem:
    sentence: str
    since: str  # in ISO form


@dataclass
class Reported:
    """The open problems that one channel knows, by key, and when a message was last sent."""

    problems: dict[str, OpenProblem] = field(default_factory=dict)
    at: str = ""

    @property
    def last(self) -> datetime | None:
        return datetime.fromisoformat(self.at) if self.at else None


class Memory:
    """The file. One that isn't there or can't be understood counts as empty: two messages are better than none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # For as long as the process runs: a full disk mustn't repeat the same message.
        self.written: dict[str, Reported] | None = None

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

    def read(self) -> dict[str, Reported]:
        if self.written is not None:
            return dict(self.written)
        try:
            stored = json.loads(self.path.read_text())
            return {name: _reported(channel) for name, channel in stored.items()}
        except (FileNotFoundError, ValueError, TypeError, AttributeError, KeyError):
            return {}

    def write(self, reported: dict[str, Reported]) -> None:
        """Replace the file as a whole, so that it is never half-written. Raises OSError."""
        self.written = dict(reported)
        new = self.path.with_name(f"{self.path.name}.new")
        new.write_text(json.dumps({name: asdict(channel) for name, channel in reported.items()}, indent=1) + "\n")
        new.replace(self.path)


def _reported(stored: dict[str, object]) -> Reported:
    problems = stored["problems"]
    if not isinstance(problems, dict):
        raise TypeError
    reported = Reported({key: OpenProblem(str(each["sentence"]), str(each["since"])) for key, each in problems.items()})
    reported.at = str(stored["at"])
    _ = reported.last, [datetime.fromisoformat(each.since) for each in reported.problems.values()]
    return reported
