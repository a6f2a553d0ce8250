"""The parts of a workbook, which is an archive of XML, read so that no file takes much time or memory.

Nothing builds a tree of a part: handlers hear of elements while it is unpacked. Document type definitions are refused,
as they declare entities, and so are parts, elements and depths beyond what a list within our bounds needs.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any
from xml.sax.handler import ContentHandler

from defusedxml import sax
from defusedxml.common import DefusedXmlException

from campaigns.services.exchange.files import LONGEST_CELL, FileRefused, shortened

# Bytes to which a workbook may unpack: a small one may hold gigabytes.
LARGEST_UNPACKED = 40 * 1024 * 1024
# Files that a workbook may hold.
PARTS = 500
# Elements of XML: a list of 20,000 rows and 10 columns has some 800,000.
MOST_ELEMENTS = 2_000_000
# Elements of a part that says what the others are: those of a workbook have some dozens.
MOST_SMALL = 10_000
DEEPEST = 100
# Bytes of one tag or comment. The parser begins it anew with each chunk, so that long ones take it ever longer.
LONGEST_PIECE = 1024 * 1024
CHUNK = 64 * 1024
# Characters: one of a cell is written with up to seven.
LONGEST_TEXT = 10 * LONGEST_CELL
OLD_OR_ENCRYPTED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

Attributes = Any  # xml.sax gives a mapping of names to values


class Elements(ContentHandler):
    """What hears of the elements of a part. Names come without their namespaces' prefixes."""

    most = MOST_ELEMENTS

    def __init__(self) -> None:
        super().__init__()
        self.count, self.depth = 0, 0
        self.is_heard = False
        self._text: list[str] | None = None
        self._length = 0

    def begin(self, name: str, attributes: Attributes) -> None:
        """Hear of the beginning of an element."""

    def end(self, name: str) -> None:
        """Hear of its end."""

    def collect(self) -> None:
        """Keep the text that follows, or so much of it that it is seen to be too long."""
        self._text, self._length = [], 0

    def ids_as_text(self) -> str:
        """Return the text since collect()."""
        text, self._text = "".join(self._text or ()), None
        return text

    def startElement(self, name: str, attrs: Attributes) -> None:  # noqa: N802
        self.is_heard = True
        self.count += 1
        self.depth += 1
        if self.depth > DEEPEST:
            raise FileRefused("The workbook holds elements within elements too deep: copy its rows into a new one.")
        self.begin(name.rpartition(":")[2], attrs)

    def endElement(self, name: str) -> None:  # noqa: N802
        self.is_heard = True
        self.depth -= 1
        self.end(name.rpartition(":")[2])

    def characters(self, content: str) -> None:
        self.is_heard = True
        if self._text is not None and self._length <= LONGEST_TEXT:
            self._text.append(content)
            self._length += len(content)

    def processingInstruction(self, target: str, data: str) -> None:  # noqa: N802
        self.is_heard = True
        self.count += 1


class _Begun(Exception):
    """The first element has begun."""


class _Prolog(Elements):
    def begin(self, name: str, attributes: Attributes) -> None:
        raise _Begun


class Archive:
    """A workbook's parts. Raises FileRefused where it isn't one, or is larger than is reasonable."""

    def __init__(self, data: bytes) -> None:
        if data.startswith(OLD_OR_ENCRYPTED):
            raise FileRefused("The file is encrypted or an old XLS workbook: save it as XLSX without a password.")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise FileRefused("The file is no XLSX workbook: save it again as XLSX, or as CSV.") from error
        self.count = 0
        parts = self._zip.infolist()
        # No part is unpacked beyond the size that the archive gives for it.
        if len(parts) > PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
            raise FileRefused(
                f"The workbook unpacks to more than {LARGEST_UNPACKED // 1024**2} MB: copy its rows into a new one."
            )
        if any(part.flag_bits & 1 for part in parts):
            raise FileRefused("The workbook is encrypted: save it without a password.")
        if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
            raise FileRefused("The workbook is packed in a way that spreadsheets don't use: save it again as XLSX.")

    def __contains__(self, name: str) -> bool:
        return name in self._zip.NameToInfo

    def check_prologs(self) -> None:
        """Refuse document type definitions in all parts, those too that are never read."""
        for part in self._zip.infolist():
            if part.filename.endswith((".xml", ".rels", ".vml")):
                try:
                    self.read(part.filename, _Prolog())
                except _Begun:
                    continue

    def read(self, name: str, handler: Elements) -> None:
        """Let a handler hear of all elements of a part."""
        for _ in self.read_on(name, handler):
            pass

    def read_on(self, name: str, handler: Elements) -> Iterator[None]:
        """Let a handler hear of a part's elements piece by piece."""
        parser = sax.make_parser()
        parser.forbid_dtd = True
        parser.setContentHandler(handler)
        before, unheard = self.count, 0
        try:
            with self._zip.open(name) as part:
                while chunk := part.read(CHUNK):
                    handler.is_heard = False
                    parser.feed(chunk)
                    unheard = 0 if handler.is_heard else unheard + len(chunk)
                    self._check(before + handler.count, unheard)
                    if handler.count > handler.most:
                        raise FileRefused(
                            f"The workbook’s part {shortened(name)} holds more than {handler.most:,} elements: copy its"
                            " rows into a new one."
                        )
                    yield
            parser.close()
        except DefusedXmlException as error:
            raise FileRefused(
                "The workbook holds a document type definition, which spreadsheets don't write: copy its rows into a"
                " new one."
            ) from error
        yield

    def _check(self, count: int, unheard: int) -> None:
        self.count = count
        if count > MOST_ELEMENTS:
            raise FileRefused(
                f"The workbook holds more than {MOST_ELEMENTS:,} cells and other elements: copy its rows into a new"
                " one."
            )
        if unheard > LONGEST_PIECE:
            raise FileRefused(
                f"The workbook holds a comment or tag of more than {LONGEST_PIECE // 1024**2} MB: copy its rows into a"
                " new one."
            )
