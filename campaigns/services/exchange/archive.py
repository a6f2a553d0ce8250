"""Reading the XML parts of a workbook with bounded time and memory.

Parts are parsed as streams (SAX) while they are unpacked. Document type definitions are refused, because they declare
entities; so are more parts, elements or nesting than a list within our limits needs.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any
from xml.sax.handler import ContentHandler

from defusedxml import sax
from defusedxml.common import DefusedXmlException

from campaigns.rules.text import shorten
from campaigns.services.exchange.files import MAX_CELL_LENGTH, FileRefused

# Total size of the unpacked parts; a small archive can unpack to gigabytes.
MAX_UNPACKED_BYTES = 40 * 1024 * 1024
# Files in the archive.
MAX_PARTS = 500
# XML elements; a list of 20,000 rows and 10 columns has about 800,000.
MAX_ELEMENTS = 2_000_000
# XML elements of the workbook part and of relationships; usually a few dozen.
MAX_SMALL_PART_ELEMENTS = 10_000
MAX_DEPTH = 100
# Bytes of one tag or comment. The parser restarts an incomplete token with each chunk, so long ones take quadratic
# time.
MAX_TOKEN_BYTES = 1024 * 1024
CHUNK = 64 * 1024
# Characters of collected text; an escaped character takes up to seven.
MAX_TEXT_LENGTH = 10 * MAX_CELL_LENGTH
OLD_OR_ENCRYPTED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

Attributes = Any  # xml.sax gives a mapping of names to values


class Elements(ContentHandler):
    """SAX handler for one part. Element names come without namespace prefixes."""

    most = MAX_ELEMENTS

    def __init__(self) -> None:
        super().__init__()
        self.count, self.depth = 0, 0
        self.saw_event = False
        self._text: list[str] | None = None
        self._length = 0

    def begin(self, name: str, attributes: Attributes) -> None:
        """Handle a start tag."""

    def end(self, name: str) -> None:
        """Handle an end tag."""

    def collect(self) -> None:
        """Start collecting text, up to just over MAX_TEXT_LENGTH."""
        self._text, self._length = [], 0

    def collected_text(self) -> str:
        """Return the text since collect()."""
        text, self._text = "".join(self._text or ()), None
        return text

    def startElement(self, name: str, attrs: Attributes) -> None:  # noqa: N802
        self.saw_event = True
        self.count += 1
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FileRefused("The workbook’s XML is nested too deeply: copy its rows into a new one.")
        self.begin(name.rpartition(":")[2], attrs)

    def endElement(self, name: str) -> None:  # noqa: N802
        self.saw_event = True
        self.depth -= 1
        self.end(name.rpartition(":")[2])

    def characters(self, content: str) -> None:
        self.saw_event = True
        if self._text is not None and self._length <= MAX_TEXT_LENGTH:
            self._text.append(content)
            self._length += len(content)

    def processingInstruction(self, target: str, data: str) -> None:  # noqa: N802
        self.saw_event = True
        self.count += 1


class _Begun(Exception):
    """Raised at the first element, to stop parsing."""


class _Prolog(Elements):
    def begin(self, name: str, attributes: Attributes) -> None:
        raise _Begun


class Archive:
    """The parts of a workbook. Raises FileRefused if the data isn't one or exceeds the limits."""

    def __init__(self, data: bytes) -> None:
        if data.startswith(OLD_OR_ENCRYPTED):
            raise FileRefused("The file is encrypted, or an old XLS workbook: save it as XLSX without a password.")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise FileRefused("The file isn’t an XLSX workbook: save it again as XLSX, or as CSV.") from error
        self.count = 0
        parts = self._zip.infolist()
        # zipfile never unpacks more of a part than the size declared here.
        if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
            raise FileRefused(
                f"The workbook unpacks to more than {MAX_UNPACKED_BYTES // 1024**2} MB: copy its rows into a new one."
            )
        if any(part.flag_bits & 1 for part in parts):
            raise FileRefused("The workbook is encrypted: save it without a password.")
        if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
            raise FileRefused("The workbook’s compression isn’t supported: save it again as XLSX.")

    def __contains__(self, name: str) -> bool:
        return name in self._zip.NameToInfo

    def check_prologs(self) -> None:
        """Refuse document type definitions in all parts, including those never read."""
        for part in self._zip.infolist():
            if part.filename.endswith((".xml", ".rels", ".vml")):
                try:
                    self.read(part.filename, _Prolog())
                except _Begun:
                    continue

    def read(self, name: str, handler: Elements) -> None:
        """Parse a part with a handler."""
        for _ in self.read_chunks(name, handler):
            pass

    def read_chunks(self, name: str, handler: Elements) -> Iterator[None]:
        """Parse a part chunk by chunk, yielding after each."""
        parser = sax.make_parser()
        parser.forbid_dtd = True
        parser.setContentHandler(handler)
        before, bytes_without_event = self.count, 0
        try:
            with self._zip.open(name) as part:
                while chunk := part.read(CHUNK):
                    handler.saw_event = False
                    parser.feed(chunk)
                    bytes_without_event = 0 if handler.saw_event else bytes_without_event + len(chunk)
                    self._check(before + handler.count, bytes_without_event)
                    if handler.count > handler.most:
                        raise FileRefused(
                            f"The workbook’s part {shorten(name)} holds more than {handler.most:,} elements: copy its"
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

    def _check(self, count: int, bytes_without_event: int) -> None:
        self.count = count
        if count > MAX_ELEMENTS:
            raise FileRefused(
                f"The workbook holds more than {MAX_ELEMENTS:,} cells and other elements: copy its rows into a new one."
            )
        if bytes_without_event > MAX_TOKEN_BYTES:
            raise FileRefused(
                f"The workbook holds a comment or tag of more than {MAX_TOKEN_BYTES // 1024**2} MB: copy its rows into"
                " a new one."
            )
