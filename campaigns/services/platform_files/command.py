"""What import_spend --format does: read a report in a named format, describe it, and import it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from django.core.management.base import CommandError

from campaigns.database.clock import database_now
from campaigns.models import FileFormat
from campaigns.rules.money import format_money
from campaigns.services.exchange.files import FileRefused
from campaigns.services.history.actors import IMPORT
from campaigns.services.history.record import Channel, Source
from campaigns.services.platform_files.answers import Answers
from campaigns.services.platform_files.cells import MAX_BYTES
from campaigns.services.platform_files.download import Download, open_download
from campaigns.services.platform_files.importing import NotReady, import_download

MAX_NAMED = 10


def open_report(stream: BinaryIO, name: str, account: str) -> Download:
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


def describe_report(download: Download) -> Iterator[str]:
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


def import_report(download: Download, file: str) -> str:
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
