"""Which zone data this process uses: the system's, or those of the package tzdata, whichever are newer.

Python prefers the system's, however old. A distribution that has stopped following the tz database would then count
spend around midnight for the wrong day wherever a government has changed its mind since.
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
    """version is a release of the tz database, such as 2026b; empty where PYTHONTZPATH names data without one."""

    version: str
    source: str

    def __str__(self) -> str:
        return f"{self.version or 'of an unknown version'} ({self.source})"


PACKAGE = ZoneData(tzdata.IANA_VERSION, "the package tzdata")


def use_newest() -> ZoneData:
    """Let zoneinfo read the newer data from now on; before anything has asked for a zone."""
    found = _of_folders(zoneinfo.TZPATH)
    if os.environ.get("PYTHONTZPATH"):
        return found or PACKAGE  # somebody has decided already
    if found is None or _key(found.version) < _key(PACKAGE.version):
        zoneinfo.reset_tzpath(to=())
        zoneinfo.ZoneInfo.clear_cache()
        return PACKAGE
    return found


def _of_folders(folders: Sequence[str]) -> ZoneData | None:
    """Return the data in the first of the folders that has any, which is where zoneinfo looks first."""
    for folder in map(Path, folders):
        if (folder / "UTC").is_file():
            return ZoneData(_version(folder), str(folder))
    return None


def _version(folder: Path) -> str:
    """Return what the data call themselves: in tzdata.zi on Linux, in +VERSION on macOS and BSD; empty if nowhere."""
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
    """Order versions: 2026a, 2026z, 2026za, 2027a. An unknown one is older than any."""
    return version[:4], len(version), version
