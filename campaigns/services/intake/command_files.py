"""Files that import_spend reads and writes, and its progress bar. What goes wrong is a CommandError."""

from __future__ import annotations

import csv
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from django.core.management.base import CommandError
from tqdm import tqdm

from campaigns.rules.csv_guard import guarded_line
from campaigns.services.intake.csv_reader import BadRow


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """Give the file; what can be read only once, like standard input, is copied first."""
    with ExitStack() as stack:
        try:
            stream = sys.stdin.buffer if name == "-" else stack.enter_context(Path(name).open("rb"))
        except OSError as error:
            raise CommandError(
                f"The file {name} can't be read ({error.strerror}): give the path of a CSV file."
            ) from None
        if stream.seekable():
            yield stream
            return
        copy = stack.enter_context(tempfile.TemporaryFile())
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        yield cast(BinaryIO, copy)


@contextmanager
def error_file(name: str | None, source: str) -> Iterator[Callable[[BadRow], None]]:
    """Give what writes a refused line to the file of --errors, or nowhere."""
    if name is None:
        yield lambda refused: None
        return
    path = Path(name)
    if path.exists() and source != "-" and path.samefile(source):
        raise CommandError(f"--errors {name} is the file to import, and would overwrite it: give another name.")
    try:
        file = path.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise CommandError(f"--errors {name} can't be written ({error.strerror}): give another name.") from None
    with file:
        writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow(("line", "reason", "text"))
        # The lines came from somebody else: a spreadsheet shows them and doesn't calculate.
        yield lambda refused: writer.writerow((refused.line, guarded_line(refused.reason), guarded_line(refused.text)))


@contextmanager
def progress(stream: BinaryIO) -> Iterator[Callable[[], None]]:
    """Give what moves the progress bar to where the stream is; there is one on a terminal only."""
    if not (sys.stderr.isatty() and stream.seekable()):
        yield lambda: None
        return
    size = stream.seek(0, 2)
    stream.seek(0)
    with tqdm(total=size, unit="B", unit_scale=True, file=sys.stderr, leave=False) as bar:

        def advance() -> None:
            bar.update(stream.tell() - bar.n)

        yield advance
