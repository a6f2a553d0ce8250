"""An uploaded file as parts in the database: written as it arrives, read part by part. Memory holds one part."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import BinaryIO, cast

from campaigns.models import SpendUploadPart

# Bytes of a part, at most.
PART = 1024**2


def write_parts(upload_id: int, chunks: Iterable[bytes]) -> int:
    """Keep the chunks of a file as parts of the upload, in order; return how many bytes they are together."""
    size = number = 0
    for chunk in chunks:
        for start in range(0, len(chunk), PART):
            data = chunk[start : start + PART]
            SpendUploadPart.objects.create(upload_id=upload_id, number=number, data=data)
            number, size = number + 1, size + len(data)
    return size


class PartsStream(io.RawIOBase):
    """The file that the parts of an upload are; position counts the bytes that were read."""

    def __init__(self, upload_id: int) -> None:
        super().__init__()
        self.position = 0
        self._upload_id, self._number, self._rest = upload_id, 0, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        target = memoryview(buffer)  # type: ignore[arg-type]  # typeshed's buffer is a private name
        if not self._rest:
            self._rest = self._next_part()
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        self.position += count
        return count

    def _next_part(self) -> memoryview:
        """Return the part that follows, empty behind the last one."""
        part = SpendUploadPart.objects.filter(upload=self._upload_id, number=self._number).first()
        self._number += 1
        return memoryview(bytes(part.data)) if part else memoryview(b"")


def open_parts(upload_id: int) -> tuple[PartsStream, BinaryIO]:
    """Return the raw stream, which knows its position, and what reads lines from it."""
    raw = PartsStream(upload_id)
    return raw, cast(BinaryIO, io.BufferedReader(raw, PART))
