"""docs/performance.md: prose by hand, and between placeholders what was measured.

A placeholder is a line `<!-- measured: WHAT -->`, its end `<!-- end -->`. WHAT is `machine`, `summary` or
`figures PART`. What a part found is kept in a file, so that one part can be measured again alone.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.db import connection

from benchmarks.figures import Figure
from campaigns.database.connection import fetch_all, is_postgresql

TEMPLATE = Path(settings.BASE_DIR) / "docs" / "performance.md"
BLOCK = re.compile(r"(<!-- measured: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)
NOTHING = "Not measured yet: run `make bench`."
HEADS = ("", "ours", "baseline", "ratio", "from–to", "target", "")
SETTINGS = ["fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "work_mem", "max_wal_size"]


@dataclass(frozen=True)
class Result:
    """What a part has found, when (in UTC), at which commit, on which machine, and the seconds that it took."""

    title: str
    at: str
    commit: str
    machine: dict[str, str]
    seconds: float
    figures: Sequence[Figure] = ()


def save(part: str, title: str, figures: Sequence[Figure], seconds: float, directory: Path) -> None:
    """Write a line for the part, and one for each figure."""
    result = Result(title, f"{datetime.now(UTC):%Y-%m-%d %H:%M}", commit(), machine(), seconds)
    found: list[Result | Figure] = [result, *figures]
    lines = [json.dumps(without_defaults(each), ensure_ascii=False) for each in found]
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{part}.jsonl").write_text("\n".join(lines) + "\n")


def without_defaults(found: Result | Figure) -> dict[str, Any]:
    every = ((field, getattr(found, field.name)) for field in fields(found))
    return {field.name: value for field, value in every if value != field.default}


def load(parts: Iterable[str], directory: Path) -> dict[str, Result]:
    """Return what was measured last, of the parts that were measured."""
    results = {}
    for part in parts:
        path = directory / f"{part}.jsonl"
        if path.exists():
            first, *others = map(json.loads, path.read_text().splitlines())
            results[part] = Result(**first, figures=[Figure(**figure) for figure in others])
    return results


def machine() -> dict[str, str]:
    """Return what the figures depend on."""
    facts = {
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Python": platform.python_version(),
        "Django": django.get_version(),
    }
    if not is_postgresql():
        return facts | {"SQLite": str(fetch_all("SELECT sqlite_version()")[0][0])}
    connection.ensure_connection()
    sql = "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s) ORDER BY name"
    chosen = ", ".join(f"{name} = {value}" for name, value in fetch_all(sql, [SETTINGS]))
    version = connection.connection.info.server_version
    return facts | {"PostgreSQL": f"{version // 10000}.{version % 10000}", "its settings": chosen}


def commit() -> str:
    """Return the short name of the commit, with a + where files differ from it."""
    describe = ["git", "describe", "--always", "--exclude=*", "--dirty=+"]
    done = subprocess.run(describe, capture_output=True, text=True, cwd=settings.BASE_DIR)
    return done.stdout.strip() or "unknown"


def write(page: Path, results: dict[str, Result]) -> None:
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(fill(TEMPLATE.read_text(), results))


def fill(text: str, results: dict[str, Result]) -> str:
    """Return the text with what was measured between its placeholders."""
    return BLOCK.sub(lambda found: f"{found[1]}\n{block(found[2], results)}\n\n{found[3]}", text)


def block(what: str, results: dict[str, Result]) -> str:
    kind, _, part = what.partition(" ")
    if not results or (part and part not in results):
        return NOTHING
    if kind == "figures":
        return figures_table(results[part].figures)
    return machine_block(results) if kind == "machine" else summary(results)


def machine_block(results: dict[str, Result]) -> str:
    """Return when each part was measured, and on what."""
    rows = [[r.title, r.at, f"`{r.commit}`", f"{r.seconds / 60:.1f} min"] for r in results.values()]
    facts: dict[str, str] = {}
    for result in results.values():
        facts.update(result.machine)
    lines = [f"- {name}: {fact}" for name, fact in facts.items()]
    return "\n".join([table(("part", "measured", "commit", "took"), rows), "", *lines])


def summary(results: dict[str, Result]) -> str:
    """Return every figure that has a target."""
    figures = [figure for result in results.values() for figure in result.figures if figure.met is not None]
    rows = [
        [figure.name, amount(figure.measured, _unit(figure)), target(figure), verdict(figure)] for figure in figures
    ]
    return table(("", "measured", "target", ""), rows)


def figures_table(figures: Iterable[Figure]) -> str:
    return table(HEADS, [row(figure) for figure in figures])


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown: the first column is text, the others are numbers."""
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def row(figure: Figure) -> list[str]:
    return [
        figure.name + (f" ({figure.note})" if figure.note else ""),
        amount(figure.ours, figure.unit),
        "" if figure.baseline is None else amount(figure.baseline, figure.unit),
        "" if figure.ratio is None else f"{figure.ratio:.3g}",
        "–".join(number(value) for value in figure.spread if len(set(figure.spread)) > 1),
        target(figure),
        verdict(figure),
    ]


def target(figure: Figure) -> str:
    if figure.most is not None:
        return f"≤ {amount(figure.most, _unit(figure))}"
    return f"≥ {amount(figure.least, _unit(figure))}" if figure.least is not None else ""


def verdict(figure: Figure) -> str:
    if figure.met is not False:
        return "met" if figure.met else ""
    wanted = figure.least if figure.most is None else figure.most
    return f"missed by {abs(figure.measured - wanted) / wanted:.0%}" if wanted else "missed"


def _unit(figure: Figure) -> str:
    """Return the unit of the target: a ratio has none."""
    return figure.unit if figure.ratio is None else ""


def amount(value: float, unit: str) -> str:
    if unit == "s" and value < 0.1:
        return f"{value * 1000:.3g} ms"
    return f"{number(value)} {unit}".rstrip()


def number(value: float) -> str:
    """Return a number with the digits that a measurement has."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
