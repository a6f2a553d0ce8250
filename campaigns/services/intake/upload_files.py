"""Uploaded files, stored as parts in the database and read part by part: memory holds one part."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import BinaryIO, cast

from django.db import transaction

from campaigns.models import SpendUpload, SpendUploadPart
from campaigns.rules.amounts import DecimalMark
from campaigns.services.permissions import Person

State = SpendUpload.State
# Maximum bytes of a part.
PART = 1024**2


def keep_upload(
    chunks: Iterable[bytes],
    *,
    name: str,
    person: Person,
    now: datetime,
    zone: str,
    create: bool,
    skip_errors: bool,
    decimal: DecimalMark = DecimalMark.UNKNOWN,
    state: State = State.WAITING,
) -> SpendUpload:
    """Store a file for a worker, part by part. An empty zone means each brand's."""
    digest = hashlib.sha256()
    with transaction.atomic():
        upload = SpendUpload.objects.create(
            user_id=person.pk,
            who=person.get_username(),
            name=name[-200:],
            size=0,
            timezone=zone,
            decimal=decimal,
            create_missing=create,
            skip_errors=skip_errors,
            state=state,
            created_at=now,
        )
        upload.size = write_parts(upload.pk, _hashed(chunks, digest))
        upload.sha256 = digest.hexdigest()
        upload.save(update_fields=["size", "sha256"])
    return upload


def _hashed(chunks: Iterable[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
        yield chunk


def write_parts(upload_id: int, chunks: Iterable[bytes]) -> int:
    """Store the chunks of a file as parts of the upload; return the total size."""
    size = number = 0
    for chunk in chunks:
        for start in range(0, len(chunk), PART):
            data = chunk[start : start + PART]
            SpendUploadPart.objects.create(upload_id=upload_id, number=number, data=data)
            number, size = number + 1, size + len(data)
    return size


class PartsStream(io.RawIOBase):
    """The parts of an upload as one stream; position is the number of bytes read."""

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
        """Return the next part, empty after the last one."""
        part = SpendUploadPart.objects.filter(upload=self._upload_id, number=self._number).first()
        self._number += 1
        return memoryview(bytes(part.data)) if part else memoryview(b"")


def open_parts(upload_id: int) -> tuple[PartsStream, BinaryIO]:
    """Return the raw stream with its position, and a buffered reader on it."""
    raw = PartsStream(upload_id)
    return raw, cast(BinaryIO, io.BufferedReader(raw, PART))
