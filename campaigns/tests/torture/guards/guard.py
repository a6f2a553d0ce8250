from __future__ import annotations

from dataclasses import dataclass

BOTH = "sqlite postgresql"
SQLITE = "sqlite"
POSTGRESQL = "postgresql"


@dataclass(frozen=True)
class Guard:
    """Something that the product can't do without, how it is taken away, and the test modules that notice.

    before stands in the file exactly once.
    """

    name: str
    file: str
    before: str
    after: str
    tests: str
    databases: str = BOTH
    short: bool = False
    """Whether a short torture takes it away too."""
