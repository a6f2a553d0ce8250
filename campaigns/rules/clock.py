"""The clock that services take as an argument instead of reading one, so that tests can use any instant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

# Returns the current instant; `lambda: at` is a fixed one.
Clock = Callable[[], datetime]
