"""manage.py import_spend: import a CSV file of spend, or show what it would import."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.database.clock import database_now
from campaigns.models import FileFormat
from campaigns.rules.amounts import DecimalMark
from campaigns.rules.money import format_money
from campaigns.rules.periods import find_zone
from campaigns.rules.zones import read_zone, unknown_zone
from campaigns.services.exchange.files import FileRefused
from campaigns.services.history.actors import IMPORT
from campaigns.services.history.record import Channel, Source
from campaigns.services.intake.command_files import error_file, file_facts, open_input
from campaigns.services.intake.command_run import ImportOptions, Refused, Run, describe_counts
from campaigns.services.intake.messages import describe_earlier_import, describe_preview, format_table, pluralize
from campaigns.services.intake.placement import Counts
from campaigns.services.intake.preview import Preview
from campaigns.services.intake.upload_preview import earlier_imports
from campaigns.services.platform_files.answers import Answers
from campaigns.services.platform_files.cells import MAX_BYTES
from campaigns.services.platform_files.download import Download, open_download
from campaigns.services.platform_files.importing import NotReady, import_download

# Formats and problems that a message names.
MAX_NAMED = 10


class Command(BaseCommand):
    help = (
        "Import spend from a CSV file with the columns timestamp, brand, campaign, amount and, optionally, external_id"
        " and currency. A row whose external_id exists in the campaign is skipped and counted, so a file can be"
        " imported again. If a row is refused, nothing is imported, unless --skip-errors is given."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE.csv", help="A file in UTF-8; - is standard input.")
        parser.add_argument(
            "--format",
            metavar="NAME",
            help="Read the file as a report of an ad platform, in a format that was remembered when such a file was"
            " imported in the admin. Its totals by day replace those imported before.",
        )
        parser.add_argument(
            "--account",
            default="",
            metavar="ID",
            help="With --format: the platform's account, for a report that doesn't name it.",
        )
        parser.add_argument(
            "--create",
            action="store_true",
            help="Create missing brands and campaigns instead of refusing their rows.",
        )
        parser.add_argument(
            "--time-zone",
            default="",
            metavar="ZONE",
            help="Time zone of times without an offset, like Europe/Paris (default: each brand's). When clocks go"
            " back, a repeated time is the first one; a time skipped when they go forward is moved within its day. A"
            " day without a time is always the brand's.",
        )
        parser.add_argument(
            "--decimal",
            choices=(DecimalMark.POINT.value, DecimalMark.COMMA.value),
            help="The file's decimal separator, needed if amounts like 1.250 are ambiguous.",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Write nothing; show the spend by brand and local day, and all problems.",
        )
        parser.add_argument(
            "--again",
            action="store_true",
            help="Import a file that was imported before, even if rows without external_id will count twice.",
        )
        parser.add_argument(
            "--skip-errors",
            action="store_true",
            help="Skip refused rows and import the others, batch by batch.",
        )
        parser.add_argument(
            "--errors",
            metavar="FILE",
            help="Write the refused lines to this CSV file (line, reason, text), replacing it. Texts that a spreadsheet"
            " would take for formulas get a leading '.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["format"] is not None:
            self.import_report(options)
            return
        choices = _read_options(options)
        with ExitStack() as stack:
            stream = stack.enter_context(open_input(options["file"]))
            refused = Refused(stack.enter_context(error_file(options["errors"], options["file"])))
            run = Run(refused, choices, file_facts(stream, Path(options["file"]).name))
            if options["dry_run"]:
                self.show_preview(run, run.preview(stream))
                return
            if not options["again"]:
                run.refuse_repetition()
            if sys.stdin.isatty() and self.stderr.isatty():
                self.stderr.write("Use --dry-run to see the spend by brand and day first.")
            counts = run.import_stream(stream)
        self.report(counts, refused)

    def import_report(self, options: dict[str, Any]) -> None:
        """Import a platform's report in a remembered format."""
        given = [name for name in ("create", "skip_errors", "again", "errors", "decimal", "time_zone") if options[name]]
        if given:
            raise CommandError(f"--format can't be combined with --{given[0].replace('_', '-')}.")
        with open_input(options["file"]) as stream:
            download = _open_report(stream, options["format"], options["account"])
        for line in _describe_report(download):
            self.stdout.write(line)
        if not options["dry_run"]:
            self.stdout.write(_import_report(download, Path(str(options["file"])).name))

    def show_preview(self, run: Run, preview: Preview) -> None:
        """Show what would be imported. Fails if the import would."""
        for line in format_table(preview):
            self.stdout.write(line)
        counts = preview.counts
        self.stdout.write(
            f"{pluralize(counts.imported, 'row')} would be imported, {counts.repeated:,} already exist,"
            f" {counts.refused:,} would be refused."
        )
        for sentence in describe_preview(preview):
            self.stdout.write(sentence)
        if counts.created_campaigns:
            self.stdout.write(f"It would create {_created(counts)}.")
        if counts.without_external_id:
            for earlier in earlier_imports(run.facts.sha256)[:1]:
                self.stdout.write(f"{describe_earlier_import(earlier)} Rows without external_id would count twice.")
        if counts.refused and not run.choices.skip_errors:
            raise CommandError(f"Nothing would be imported without --skip-errors.\n{run.refused.named()}")
        if counts.refused:
            self.stderr.write(run.refused.named())

    def report(self, counts: Counts, refused: Refused) -> None:
        if counts.refused:
            self.stderr.write(refused.named())
        self.stdout.write(describe_counts(counts))
        if counts.created_campaigns:
            self.stdout.write(f"Created {_created(counts)}.")
        if counts.without_external_id:
            self.stdout.write(
                f"{pluralize(counts.without_external_id, 'imported row')} had no external_id: importing the"
                " file again counts them twice."
            )


