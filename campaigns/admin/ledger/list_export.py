"""Export of the lists of statements, status history and spend records: what is filtered, as CSV or XLSX.

Times are in UTC and in the brand's own time, without an offset, as spreadsheets have them: the columns name the zones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminRadioSelectWidget

from campaigns.admin.exchange.mixin import FORMAT_CHOICES, file_response
from campaigns.admin.shared.base import BaseAdmin
from campaigns.admin.shared.display import list_address
from campaigns.admin.shared.lists import ScalableChangeList
from campaigns.models import Brand
from campaigns.rules.periods import find_zone
from campaigns.services.exchange.files import Value

# A workbook of 50,000 rows takes as long as a CSV file of 100,000: about 10 seconds on a busy core.
MAX_EXPORTED = {"csv": 100_000, "xlsx": 50_000}
# Rows that are read by one statement, which bounds memory.
CHUNK = 1_000
BRAND_TIME, BRAND_ZONE = "(brand time)", "brand time zone"


class FormatForm(forms.Form):
    format = forms.ChoiceField(
        label="Format", choices=FORMAT_CHOICES, initial="xlsx", widget=UnfoldAdminRadioSelectWidget
    )


def utc_time(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC).replace(tzinfo=None)


def brand_time(instant: datetime, brand: Brand) -> datetime | None:
    """Return the brand's local time; None in an unknown zone."""
    zone = find_zone(brand.timezone)
    return instant.astimezone(zone).replace(tzinfo=None) if zone else None


class ListExportMixin(BaseAdmin):
    """Adds a button that exports the rows of a list, as it is filtered and sorted. Needs a ScalableListMixin."""

    change_list_template: ClassVar[Any] = "campaigns/admin/exchange_list.html"
    export_columns: ClassVar[Sequence[str]]

    def exported(self, row: Any) -> Sequence[Value]:
        """Return the values of a row, in the order of `export_columns`."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name=f"{self.opts.app_label}_{self.opts.model_name}_export"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_export")
        link = {"export_link": _with_query(request, address)}
        return super().changelist_view(request, (extra_context or {}) | link)

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for the format, and return the file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        back = list_address(self.model)
        try:
            changelist: Any = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(back)
        keys = changelist.queryset.values_list("pk", flat=True)
        form = FormatForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            most = max(MAX_EXPORTED.values())
            count = keys[: most + 1].count()
            if count > most:
                return self._too_many(request, most)
            title = f"Export {self.counted(count)}"
            return self.dialogue(request, "list_export", title=title, form=form, back=_with_query(request, back))
        kind = form.cleaned_data["format"]
        ids = list(keys[: MAX_EXPORTED[kind] + 1])
        if len(ids) > MAX_EXPORTED[kind]:
            return self._too_many(request, MAX_EXPORTED[kind])
        name = f"{self.opts.verbose_name_plural}-{timezone.now():%Y-%m-%d}".replace(" ", "-")
        return file_response(name, kind, self.export_columns, self._rows(changelist, ids))

    def _rows(self, changelist: ScalableChangeList, ids: Sequence[Any]) -> Iterator[Sequence[Value]]:
        for start in range(0, len(ids), CHUNK):
            yield from map(self.exported, changelist.read_rows(ids[start : start + CHUNK]))

    def _too_many(self, request: HttpRequest, most: int) -> HttpResponse:
        csv = MAX_EXPORTED["csv"]
        again = "" if most == csv else f", or choose CSV, which holds up to {csv:,}"
        messages.error(
            request,
            f"The list has more than {most:,} {self.opts.verbose_name_plural}. Narrow it by search or filters, then"
            f" export again{again}.",
        )
        return HttpResponseRedirect(_with_query(request, list_address(self.model)))


def _with_query(request: HttpRequest, address: str) -> str:
    query = request.GET.urlencode()
    return f"{address}?{query}" if query else address
