from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

BOTH = "sqlite postgresql"
SQLITE = "sqlite"
POSTGRESQL = "postgresql"

# Gives a file's text without a guard.
Change = Callable[[str], str]


@dataclass(frozen=True)
class Guard:
    """A protection, the change that takes it away, and the test modules of which one must fail then."""

    name: str
    file: str
    change: Change
    tests: str
    databases: str = BOTH
    # Whether a short torture takes it away too.
    short: bool = False


def replace_once(before: str, after: str) -> Change:
    def change(text: str) -> str:
        if (count := text.count(before)) != 1:
            raise LookupError(f"this stands there {count} times and not once: {before}")
        return text.replace(before, after)

    return change


def tests_by_prefix(tests: dict[str, str], name: str) -> str:
    for prefix, modules in tests.items():
        if name.startswith(prefix):
            return modules
    raise LookupError(f"No tests are known to notice that {name} is gone: add a prefix of its name to TESTS.")
