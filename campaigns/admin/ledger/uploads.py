"""Importing spend through the admin: a file is uploaded, its preview confirmed, and a worker imports it."""

from __future__ import annotations

import logging
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import OperationalError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from kombu.exceptions import OperationalError as BrokerError
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from budget_manager.limits.uploads import was_dropped
from campaigns.admin.ledger.reversal import SPEND_IMPORTS, ReversalMixin
from campaigns.admin.ledger.upload_page import MEGABYTE, figures_of, in_megabytes, preview_context, progress_of
from campaigns.admin.shared.base import ReadOnlyAdmin
from campaigns.admin.shared.display import chip, render_bar
from campaigns.admin.shared.fields import ZoneField, ZoneWidget
from campaigns.admin.shared.times import viewer_time
from campaigns.database.clock import database_now
from campaigns.database.connection import is_busy
from campaigns.models import SpendUpload
from campaigns.models.brand import validate_zone
from campaigns.rules.amounts import DecimalMark
from campaigns.services.audit_log import AuditEntry, log_rows
from campaigns.services.history.actors import actor_name
from campaigns.services.intake.messages import remarks
from campaigns.services.intake.upload_files import keep_upload
from campaigns.services.intake.upload_preview import (
    MAX_INLINE_BYTES,
    NotConfirmed,
    OutOfDate,
    cancel_upload,
    confirm_upload,
    make_preview,
)
from campaigns.services.permissions import sees_only_assigned_brands
from campaigns.tasks import import_spend_upload, preview_spend_upload

logger = logging.getLogger(__name__)

TONES = {"done": "good", "failed": "warning", "ready": "warning", "running": "note", "checking": "note"}
DECIMALS = (
    (DecimalMark.UNKNOWN, "Detect automatically"),
    (DecimalMark.POINT, "Point, as in 1,250.50"),
    (DecimalMark.COMMA, "Comma, as in 1.250,50"),
)


