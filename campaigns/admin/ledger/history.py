"""Status changes: who or what changed a campaign's status, with the spend and limits behind it (R13)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.admin.exchange.list_export import BRAND_TIME, BRAND_ZONE, ListExportMixin, brand_time, utc_time
from campaigns.admin.shared.base import ReadOnlyAdmin
from campaigns.admin.shared.display import chip, history_address, link_to_both, status_chips, table
from campaigns.admin.shared.filters import ChangeFilter, ReasonAfterFilter, RecentFilter, VisibleAutocompleteFilter
from campaigns.admin.shared.lists import NEWEST, EndlessPaginator
from campaigns.admin.shared.saved_filters import SavedFiltersMixin
from campaigns.admin.shared.search import campaigns_named, first_ids
from campaigns.admin.shared.times import local_time, viewer_time
from campaigns.database.clock import database_now
from campaigns.models import Brand, Campaign, JobRun, StatusChange
from campaigns.rules.money import format_amount, format_spend
from campaigns.rules.periods import find_zone
from campaigns.rules.reasons import LIMITS, Limit, PauseReason, describe
from campaigns.services.history.actors import acted_by, actor_name, job_name
from campaigns.services.history.timeline import STILL_PAUSED, beginnings
from campaigns.services.insight.explain_change import explain_change

MAX_CHANGES = 20


class SinceFilter(RecentFilter):
    column = "at"


def change_chips(change: StatusChange) -> SafeString:
    after = status_chips(PauseReason(change.reasons_after))
    return format_html('<span class="campaigns-quiet">{} →</span> {}', describe(change.reasons_before), after)


def format_spend_of_limit(spend: Decimal, limit: Decimal | None, currency: str) -> str:
    of = "(no limit)" if limit is None else f"of {format_amount(limit, currency)}"
    return f"{format_spend(spend, currency, limit)} {of}"


def recent_history(campaign: Campaign) -> SafeString:
    """Return the campaign's latest pauses and resumes as a table, and a link to its whole history."""
    changes = list(campaign.status_changes.exclude(STILL_PAUSED).order_by("-id")[:MAX_CHANGES])
    began = beginnings(changes)
    rows = [status_row(change, campaign.brand, began.get(change.pk, [])) for change in changes]
    shown = table(
        ("When", "Change", "Why", "By"),
        rows,
        empty="No status changes yet.",
        label="Status changes",
    )
    every = format_html(
        '<a class="text-link" href="{}">{}</a>', history_address(campaign), "Change history, with settings and notes"
    )
    return format_html('{}<p class="campaigns-more">{}</p>', shown, every)


TONES = {"Resumed": "good", "Paused": "warning", "Still paused": "plain"}


def status_row(change: StatusChange, brand: Brand, earlier: Sequence[StatusChange] = ()) -> list[SafeString | str]:
    """Return when, what, why and by whom; earlier changes of the campaign tell why a limit isn't reached any more."""
    story = explain_change(change, brand.currency, earlier=earlier, zone=find_zone(brand.timezone))
    still = f"still {describe(story.remaining)}" if story.remaining else ""
    why = format_html(
        '<div class="campaigns-why">{}<span class="campaigns-quiet">{}{}</span></div>',
        "; ".join(story.reasons),
        "; " if story.reasons and still else "",
        still,
    )
    return [local_time(change.at, brand.timezone), chip(story.headline, TONES[story.headline]), why, story.actor]


def _amounts(limit: Limit) -> Callable[[StatusChange], str]:
    """Return the column with the spend and the limit that changes were decided on."""

    @admin.display(description=f"{limit.subject} {'daily' if limit.period == 'day' else 'monthly'} spend")
    def column(change: StatusChange) -> str:
        return format_spend_of_limit(*limit.decided_on(change), change.campaign.brand.currency)

    column.__name__ = f"{limit.subject}_{limit.period}"
    return column


AMOUNTS: tuple[Any, ...] = tuple(_amounts(limit) for limit in LIMITS.values())


