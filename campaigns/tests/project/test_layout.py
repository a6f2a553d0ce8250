"""Folders stay small, and imports point one way, without a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from django.conf import settings
from django.test import SimpleTestCase

MAX_FILES = 20
PACKAGES = ("campaigns", "budget_manager", "benchmarks")
# Each may import those before it.
LAYERS = ("rules", "database", "sql", "models", "services", "tasks", "management", "admin")


def modules() -> dict[str, Path]:
    """Return the modules outside of tests and migrations by their dotted names."""
    found = {}
    for package in PACKAGES:
        for path in (settings.BASE_DIR / package).rglob("*.py"):
            parts = path.relative_to(settings.BASE_DIR).with_suffix("").parts
            if "tests" not in parts and "migrations" not in parts:
                found[".".join(part for part in parts if part != "__init__")] = path
    return found


def imports(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Yield what a module imports when it is loaded: modules, each with the name that is taken from it, or none."""
    for node in body:
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, name.name) for name in node.names)
        elif isinstance(node, ast.Import):
            yield from ((name.name, "") for name in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.ClassDef):
            for part in ("body", "handlers", "orelse", "finalbody"):
                for inner in getattr(node, part, []):
                    yield from imports(inner.body if isinstance(inner, ast.ExceptHandler) else [inner])


def graph() -> dict[str, set[str]]:
    """Return the modules that each module imports; a name that a package gathers in its __init__ is the package's."""
    known = modules()
    found = {}
    for name, path in known.items():
        taken = imports(ast.parse(path.read_text()).body)
        others = {f"{module}.{each}" if f"{module}.{each}" in known else module for module, each in taken}
        found[name] = others & known.keys() - {name}
    return found


def _is_within(name: str, package: str) -> bool:
    return name.startswith(f"{package}.")


class LayoutTests(SimpleTestCase):
    def test_no_folder_has_more_than_twenty_python_files(self) -> None:
        for package in PACKAGES:
            for folder in (settings.BASE_DIR / package, *(settings.BASE_DIR / package).rglob("*")):
                if folder.is_dir() and folder.name != "migrations":
                    with self.subTest(folder.relative_to(settings.BASE_DIR)):
                        self.assertLessEqual(len(list(folder.glob("*.py"))), MAX_FILES)

    def test_there_is_no_import_circle(self) -> None:
        try:
            TopologicalSorter(graph()).prepare()
        except CycleError as error:
            self.fail(f"import circle: {' → '.join(error.args[1])}")

    def test_imports_point_from_the_edges_to_the_rules(self) -> None:
        for name, imported in graph().items():
            for other in imported:
                if (layer := _layer(name)) and (below := _layer(other)):
                    with self.subTest(f"{name} imports {other}"):
                        self.assertLessEqual(LAYERS.index(below), LAYERS.index(layer))

    def test_there_is_no_circle_of_folders(self) -> None:
        known = modules()
        folders: dict[str, set[str]] = {}
        for name, imported in graph().items():
            folder = _folder(name, known)
            folders.setdefault(folder, set()).update({_folder(other, known) for other in imported} - {folder})
        try:
            TopologicalSorter(folders).prepare()
        except CycleError as error:
            self.fail(f"circle of folders: {' → '.join(error.args[1])}")

    def test_the_application_imports_no_benchmarks(self) -> None:
        users = [name for name, imported in graph().items() if any(_is_within(each, "benchmarks") for each in imported)]
        self.assertEqual([name for name in users if not name.startswith("benchmarks")], [])


def _layer(name: str) -> str | None:
    package, _, rest = name.partition(".")
    layer = rest.partition(".")[0]
    return layer if package == "campaigns" and layer in LAYERS else None


def _folder(name: str, known: dict[str, Path]) -> str:
    """Return the folder of a module; a package that gathers names of its folders is a place of its own, above them."""
    return f"{name}.__init__" if known[name].name == "__init__.py" else name.rpartition(".")[0]
