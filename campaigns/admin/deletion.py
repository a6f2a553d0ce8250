"""What has history can't vanish (R14): deletion asks for spend, not for millions of objects to list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest

from campaigns.admin.base import RefusesInWords


class DeletesWithoutHistory(RefusesInWords):
    """Lists what is to be deleted by its own name only; refuses what has history in a sentence each.

    What hangs on a row without spend (windows, history, books) goes with it and needs no further permission.
    """

    delete_confirmation_template = "campaigns/admin/delete_confirmation.html"
    delete_selected_confirmation_template = "campaigns/admin/delete_selected_confirmation.html"

    def get_deleted_objects(
        self, objs: Iterable[Any], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        rows = list(objs)
        named = [str(row) for row in rows]
        return named, {str(self.opts.verbose_name_plural): len(rows)}, set(), self.reasons_to_keep(rows)

    def reasons_to_keep(self, rows: list[Any]) -> list[str]:
        """Return a sentence for each of the rows that can't be deleted."""
        raise NotImplementedError
