"""Export of a read-only list, as it is filtered and sorted, as CSV or XLSX with real numbers and dates.

Times are in UTC and in the brand's own time, without an offset, as spreadsheets have them: the columns name the zones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from campaigns.admin.exchange.mixin import FORMATS, file_response
from campaigns.admin.shared.base import ReadOnlyAdmin
from campaigns.admin.shared.display import list_address
from campaigns.models import Brand
from campaigns.rules.periods import find_zone
from campaigns.services.exchange.files import Value

# Rows of one file.
MAX_ROWS = 50_000
# Rows that are read together.
PIECE = 2_000
# Ends of column names, and the column with the zone.
BRAND_TIME, BRAND_ZONE = "(brand time)", "brand time zone"


def utc_time(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC).replace(tzinfo=None)


def brand_time(instant: datetime, brand: Brand) -> datetime | None:
    """Return the brand's local time; None in an unknown zone."""
    zone = find_zone(brand.timezone)
    return instant.astimezone(zone).replace(tzinfo=None) if zone else None


class ListExportMixin(ReadOnlyAdmin):
    """Adds buttons that export the list. Needs `export_columns`, and `export_row` with their values of a row."""

    change_list_template: ClassVar[Any] = "campaigns/admin/list_export.html"
    export_columns: ClassVar[Sequence[str]]

    def export_row(self, row: Any) -> Sequence[Value]:
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export/<str:extension>/", view, name=name), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        links = [(kind.upper(), f"{self._export_address(kind)}{query}") for kind in FORMATS]
        return super().changelist_view(request, (extra_context or {}) | {"export_links": links})

    def export_view(self, request: HttpRequest, extension: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        every = list_address(self.model)
        try:
            shown = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(every)
        ids = list(shown.queryset.values_list("pk", flat=True)[: MAX_ROWS + 1])
        if len(ids) > MAX_ROWS:
            messages.error(
                request, f"The list has more than {MAX_ROWS:,} rows. Narrow it by search or filters, then export again."
            )
        if len(ids) > MAX_ROWS or extension not in FORMATS:
            return HttpResponseRedirect(f"{every}?{request.GET.urlencode()}")
        name = f"{self.opts.verbose_name_plural}-{timezone.now():%Y-%m-%d}".replace(" ", "-")
        rows = (self.export_row(row) for row in self._rows(shown, ids))
        return file_response(name, extension, self.export_columns, rows)

    def _rows(self, shown: Any, ids: Sequence[int]) -> Iterator[Any]:
        """Yield the rows in the order of the list, with their figures."""
        for start in range(0, len(ids), PIECE):
            yield from shown.read_rows(ids[start : start + PIECE])

    def _export_address(self, extension: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_export", args=[extension])
