"""Deletion of brands and campaigns: what has spend history is kept (R14)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db.models import Count, Exists, OuterRef
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from campaigns.models import Brand, Campaign, SpendRecord


def brands_to_keep(rows: Sequence[Any]) -> list[str]:
    """Return a sentence for each of the brands that can't be deleted: those that have campaigns."""
    counted: Any = Brand.objects.filter(pk__in=[row.pk for row in rows]).annotate(campaign_count=Count("campaigns"))
    return [
        f"“{brand}” has {brand.campaign_count} campaign{'' if brand.campaign_count == 1 else 's'}. Delete"
        " those without spend first; if any has spend, archive the brand instead."
        for brand in counted
        if brand.campaign_count
    ]


def campaigns_to_keep(rows: Sequence[Any]) -> list[str]:
    """Return a sentence for each of the campaigns that can't be deleted: those that have spend."""
    has_spend = Exists(SpendRecord.objects.filter(campaign=OuterRef("pk")))
    spent = Campaign.objects.filter(has_spend, pk__in=[row.pk for row in rows])
    return [f"“{campaign}” has spend history and can't be deleted. Archive it instead." for campaign in spent]


REASONS_TO_KEEP: dict[Any, Callable[[Sequence[Any]], list[str]]] = {
    Brand: brands_to_keep,
    Campaign: campaigns_to_keep,
}


class ProtectHistoryMixin(ModelAdmin):
    """Refuses to delete brands with campaigns and campaigns with spend, in a sentence each.

    The confirmation lists the rows by name. Dependent rows (windows, history, statements) may be millions: they aren't
    collected for it, and need no further permission. The model must be in REASONS_TO_KEEP.
    """

    delete_confirmation_template = "campaigns/admin/delete_confirmation.html"
    delete_selected_confirmation_template = "campaigns/admin/delete_selected_confirmation.html"

    def get_deleted_objects(
        self, objs: Iterable[Any], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        rows = list(objs)
        named = [str(row) for row in rows]
        return named, {str(self.opts.verbose_name_plural): len(rows)}, set(), REASONS_TO_KEEP[self.model](rows)
