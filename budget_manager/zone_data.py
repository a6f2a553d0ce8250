"""Choosing the zone data: the system's or those of the package tzdata, whichever are newer.

Python prefers the system's, however old. With outdated data, spend around midnight would count for the wrong day in
zones whose rules have changed since.
"""

from __future__ import annotations

import os
import re
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tzdata


@dataclass(frozen=True)
class ZoneData:
    """version is a release of the tz database, such as 2026b; empty if the data at PYTHONTZPATH have none."""

    version: str
    source: str

    def __str__(self) -> str:
        return f"{self.version or 'of an unknown version'} ({self.source})"


PACKAGE = ZoneData(tzdata.IANA_VERSION, "the package tzdata")


def use_newest() -> ZoneData:
    """Make zoneinfo use the newer data. Must be called before any zone is loaded."""
    found = _of_folders(zoneinfo.TZPATH)
    if os.environ.get("PYTHONTZPATH"):
        return found or PACKAGE  # the environment overrules
    if found is None or _key(found.version) < _key(PACKAGE.version):
        zoneinfo.reset_tzpath(to=())
        zoneinfo.ZoneInfo.clear_cache()
        return PACKAGE
    return found


def _of_folders(folders: Sequence[str]) -> ZoneData | None:
    """Return the data in the first folder that has any, as zoneinfo does."""
    for folder in map(Path, folders):
        if (folder / "UTC").is_file():
            return ZoneData(_version(folder), str(folder))
    return None


def _version(folder: Path) -> str:
    """Return the version in tzdata.zi (Linux) or +VERSION (macOS, BSD), or ""."""
    for name, pattern in (("tzdata.zi", r"# version (\S+)"), ("+VERSION", r"(\S+)")):
        try:
            with (folder / name).open(encoding="utf-8", errors="replace") as file:
                match = re.match(pattern, file.readline())
        except OSError:
            continue
        if match and re.fullmatch(r"\d{4}[a-z]+", match[1]):
            return match[1]
    return ""


def _key(version: str) -> tuple[str, int, str]:
    """Return a sort key of versions: 2026a, 2026z, 2026za, 2027a. An unknown one is the oldest."""
    return version[:4], len(version), version