def _read_options(options: dict[str, Any]) -> ImportOptions:
    name = options["time_zone"]
    zone = find_zone(read_zone(name) or "") if name else None
    if name and zone is None:
        raise CommandError(f"--time-zone {unknown_zone(name)}")
    decimal = DecimalMark(options["decimal"] or DecimalMark.UNKNOWN)
    return ImportOptions(zone, decimal, options["create"], options["skip_errors"])


def _created(counts: Counts) -> str:
    return f"{pluralize(counts.created_brands, 'brand')} and {pluralize(counts.created_campaigns, 'campaign')}"


def _open_report(stream: BinaryIO, name: str, account: str) -> Download:
    """Read a report in a named format. Raises CommandError if it has other headings, or leaves a question."""
    known = FileFormat.objects.filter(name=name).first()
    if known is None:
        names = ", ".join(FileFormat.objects.values_list("name", flat=True)[:MAX_NAMED]) or "none yet"
        raise CommandError(
            f"Unknown format “{name}”. Known: {names}; import such a file in the admin once to remember one."
        )
    try:
        download = open_download(stream.read(MAX_BYTES + 1), Answers(account=account), now=database_now())
    except FileRefused as refusal:
        raise CommandError(f"{refusal} Nothing was imported.") from None
    if download.known != known:
        raise CommandError(
            f"The file’s headings aren’t those of the format “{name}” ({', '.join(known.headings[:12])}): import it in"
            " the admin once. Nothing was imported."
        )
    if download.questions:
        asked = " ".join(question.sentence for question in download.questions)
        hint = " Give --account." if not account and "account" in {q.ask for q in download.questions} else ""
        raise CommandError(f"The file leaves a question: {asked}{hint} Nothing was imported.")
    if download.problems:
        more = [f"and {len(download.problems) - MAX_NAMED:,} more"] if len(download.problems) > MAX_NAMED else []
        raise CommandError("\n".join(["Nothing was imported:", *download.problems[:MAX_NAMED], *more]))
    return download


def _describe_report(download: Download) -> Iterator[str]:
    """Yield lines: the money by brand and day, and what is left out."""
    days = download.days(link=False)
    width = max([len(row.brand) for row in days] or [0])
    for row in days:
        yield f"{row.day}  {row.brand:<{width}}  {format_money(row.amount, row.currency)}"
    changes = [f"{count:,} {word}" for word, count in download.changes.items() if count]
    yield f"Totals by campaign and day: {', '.join(changes) or 'none'}."
    left_out = [f"{count:,} {kind.counted(count)}" for kind, count in download.report.left_out.items()]
    if left_out:
        yield f"Left out: {', '.join(left_out)}."


def _import_report(download: Download, file: str) -> str:
    """Import a report, and return what was done as a sentence. Campaigns without a link are left unassigned."""
    try:
        done = import_download(
            download, link=False, create=False, source=Source(IMPORT, Channel.COMMAND), clock=database_now, file=file
        )
    except NotReady:
        return "The file has no spend to import."
    unassigned = f" Unassigned campaigns: {done.unassigned:,}; link them in the admin." if done.unassigned else ""
    totals = "total" if done.written == 1 else "totals"
    return f"{done.written:,} {totals} imported, {done.left:,} unchanged.{unassigned}"