@admin.register(StatusChange)
class StatusChangeAdmin(SavedFiltersMixin, ListExportMixin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    brand_path = "campaign__brand"
    export_columns = (
        *("when (UTC)", f"when {BRAND_TIME}", BRAND_ZONE, "brand", "campaign", "before", "after", "by", "currency"),
        *(name for limit in LIMITS.values() for name in (f"{limit.label}: spend", f"{limit.label}: limit")),
    )
    list_display = ("when", "campaign_link", "change", "by", *AMOUNTS)
    list_display_links = ("when",)
    list_filter = (
        ("campaign__brand", VisibleAutocompleteFilter),
        ("campaign", VisibleAutocompleteFilter),
        ChangeFilter,
        ReasonAfterFilter,
        SinceFilter,
    )
    search_fields = ("campaign__name", "campaign__brand__name", "actor")
    search_help_text = "Search by campaign, brand, person or job"
    newest_unless = "campaign__id__exact"
    list_note = (
        "Every pause and resume, with the spend and limits behind it. Entries are never edited. Shows the latest"
        f" {NEWEST:,} entries; filter by campaign to see older ones."
    )
    nothing_yet = "The system adds an entry whenever a campaign pauses, resumes, or its pause reasons change."
    list_select_related = ("campaign__brand",)
    ordering = ("-id",)
    paginator = EndlessPaginator
    fields = (
        "campaign_link",
        "when",
        "recorded",
        "change",
        "by",
        *AMOUNTS,
    )
    readonly_fields = AMOUNTS

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[StatusChange], search_term: str) -> Any:
        words = search_term.replace("\0", "")
        if not words.strip():
            return queryset, False
        named = first_ids(request, campaigns_named(words))
        return queryset.filter(Q(campaign__in=named) | acted_by("actor", words.strip())), False

    @admin.display(description="when")
    def when(self, change: StatusChange) -> SafeString:
        return viewer_time(change.at, change.campaign.brand.timezone)

    @admin.display(description="recorded")
    def recorded(self, change: StatusChange) -> SafeString:
        return viewer_time(change.recorded_at, change.campaign.brand.timezone)

    def export_row(self, row: StatusChange) -> list[Any]:
        campaign, brand = row.campaign, row.campaign.brand
        reasons = describe(row.reasons_before), describe(row.reasons_after)
        amounts = [amount for limit in LIMITS.values() for amount in limit.decided_on(row)]
        when = (utc_time(row.at), brand_time(row.at, brand), brand.timezone)
        return [*when, brand.name, campaign.name, *reasons, actor_name(row.actor), brand.currency, *amounts]

    @admin.display(description="by", ordering="actor")
    def by(self, change: StatusChange) -> str:
        return actor_name(change.actor)

    @admin.display(description="campaign")
    def campaign_link(self, change: StatusChange) -> SafeString:
        return link_to_both(change.campaign)

    @admin.display(description="before → after")
    def change(self, change: StatusChange) -> SafeString:
        return change_chips(change)


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin):
    list_note = "Last run of each job. If “Check budgets” hasn’t succeeded recently, the worker or beat is down."
    nothing_yet = "No job has run yet. Start a worker and beat."
    list_display = ("job", "started", "succeeded", "ago", "summary", "problem")
    fields = ("job", "started", "succeeded", "ago", "summary", "problem")

    @admin.display(description="name", ordering="name")
    def job(self, run: JobRun) -> str:
        return job_name(run.name)

    @admin.display(description="started")
    def started(self, run: JobRun) -> SafeString | None:
        return viewer_time(run.started_at) if run.started_at else None

    @admin.display(description="succeeded")
    def succeeded(self, run: JobRun) -> SafeString | None:
        return viewer_time(run.succeeded_at) if run.succeeded_at else None

    @admin.display(description="last success")
    def ago(self, run: JobRun) -> str:
        if run.succeeded_at is None:
            return "never"
        minutes = int((database_now() - run.succeeded_at).total_seconds()) // 60
        if minutes < -1:
            return "in the future"
        return "just now" if minutes < 1 else f"{minutes} min ago" if minutes < 120 else f"{minutes // 60} h ago"
