"""Uploads beyond the largest file that any page takes are dropped as they arrive, and reach neither memory nor disk."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest

# Bytes of a request that aren't the file: other fields, and what separates them.
AROUND = 1024**2
DROPPED = "budget_manager.upload_dropped"


def was_dropped(request: HttpRequest) -> bool:
    """Return whether the request's files were too large and are missing."""
    return DROPPED in request.META


class LimitedUpload(FileUploadHandler):
    """The first of the handlers: lets the others see a file only where the whole request is small enough."""

    def handle_raw_input(self, input_data: Any, META: dict[str, str], content_length: int, *args: Any) -> None:  # noqa: N803
        self.drops = content_length > settings.SPEND_UPLOAD_MEGABYTES * 1024**2 + AROUND
        if self.drops and self.request is not None:
            self.request.META[DROPPED] = "yes"

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return None if self.drops else raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave it to the next handler, which has what this one let through."""