class UploadForm(forms.Form):
    """The file and its options; people who may not add brands and campaigns get no option to create them."""

    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv"}),
        error_messages={"required": "Choose a file.", "empty": "The file is empty. Choose another one."},
    )
    timezone = ZoneField(
        label="Time zone for times without an offset",
        widget=ZoneWidget(),
        validators=[validate_zone],
        max_length=64,
        required=False,
        help_text="A name like Europe/Paris. Leave empty to use each brand’s own. Times that include an offset are used"
        " as they are; a date without a time is the brand’s day.",
    )
    decimal = forms.ChoiceField(
        label="Decimal separator",
        choices=DECIMALS,
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text="Choose one if amounts like 1.250 are ambiguous.",
    )
    skip_errors = forms.BooleanField(
        label="Skip invalid rows and import the others",
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="If off, one invalid row rejects the whole file.",
    )
    create_missing = forms.BooleanField(
        label="Create missing brands and campaigns",
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="If off, rows of unknown brands and campaigns are refused.",
    )

    def __init__(self, request: HttpRequest) -> None:
        data, files = (request.POST, request.FILES) if request.method == "POST" else (None, None)
        super().__init__(data, files, initial={"decimal": DecimalMark.UNKNOWN})
        self.fields["file"].help_text = f"CSV in UTF-8, up to {settings.SPEND_UPLOAD_MEGABYTES:,} MB."
        self.was_dropped = was_dropped(request)
        if not request.user.has_perms(("campaigns.add_brand", "campaigns.add_campaign")):
            del self.fields["create_missing"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        file = cleaned.get("file")
        if self.was_dropped or (file and file.size > settings.SPEND_UPLOAD_MEGABYTES * MEGABYTE):
            self.errors.pop("file", None)
            most = f"{settings.SPEND_UPLOAD_MEGABYTES:,} MB"
            self.add_error("file", ValidationError(f"The file is larger than {most}. Import it in several files."))
        return cleaned


@admin.register(SpendUpload)
class SpendUploadAdmin(ReversalMixin, ReadOnlyAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    reversing = SPEND_IMPORTS
    list_note = "Spend files uploaded here or imported with import_spend. Uploads are imported one at a time."
    change_list_template = "campaigns/admin/platforms/upload_list.html"
    nothing_yet = "Upload a spend file, check what it would import, and track its progress here."
    list_display = ("name", "by", "uploaded", "state_in_words", "progress", "imported", "refused")
    list_filter = ("state",)
    search_fields = ("name", "who")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """People who see only assigned brands see their own files only: others contain names of other brands."""
        rows = super().get_queryset(request)
        return rows.filter(user=request.user.pk) if sees_only_assigned_brands(request.user) else rows

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("campaigns.add_spendupload"))

    def get_urls(self) -> list[URLPattern]:
        views = {"progress": self.progress_view, "confirm": self.confirm_view, "cancel": self.cancel_view}
        own = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"campaigns_spendupload_{name}")
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        """Store the file and show its preview; a worker reads large files."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request)
        if form.is_bound and form.is_valid():
            upload = self._store(request, form.cleaned_data)
            self._preview(request, upload)
            return self._redirect_to(upload)
        return self.dialogue(request, "upload_add", title="Import spend", form=form, media=self.media)

    def _store(self, request: HttpRequest, asked: dict[str, Any]) -> SpendUpload:
        upload = keep_upload(
            asked["file"].chunks(MEGABYTE),
            name=str(asked["file"].name),
            person=request.user,
            now=timezone.now(),
            zone=asked["timezone"],
            create=asked.get("create_missing", False),
            skip_errors=asked["skip_errors"],
            decimal=DecimalMark(asked["decimal"] or DecimalMark.UNKNOWN),
            state=SpendUpload.State.CHECKING,
        )
        log_rows(request.user, SpendUpload, [AuditEntry(upload.pk, upload.name)])
        return upload

    def _redirect_to(self, upload: SpendUpload) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:campaigns_spendupload_change", args=[upload.pk]))

    def _preview(self, request: HttpRequest, upload: SpendUpload) -> None:
        """Read a small file at once; leave large files, and files that wait for a lock, to a worker."""
        if upload.size <= MAX_INLINE_BYTES:
            try:
                make_preview(upload.pk, task_id="", clock=database_now)
            except OperationalError as error:
                if not is_busy(error):
                    raise
            return
        self._send(request, upload, preview_spend_upload)

    def _send(self, request: HttpRequest, upload: SpendUpload, task: Any) -> None:
        try:
            task.apply_async((upload.pk,), retry=False)
        except BrokerError as error:
            logger.warning("no broker for the upload %d: %s", upload.pk, error)
            messages.warning(request, "The message broker can’t be reached. The file will be read once it is back.")

    def confirm_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Confirm the import that the preview shows, and queue it for a worker."""
        upload = self._unconfirmed(request, pk)
        asked = {name: request.POST.get(name) == "on" for name in ("skip_errors", "again")}
        try:
            confirmed = confirm_upload(upload.pk, **asked)
        except NotConfirmed as problem:
            messages.error(request, str(problem))
            if isinstance(problem, OutOfDate):
                self._preview(request, upload)
        else:
            self._send(request, confirmed, import_spend_upload)
        return self._redirect_to(upload)

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        upload = self._unconfirmed(request, pk)
        if cancel_upload(upload.pk, now=timezone.now()):
            messages.success(request, f"Cancelled. Nothing from “{upload.name}” was imported.")
        return HttpResponseRedirect(reverse("admin:campaigns_spendupload_changelist"))

    def _unconfirmed(self, request: HttpRequest, pk: int) -> SpendUpload:
        upload: SpendUpload | None = self.get_queryset(request).filter(pk=pk).first()
        if request.method != "POST" or not self.has_add_permission(request) or upload is None:
            raise PermissionDenied
        return upload

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Show the progress and the result of an import. Nothing can be edited."""
        upload = self.get_object(request, object_id)
        if request.method != "GET" or not self.has_view_permission(request, upload):
            raise PermissionDenied
        if upload is None:
            messages.warning(request, "This import no longer exists.")
            return HttpResponseRedirect(reverse("admin:campaigns_spendupload_changelist"))
        return self.dialogue(
            request,
            "upload",
            media=self.media,
            title=f"Import of {upload.name}",
            upload=upload,
            progress=progress_of(upload),
            uploaded=viewer_time(upload.created_at),
            by=actor_name(upload.who),
            state=self.state_in_words(upload),
            figures=figures_of(upload),
            refusals=upload.refusals.splitlines(),
            reverse_address=self.reverse_address(request, upload),
            reversed=viewer_time(upload.reversed_at) if upload.reversed_at else "",
            remarks=list(remarks(upload)),
            **preview_context(request, upload),
        )

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        upload = self.get_queryset(request).filter(pk=pk).first()
        answer = {"gone": True, "over": True} if upload is None else progress_of(upload)
        return JsonResponse(answer, headers={"Cache-Control": "no-store"})

    @admin.display(description="by", ordering="who")
    def by(self, upload: SpendUpload) -> str:
        return actor_name(upload.who)

    @admin.display(description="uploaded", ordering="created_at")
    def uploaded(self, upload: SpendUpload) -> SafeString:
        return viewer_time(upload.created_at)

    @admin.display(description="state", ordering="state")
    def state_in_words(self, upload: SpendUpload) -> SafeString:
        if upload.reversed_at:
            return chip("reversed", "plain")
        return chip(upload.get_state_display().lower(), TONES.get(upload.state, "plain"))

    @admin.display(description="progress")
    def progress(self, upload: SpendUpload) -> SafeString | str:
        progress = progress_of(upload)
        if upload.state not in (SpendUpload.State.RUNNING, SpendUpload.State.CHECKING):
            return in_megabytes(upload.size)
        done = progress["percent"]
        return render_bar(text=progress["sizes"], note=f"{done} %", value=done, label="of the file")
