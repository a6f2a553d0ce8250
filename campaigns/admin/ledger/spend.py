"""Spend records, read-only: the connector and the importer write them; people correct them by other records."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.admin.exchange.list_export import BRAND_TIME, BRAND_ZONE, ListExportMixin, brand_time, utc_time
from campaigns.admin.ledger.corrections import CorrectionMixin
from campaigns.admin.shared.display import link_to_both
from campaigns.admin.shared.fields import is_key
from campaigns.admin.shared.filters import RecentFilter, VisibleAutocompleteFilter
from campaigns.admin.shared.lists import NEWEST, EndlessPaginator, newest
from campaigns.admin.shared.messages import saved_link
from campaigns.admin.shared.search import campaigns_named, first_ids
from campaigns.admin.shared.times import viewer_time
from campaigns.models import SpendRecord
from campaigns.rules.money import format_money


def _name_older(request: HttpRequest, searched_for: QuerySet[SpendRecord]) -> None:
    """Link to the record of the number that is searched for, where it is too old for the list. Two look-ups by key."""
    for record in searched_for.select_related("campaign__brand"):
        if not newest(searched_for).exists():
            messages.info(request, format_html("Record {} is older than this list: {}.", record.pk, saved_link(record)))


class SpentSinceFilter(RecentFilter):
    title = "spent"
    column = "timestamp"


@admin.register(SpendRecord)
class SpendRecordAdmin(CorrectionMixin, ListExportMixin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    brand_path = "brand"
    export_columns = (
        *("id", "spent (UTC)", f"spent {BRAND_TIME}", BRAND_ZONE, "brand", "campaign", "amount", "currency"),
        *("external id", "arrived (UTC)"),
    )
    list_display = ("id", "spent_at", "campaign_link", "spend_amount", "external_id", "arrived_at")
    list_filter = (("campaign", VisibleAutocompleteFilter), SpentSinceFilter)
    list_display_links = ("spent_at",)
    search_fields = ("external_id",)
    search_help_text = "Search by campaign, brand, ID, or full external ID"
    list_select_related = ("campaign__brand",)
    ordering = ("-id",)
    sortable_by = ()
    list_note = (
        "Records are written by the connector and the importer and never edited; a correction is a record of its own."
        " Spend counts on the day it was spent, not the day it arrived. Shows the latest"
        f" {NEWEST:,} records; filter by campaign to see older ones."
    )
    nothing_yet = "Spend records come from the connector, the import_spend command, and imported files."
    list_per_page = 100
    paginator = EndlessPaginator
    newest_unless = "campaign__id__exact"
    fields = ("id", "campaign_link", "spend_amount", "spent_at", "arrived_at", "external_id")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[SpendRecord], search_term: str
    ) -> tuple[QuerySet[SpendRecord], bool]:
        """Search names among the campaigns, which are few, and both ids by the whole id: each uses an index."""
        words = search_term.replace("\0", "")
        if not words.strip():
            return queryset, False
        named = first_ids(request, campaigns_named(words))
        wanted = Q(campaign__in=named) | Q(external_id=words)
        number = words.strip().removeprefix("#")
        if is_key(number):
            wanted |= Q(pk=int(number))
            _name_older(request, queryset.filter(pk=int(number)))
        return queryset.filter(wanted), False

    def export_row(self, row: SpendRecord) -> list[Any]:
        brand = row.campaign.brand
        spent = (utc_time(row.timestamp), brand_time(row.timestamp, brand), brand.timezone)
        what = (brand.name, row.campaign.name, row.amount, brand.currency, row.external_id)
        return [row.pk, *spent, *what, utc_time(row.recorded_at)]

    @admin.display(description="spent")
    def spent_at(self, record: SpendRecord) -> SafeString:
        return viewer_time(record.timestamp, record.campaign.brand.timezone)

    @admin.display(description="arrived")
    def arrived_at(self, record: SpendRecord) -> SafeString:
        return viewer_time(record.recorded_at, record.campaign.brand.timezone)

    @admin.display(description="campaign")
    def campaign_link(self, record: SpendRecord) -> SafeString:
        return link_to_both(record.campaign)

    @admin.display(description="amount")
    def spend_amount(self, record: SpendRecord) -> str:
        return format_money(record.amount, record.campaign.brand.currency)
