"""A workshop: a copy of the project's source in which a guard can be taken away and tests run, as a process."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from campaigns.tests.support.processes import BASE_DIR, environment
from campaigns.tests.torture.guards.guard import Change

# Seconds that one run may take; the longest takes 20 on a quiet machine.
PATIENCE = 600

NEVER_ENDED = -1

LEFT_OUT = (".*", "__pycache__", "*.sqlite3*", "staticfiles", "docs")

# The line that names a test; of a subtest, without its parameters.
FAILED_TEST = re.compile(r"^(?:FAIL|ERROR): (.+?)(?: \[.*| \(.*=.*)?$", re.MULTILINE)

# What a broken test bench says, as opposed to a missing guard. A staging table ends with its transaction.
SLIP = re.compile(
    r"syntax error|SyntaxError|IndentationError|NameError|ImportError|_FailedTest"
    r"|no such (?:column|table|function)|(?:column|relation(?! \"incoming_)|function) .* does not exist"
    r"|unexpected keyword argument"
)


@dataclass(frozen=True)
class Run:
    """What one run of tests came to."""

    status: int
    output: str
    failed: frozenset[str] = field(default_factory=frozenset)
    count: int = 0

    @property
    def passed(self) -> bool:
        return self.status == 0 and self.count > 0

    @property
    def slip(self) -> str:
        """What shows that something else than a guard was broken; empty where nothing does."""
        if self.status != 1 or "\nFAILED (" not in self.output:
            return f"it ended with status {self.status} and without a failed test"
        found = SLIP.search(self.output)
        if found:
            return f"it says “{found[0]}”"
        return "every test failed, as where nothing runs at all" if len(self.failed) >= self.count else ""


class Workshop:
    """One copy of the source, with a test database of its own."""

    def __init__(self, number: int) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="budget-manager-guards-"))
        shutil.copytree(BASE_DIR, self.place, ignore=shutil.ignore_patterns(*LEFT_OUT), dirs_exist_ok=True)
        shutil.copy2(BASE_DIR / ".env.example", self.place)
        self.database_url = _with_name(os.environ.get("DATABASE_URL", ""), f"guards_{number}")

    def close(self) -> None:
        shutil.rmtree(self.place)

    @contextmanager
    def changed(self, file: str, change: Change) -> Iterator[None]:
        """Let the file say something else for a while."""
        path = self.place / file
        text, stat = path.read_text(), path.stat()
        mutated = change(text)
        if file.endswith(".py"):
            compile(mutated, file, "exec")
        path.write_text(mutated)
        try:
            yield
        finally:
            path.write_text(text)
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # so that its compiled form is good again

    def run(self, modules: str, *, keep_compiled: bool = False) -> Run:
        """Run test modules, wherever they stand below campaigns/tests, to their end."""
        labels = [self.label(module) for module in modules.split()]
        values = {"DEBUG": "True", "DATABASE_URL": self.database_url}
        values["PYTHONDONTWRITEBYTECODE"] = "" if keep_compiled else "1"
        try:
            done = subprocess.run(
                [sys.executable, "manage.py", "test", "--noinput", *labels],
                cwd=self.place,
                env=environment(**values),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
        except subprocess.TimeoutExpired:
            return Run(NEVER_ENDED, f"{modules} didn't end within {PATIENCE} s")
        ran = re.search(r"^Ran (\d+) tests?", done.stderr, re.MULTILINE)
        failed = frozenset(FAILED_TEST.findall(done.stderr))
        return Run(done.returncode, done.stderr, failed, int(ran[1]) if ran else 0)

    def label(self, module: str) -> str:
        (path,) = self.place.joinpath("campaigns", "tests").rglob(f"{module}.py")
        return ".".join(path.relative_to(self.place).with_suffix("").parts)


def _with_name(url: str, name: str) -> str:
    """Return the URL of another database on the same server; SQLite's tests have a file each anyway."""
    return urlsplit(url)._replace(path=f"/{name}").geturl() if url.startswith("postgres") else ""
