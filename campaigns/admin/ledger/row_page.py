"""What the pages beside the form of a brand or campaign have in common: who may open them, and what is around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from campaigns.admin.shared.base import BaseAdmin
from campaigns.admin.shared.display import change_address
from campaigns.admin.shared.times import as_of
from campaigns.models import Brand, Campaign


def brand_of(row: Brand | Campaign) -> Brand:
    return row if isinstance(row, Brand) else row.brand


class RowPageMixin(BaseAdmin):
    """Pages of a brand or campaign for everybody who may view it; templates extend campaigns/admin/row_page.html."""

    def view_row(
        self, request: HttpRequest, object_id: str, view: Callable[[HttpRequest, Any], HttpResponse]
    ) -> HttpResponse:
        """Return what the view answers for the row, if it exists and the person may view it."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self.missing(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return view(request, row)

    def row_page(
        self, request: HttpRequest, template: str, row: Brand | Campaign, *, zone: str, **context: Any
    ) -> HttpResponse:
        """Return a page about the row; zone names the time zone of its days."""
        around = {
            "row": row,
            "original": row,
            "back": change_address(row),
            "as_of": as_of(timezone.now(), brand_of(row).timezone),
            "zone": zone,
        }
        return self.dialogue(request, template, **around, **context)
