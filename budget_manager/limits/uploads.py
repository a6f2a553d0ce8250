"""Dropping uploads above the size limit as they arrive, so that they reach neither memory nor disk."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest

# Bytes of a request besides the file: other fields and separators.
OVERHEAD = 1024**2
DROPPED = "budget_manager.upload_dropped"


def was_dropped(request: HttpRequest) -> bool:
    """Return whether the request's files were too large and dropped."""
    return DROPPED in request.META


class LimitedUpload(FileUploadHandler):
    """The first upload handler: passes files on only if the whole request is small enough."""

    def handle_raw_input(self, input_data: Any, META: dict[str, str], content_length: int, *args: Any) -> None:  # noqa: N803
        self.drops = content_length > settings.SPEND_UPLOAD_MEGABYTES * 1024**2 + OVERHEAD
        if self.drops and self.request is not None:
            self.request.META[DROPPED] = "yes"

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return None if self.drops else raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the next handler."""
