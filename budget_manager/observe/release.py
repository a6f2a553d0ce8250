"""The version of this code, for Sentry and the metrics."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent.parent


@cache
def release() -> str:
    """Return the newest version of CHANGELOG.md, with the commit if this is a git checkout: "unreleased+3f2a9bc"."""
    return "+".join(filter(None, [_version(), _commit()]))


def _version() -> str:
    try:
        text = (BASE_DIR / "CHANGELOG.md").read_text()
    except OSError:
        return "unknown"
    heading = re.search(r"^## \[?v?([\w.-]+)", text, re.MULTILINE)
    return heading[1].lower() if heading else "unknown"


def _commit() -> str:
    if not (BASE_DIR / ".git").exists():  # git would name the commit of a repository around this folder
        return ""
    command = ["git", "-C", str(BASE_DIR), "rev-parse", "--short", "HEAD"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=2)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""
