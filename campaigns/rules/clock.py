"""The clock that services take: they read none of their own, so a test or a moved clock gives any instant it likes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

# Gives the instant to decide for; a fixed instant is `lambda: at`.
Clock = Callable[[], datetime]
