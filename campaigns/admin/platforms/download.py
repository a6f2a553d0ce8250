"""Importing a report as a platform gives it: upload, questions if the file leaves any, preview, import."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from campaigns.admin.platforms.download_form import AnswersForm, FileForm
from campaigns.admin.platforms.download_page import download_context
from campaigns.admin.platforms.unassigned_rows import waits_for_zone
from campaigns.admin.shared.base import BaseAdmin
from campaigns.admin.shared.database_errors import friendly_errors
from campaigns.admin.shared.display import change_address, list_address
from campaigns.admin.shared.lists import ScalableListMixin
from campaigns.admin.shared.times import time_column
from campaigns.database.clock import database_now
from campaigns.models import Brand, FileFormat, ImportDraft, SpendUpload
from campaigns.services.audit_log import AuditEntry, log_rows
from campaigns.services.exchange.files import FileRefused
from campaigns.services.history.record import Channel, Source
from campaigns.services.permissions import sees_only_assigned_brands, visible_to
from campaigns.services.platform_files.download import Download, open_download
from campaigns.services.platform_files.effects import ReportEffects, preview_effects
from campaigns.services.platform_files.importing import ImportedReport, NotReady, import_download
from campaigns.services.platform_files.stored_answers import Choices, choices_of, find_draft, keep_draft, save_choices

MAX_BRANDS = 500


@admin.register(FileFormat)
class FileFormatAdmin(ScalableListMixin, BaseAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    """The remembered formats of reports, and the pages that import a report."""

    list_note = "How reports with the same headings are read. A format is remembered when a report is imported."
    nothing_yet = "Import a report as downloaded from a platform. How it is read is remembered here for the next one."
    list_display = ("name", "source", "account", time_column("used_at", "last used"))
    list_filter = ("source",)
    search_fields = ("name",)
    fields = ("name", "source", "account", "order", "decimal", "currency")
    readonly_fields = ("source", "order", "decimal")
    ordering = ("name",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("import/", self.admin_site.admin_view(self.upload_view), name="campaigns_fileformat_import"),
            path("import/<int:pk>/", self.admin_site.admin_view(self.report_view), name="campaigns_fileformat_report"),
        ]
        return [*own, *super().get_urls()]

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        """Take a file and store it for its questions and preview."""
        _check_may_import(request)
        form = FileForm(request)
        if form.is_bound and form.is_valid():
            file = form.cleaned_data["file"]
            choices = Choices(create=_may_create(request))
            try:
                draft = keep_draft(
                    str(file.name), file.read(), person=request.user, choices=choices, now=timezone.now()
                )
                self._open(request, draft)
                return HttpResponseRedirect(_address(draft))
            except FileRefused as refusal:
                form.add_error("file", str(refusal))
        back = list_address(SpendUpload)
        return self.dialogue(request, "platforms/download", title="Import a platform’s report", form=form, back=back)

    def report_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the questions and the preview of a stored file; keep answers, or import it."""
        _check_may_import(request)
        draft = find_draft(pk, person=request.user)
        if draft is None:
            messages.error(request, "This file has expired. Choose it again.")
            return HttpResponseRedirect(reverse("admin:campaigns_fileformat_import"))
        return friendly_errors(request, FileFormat, lambda: self._report(request, draft))

    def _report(self, request: HttpRequest, draft: ImportDraft) -> HttpResponse:
        try:
            download = self._open(request, draft)
        except FileRefused as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(reverse("admin:campaigns_fileformat_import"))
        choices = choices_of(draft)
        visible = visible_to(request.user, Brand.objects.all(), "pk")
        data = request.POST if request.method == "POST" else None
        form = AnswersForm(data, download, choices, brands=visible, may_create=_may_create(request))
        if form.is_bound and form.is_valid():
            if "import" in request.POST and not form.has_changed():
                return self._import(request, draft, download, choices)
            save_choices(draft, form.chosen())
            if "import" in request.POST:
                messages.warning(request, "Your choices have changed the preview. Check it, then import.")
            return HttpResponseRedirect(_address(draft))
        return self.dialogue(
            request,
            "platforms/report",
            title=f"Import {draft.name}",
            draft=draft,
            form=form,
            new_brand=self._new_brand(request, download, form),
            brands=visible.order_by("name").values_list("name", flat=True)[:MAX_BRANDS],
            another=reverse("admin:campaigns_fileformat_import"),
            **download_context(download, choices, self._effects(request, download, choices)),
        )

    def _new_brand(self, request: HttpRequest, download: Download, form: AnswersForm) -> str:
        """Return the address where a brand is added, with the name that was entered and the report's currency."""
        if not request.user.has_perm("campaigns.add_brand") or not form.assignment:
            return ""
        currencies = {total.currency for total in download.report.totals}
        known = {"name": form.unknown_brand, "currency": currencies.pop() if len(currencies) == 1 else ""}
        return f"{reverse('admin:campaigns_brand_add')}?{urlencode({key: text for key, text in known.items() if text})}"

    def _open(self, request: HttpRequest, draft: ImportDraft) -> Download:
        choices = choices_of(draft)
        visible = visible_to(request.user, Brand.objects.all(), "pk")
        return open_download(
            bytes(draft.data),
            choices.answers,
            now=timezone.now(),
            brands=choices.brands,
            visible=visible if sees_only_assigned_brands(request.user) else None,
            ask_zone=True,
        )

    def _effects(self, request: HttpRequest, download: Download, choices: Choices) -> ReportEffects | None:
        create = choices.create and _may_create(request)
        return preview_effects(download, link=choices.link, create=create, clock=database_now)

    def _import(self, request: HttpRequest, draft: ImportDraft, download: Download, choices: Choices) -> HttpResponse:
        source = Source(request.user.get_username(), Channel.IMPORT)
        create = choices.create and _may_create(request)
        try:
            done = import_download(
                download,
                link=choices.link,
                create=create,
                source=source,
                clock=database_now,
                file=draft.name,
                user_id=request.user.pk,
            )
        except NotReady as problem:
            messages.error(request, str(problem))
            return HttpResponseRedirect(_address(draft))
        log_rows(request.user, FileFormat, [AuditEntry(done.format.pk, str(done.format), (f"imported {draft.name}",))])
        draft.delete()
        messages.success(request, _summary(done))
        return HttpResponseRedirect(_after(done))


