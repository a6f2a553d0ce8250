"""What was measured, kept as a file for each part, so that one part can be measured again alone."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.db import connection

from benchmarks.bench import Measured
from benchmarks.figures import Figure
from benchmarks.sizes import Sizes
from campaigns.database.connection import fetch_all, is_postgresql


@dataclass(frozen=True)
class Result:
    """What a part has found, and on what."""

    part: str
    found: Measured
    sizes: dict[str, Any]
    machine: dict[str, str]
    commit: str
    at: str
    """When it was measured, in UTC."""
    seconds: float
    """How long the part took as a whole."""


def save(result: Result, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    content = asdict(result) | {"found": asdict(result.found)}
    (directory / f"{result.part}.json").write_text(json.dumps(content, indent=1))


def load(part: str, directory: Path) -> Result | None:
    """Return what was measured last of a part; None where nothing was."""
    path = directory / f"{part}.json"
    if not path.exists():
        return None
    content = json.loads(path.read_text())
    found = content.pop("found")
    figures = [Figure.from_json(fields) for fields in found["figures"]]
    return Result(found=Measured(figures, found["table"]), **content)


def sizes_as_json(sizes: Sizes) -> dict[str, Any]:
    return json.loads(json.dumps(asdict(sizes)))  # type: ignore[no-any-return]


def machine() -> dict[str, str]:
    """Return what the figures depend on, by the names under which it is told."""
    facts = {
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Python": platform.python_version(),
        "Django": django.get_version(),
    }
    if is_postgresql():
        return facts | {"PostgreSQL": _server_version(), "its settings": _server_settings()}
    return facts | {"SQLite": str(fetch_all("SELECT sqlite_version()")[0][0])}


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB"


def _server_version() -> str:
    with connection.cursor() as cursor:
        number = cursor.connection.info.server_version
    return f"{number // 10000}.{number % 10000}"


def _server_settings() -> str:
    """Return what differs from the server's defaults and matters here."""
    told = fetch_all(
        "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s) ORDER BY name",
        [["fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "work_mem", "max_wal_size"]],
    )
    return ", ".join(f"{name} = {value}" for name, value in told)


def commit() -> str:
    """Return the short name of the commit that is measured, with a + where files of the program differ from it."""
    name = _git("rev-parse", "--short", "HEAD") or "unknown"
    differs = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs")
    return f"{name}+" if differs else name


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=settings.BASE_DIR, capture_output=True, text=True)
    return done.stdout.strip()
