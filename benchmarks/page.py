"""docs/performance.md: prose by hand, and between its marks what was measured.

A mark is a line `<!-- measured: WHAT -->`, its end `<!-- end -->`. WHAT is `machine`, `summary`, `figures PART`
or `table PART`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from benchmarks.parts import PARTS
from benchmarks.results import Result
from benchmarks.tables import figures_markdown, markdown_row, number, plain_markdown, target, verdict

BLOCK = re.compile(r"(<!-- measured: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)
NOTHING = "Not measured yet: run `make bench`."
TITLES = {part.name: part.title for part in PARTS}

Results = Mapping[str, Result]


def write(template: Path, page: Path, results: Results) -> None:
    """Write the page, with the template's prose."""
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(fill(template.read_text(), results))


def fill(text: str, results: Results) -> str:
    """Return the text with what was measured between its marks."""
    return BLOCK.sub(lambda found: f"{found[1]}\n{block(found[2], results)}\n\n{found[3]}", text)


def block(what: str, results: Results) -> str:
    kind, *names = what.split()
    if kind == "machine":
        return machine(results)
    if kind == "summary":
        return summary(results)
    result = results.get(names[0])
    if result is None:
        return NOTHING
    if kind == "figures":
        return figures_markdown(result.found.figures)
    return plain_markdown(result.found.table)


def machine(results: Results) -> str:
    """Return what was measured when and on what, a line for each part and for each different machine."""
    if not results:
        return NOTHING
    lines = [markdown_row(["part", "measured", "commit", "took"]), "|---|---|---|--:|"]
    for name, result in results.items():
        lines.append(markdown_row([TITLES[name], result.at, f"`{result.commit}`", f"{result.seconds / 60:.1f} min"]))
    facts: dict[str, str] = {}
    for result in results.values():
        facts.update(result.machine)
    return "\n".join([*lines, "", *(f"- {name}: {fact}" for name, fact in facts.items())])


def summary(results: Results) -> str:
    """Return every figure that has a target."""
    lines = [markdown_row(["", "measured", "target", ""]), "|---|--:|--:|---|"]
    for result in results.values():
        for figure in result.found.figures:
            if figure.met is not None:
                unit = "" if figure.ratio is not None else f" {figure.unit}"
                measured = f"{number(figure.measured)}{unit}".rstrip()
                lines.append(markdown_row([figure.name, measured, target(figure), verdict(figure)]))
    return "\n".join(lines) if len(lines) > 2 else NOTHING