def _summary(done: ImportedReport) -> str:
    counts = (
        (done.written, "total imported", "totals imported"),
        (done.left, "unchanged", "unchanged"),
        (done.linked, "campaign linked", "campaigns linked"),
        (done.created, "campaign created", "campaigns created"),
        (done.unassigned, "campaign unassigned", "campaigns unassigned"),
    )
    shown = [f"{count:,} {one if count == 1 else many}" for count, one, many in counts if count]
    sentences = [f"{', '.join(shown)}."]
    if done.without_zone:
        sentences.append(waits_for_zone(done.without_zone, "as unassigned"))
    elif done.brands:
        sentences.append("The spend is booked within seconds; campaigns then pause and resume as it says.")
    if done.unassigned:
        sentences.append("Unassigned spend counts for no budget until someone assigns it.")
    return " ".join(sentences)


def _after(done: ImportedReport) -> str:
    """Return the page that shows what was imported: the brand's, if there is one."""
    return change_address(Brand(pk=min(done.brands))) if len(done.brands) == 1 else reverse("admin:index")


def _address(draft: ImportDraft) -> str:
    return reverse("admin:campaigns_fileformat_report", args=[draft.pk])


def _check_may_import(request: HttpRequest) -> None:
    if not request.user.has_perm("campaigns.add_spendupload"):
        raise PermissionDenied


def _may_create(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("campaigns.add_campaign"))
