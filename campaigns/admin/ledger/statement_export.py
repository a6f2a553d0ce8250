"""What changed a closed statement, as a file: known at closing, each change with its account and time, known now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from campaigns.admin.exchange.list_export import utc_time
from campaigns.admin.exchange.mixin import FORMATS, file_response
from campaigns.admin.shared.base import BaseAdmin
from campaigns.models import BrandPeriod
from campaigns.services.exchange.files import Value
from campaigns.services.insight.late_changes import late_changes

OTHERS = "Spend records, imports and corrections"
REPORTED_LATER, LATE = "reported later", "late adjustment"
COLUMNS = (
    *("brand", "kind", "first day", "what", "at (UTC)", "platform", "account", "campaigns"),
    *("amount", "currency"),
)
# Platform, account and campaigns of what comes from none.
NOTHING: tuple[Value, ...] = (None, None, None)
ADDRESS = "campaigns_brandperiod_changes"


class StatementChangesMixin(BaseAdmin):
    """Adds the file to the page of a closed statement. Needs the model BrandPeriod."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.changes_view)
        return [path("<int:pk>/changes/<str:extension>/", view, name=ADDRESS), *super().get_urls()]

    def changes_view(self, request: HttpRequest, pk: int, extension: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        period: Any = self.get_object(request, str(pk))
        if period is None or period.closed_at is None or extension not in FORMATS:
            return self.missing(request, str(pk))
        name = f"statement-{period.get_kind_display().lower()}-{period.starts_on}-{period.brand_id}-changes"
        return file_response(name, extension, COLUMNS, _rows(period))


def download_links(period: BrandPeriod) -> SafeString:
    links = ((reverse(f"admin:{ADDRESS}", args=[period.pk, kind]), f"Download as {kind.upper()}") for kind in FORMATS)
    return format_html_join(" · ", '<a href="{}">{}</a>', links)


def _rows(period: BrandPeriod) -> Iterator[list[Value]]:
    """Yield the figure of closing, what changed it, newest first, and the figure of now, which is their sum."""
    brand, late = period.brand, late_changes(period)
    of_statement = (brand.name, period.get_kind_display().lower(), period.starts_on)
    yield [
        *of_statement,
        "known at closing",
        utc_time(period.closed_at),
        *NOTHING,
        period.spend_at_close,
        brand.currency,
    ]
    for each in late.restatements:
        source = (utc_time(each.at), each.platform, each.account, each.campaigns)
        what = LATE if each.is_late else REPORTED_LATER
        yield [*of_statement, what, *source, each.amount, brand.currency]
    if late.others:
        yield [*of_statement, OTHERS, None, *NOTHING, late.others, brand.currency]
    yield [*of_statement, "known now", None, *NOTHING, period.spend, brand.currency]
