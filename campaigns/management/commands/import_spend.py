from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, reset_queries
from tqdm import tqdm

from campaigns.clock import database_now
from campaigns.database import is_conflict
from campaigns.periods import find_zone
from campaigns.services.spend_csv import BadRow, SpendFileError, read_spend_csv
from campaigns.services.spend_import import Counts, ImportRefused, import_spend

NAMED = 10
"""So many refused lines are named in what the command says; --errors has all of them."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


class Command(BaseCommand):
    help = (
        "Imports spend from a CSV file with the columns timestamp, brand, campaign, amount and, optionally,"
        " external_id. A row whose external_id the campaign has already is skipped and counted, so a file"
        " may be"
        " imported again. One refused row, and nothing is imported, unless --skip-errors is given."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE.csv", help="In UTF-8; - reads standard input.")
        parser.add_argument(
            "--create",
            action="store_true",
            help="Create brands and campaigns that are missing, instead of refusing.",
        )
        parser.add_argument(
            "--time-zone",
            default=settings.TIME_ZONE,
            metavar="ZONE",
            help="Of timestamps without an offset, like Europe/Paris (default: %(default)s).",
        )
        parser.add_argument(
            "--skip-errors",
            action="store_true",
            help="Import the other rows where some are refused, batch by batch.",
        )
        parser.add_argument(
            "--errors",
            metavar="FILE",
            help="Write the refused lines to this file: line, reason, text, with ' before what a spreadsheet would"
            " take for a formula. Overwrites it.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        zone = find_zone(options["time_zone"])
        if zone is None:
            raise CommandError(
                f"Nobody knows the time zone “{options['time_zone']}” of --time-zone: give a name like"
                " Europe/Paris or UTC."
            )
        with ExitStack() as stack:
            stream = stack.enter_context(_opened(options["file"]))
            refused = _Refused(stack.enter_context(_error_file(options["errors"], options["file"])))
            run = _Run(refused, create=options["create"], skip_errors=options["skip_errors"])
            counts = run.on(stream, zone)
        self.say(counts, refused)

    def say(self, counts: Counts, refused: _Refused) -> None:
        if counts.refused:
            self.stderr.write(refused.named())
        self.stdout.write(_told(counts))
        if counts.created_campaigns:
            self.stdout.write(
                f"Created {_number(counts.created_brands, 'brand')} and"
                f" {_number(counts.created_campaigns, 'campaign')}."
            )
        if counts.without_external_id:
            self.stdout.write(
                f"{_number(counts.without_external_id, 'imported row')} had no external_id: importing the"
                " file again would count them twice."
            )


class _Refused:
    """Keeps the first refused lines, to name them, and writes all of them to the file of --errors."""

    def __init__(self, write: Callable[[BadRow], None]) -> None:
        self.write = write
        self.first: list[BadRow] = []
        self.count = 0

    def add(self, refused: BadRow) -> None:
        self.count += 1
        if len(self.first) < NAMED:
            self.first.append(refused)
        self.write(refused)

    def named(self) -> str:
        lines = [f"line {refused.line}: {refused.reason}" for refused in self.first]
        if self.count > NAMED:
            lines.append(f"and {self.count - NAMED:,} more; --errors FILE writes all of them")
        return "\n".join(lines)


class _Run:
    """One import: what goes wrong becomes a sentence that says what is kept."""

    def __init__(self, refused: _Refused, *, create: bool, skip_errors: bool) -> None:
        self.refused = refused
        self.create = create
        self.skip_errors = skip_errors
        self.so_far = Counts()

    def on(self, stream: BinaryIO, zone: ZoneInfo) -> Counts:
        try:
            with _progress(stream) as advance:
                counts = self._import(stream, zone, advance)
        except ImportRefused as error:
            raise CommandError(self._nothing(error.counts)) from None
        except SpendFileError as error:
            raise CommandError(f"{error} {self._kept()}") from None
        except OSError as error:
            raise CommandError(f"The file can't be read on ({error.strerror or error}). {self._kept()}") from None
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted. {self._kept()}", returncode=130) from None
        except OperationalError as error:
            if not is_conflict(error):
                raise
            raise CommandError(
                f"Others were writing the same rows at that moment: import again. {self._kept()}"
            ) from None
        if counts.refused and not counts.imported and not counts.repeated:
            raise CommandError(f"Every row was refused, so nothing was imported:\n{self.refused.named()}")
        return counts

    def _import(self, stream: BinaryIO, zone: ZoneInfo, advance: Callable[[], None]) -> Counts:
        def on_batch(counts: Counts) -> None:
            self.so_far = counts
            advance()
            reset_queries()  # with DEBUG on, Django keeps every statement, and a batch is a long one

        return import_spend(
            read_spend_csv(stream, zone=zone),
            clock=database_now,
            create=self.create,
            skip_errors=self.skip_errors,
            on_refused=self.refused.add,
            on_batch=on_batch,
        )

    def _kept(self) -> str:
        if not self.skip_errors or not self.so_far.imported:
            return "Nothing was imported."
        return f"What was imported before that stays. {_told(self.so_far)}"

    def _nothing(self, counts: Counts) -> str:
        were = "was" if counts.refused == 1 else "were"
        return (
            f"{_number(counts.refused, 'row')} {were} refused, so nothing was imported: correct them, or"
            f" import the others with --skip-errors ({counts.imported:,} new, {counts.repeated:,} repeated).\n"
            f"{self.refused.named()}"
        )


def _told(counts: Counts) -> str:
    return (
        f"{_number(counts.imported, 'row')} imported, {counts.repeated:,} repeated and skipped,"
        f" {counts.refused:,} refused."
    )


def _number(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def _opened(name: str) -> AbstractContextManager[BinaryIO]:
    if name == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise CommandError(f"The file {name} can't be read ({error.strerror}): give the path of a CSV file.") from None


@contextmanager
def _error_file(name: str | None, source: str) -> Iterator[Callable[[BadRow], None]]:
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
        writer = csv.writer(file)
        writer.writerow(("line", "reason", "text"))
        yield lambda refused: writer.writerow((refused.line, refused.reason, _not_a_formula(refused.text)))


def _not_a_formula(text: str) -> str:
    """Return what a spreadsheet shows and doesn't reckon: the file came from somebody else."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


@contextmanager
def _progress(stream: BinaryIO) -> Iterator[Callable[[], None]]:
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
