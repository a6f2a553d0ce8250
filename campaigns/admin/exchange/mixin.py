"""Import and export of brands, campaigns and schedules: the pages over campaigns.services.exchange.

The pages of django-import-export show no effect on statuses, and keep an uploaded file under a name that the browser
posts back. Ours keep it in the database, for its user only, and the browser posts its id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminRadioSelectWidget

from campaigns.admin.exchange.table import import_preview
from campaigns.admin.shared.base import BaseAdmin
from campaigns.admin.shared.database_errors import friendly_errors
from campaigns.admin.shared.fields import is_key
from campaigns.admin.shared.messages import add_warnings, warn_about_unknown_zones, with_changes
from campaigns.database.clock import database_now
from campaigns.models import ImportDraft
from campaigns.services.exchange.columns import Kind, export_table, fields_of
from campaigns.services.exchange.csv_files import write_csv
from campaigns.services.exchange.files import MAX_BYTES, MAX_ROWS, FileRefused, Value
from campaigns.services.exchange.imports import (
    ImportConflict,
    Imported,
    apply_import,
    find_draft,
    keep_draft,
    preview_import,
)
from campaigns.services.exchange.write_xlsx import write_xlsx

FORMATS = {
    "csv": (write_csv, "text/csv; charset=utf-8"),
    "xlsx": (write_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}
FORMAT_CHOICES = (("xlsx", "Excel (XLSX)"), ("csv", "CSV"))
MEGABYTES = MAX_BYTES // 1024**2


def file_response(name: str, extension: str, columns: Sequence[str], rows: Iterable[Sequence[Value]]) -> HttpResponse:
    """Return a file to download, CSV or XLSX by its extension."""
    write, content_type = FORMATS[extension]
    headers = {"Content-Disposition": f'attachment; filename="{name}.{extension}"', "Cache-Control": "no-store"}
    return HttpResponse(write(columns, rows), content_type=content_type, headers=headers)


class UploadForm(forms.Form):
    """The file to import; its size is checked before it is read."""

    file = forms.FileField(
        label="File",
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.xlsx"}),
        help_text=f"CSV or XLSX, up to {MEGABYTES} MB and {MAX_ROWS:,} rows.",
        error_messages={"required": "Choose a file.", "empty": "The file is empty. Choose another one."},
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(f"The file is larger than {MEGABYTES} MB. Import it in several files.")
        return file


class ExportForm(forms.Form):
    what = forms.ChoiceField(label="What", widget=UnfoldAdminRadioSelectWidget)
    format = forms.ChoiceField(
        label="Format",
        choices=FORMAT_CHOICES,
        initial="xlsx",
        widget=UnfoldAdminRadioSelectWidget,
    )

    def __init__(self, data: Any = None, *, kinds: tuple[Kind, ...]) -> None:
        super().__init__(data)
        what: Any = self.fields["what"]
        what.choices = [(kind.value, f"{kind.capitalize()}, {ABOUT[kind]}") for kind in kinds]
        what.initial = kinds[0].value
        if len(kinds) == 1:
            what.widget = forms.HiddenInput()


ABOUT = {
    Kind.BRANDS: "one row each",
    Kind.CAMPAIGNS: "one row each",
    Kind.SCHEDULES: "one row per window of the week",
}


class ExchangeMixin(BaseAdmin):
    """Exports the rows of a list, as it is filtered, and imports files after a preview.

    Needs `file_kinds`: the files of this list, the one that is imported first.
    """

    change_list_template: ClassVar[Any] = "campaigns/admin/exchange_list.html"
    file_kinds: ClassVar[tuple[Kind, ...]]

    def get_urls(self) -> list[URLPattern]:
        views = {"export": self.export_view, "import": self.import_view, "import_confirm": self.confirm_view}
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        ours = [
            path(f"{view.replace('_', '/')}/", self.admin_site.admin_view(function), name=f"{name}_{view}")
            for view, function in views.items()
        ]
        return [*ours, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        query = request.GET.urlencode()
        links = {"export_link": f"{self._address('export')}{f'?{query}' if query else ''}"}
        if self._may_import(request):
            links["import_link"] = self._address("import")
        return super().changelist_view(request, (extra_context or {}) | links)

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for the format, and return the file: the rows of the list as the address filters it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            return HttpResponseRedirect(self._address("changelist"))
        form = ExportForm(request.POST if request.method == "POST" else None, kinds=self.file_kinds)
        ids = sorted(rows.order_by().values_list("pk", flat=True)[: MAX_ROWS + 1])
        if len(ids) > MAX_ROWS:
            return self._too_many(request)
        if form.is_valid():
            return self._file(request, Kind(form.cleaned_data["what"]), form.cleaned_data["format"], ids)
        return self.dialogue(request, "export", title=f"Export {self.counted(len(ids))}", form=form)

    def _file(self, request: HttpRequest, kind: Kind, extension: str, ids: list[int]) -> HttpResponse:
        now = timezone.now()
        columns, rows = export_table(kind, ids, now=now)
        if len(rows) > MAX_ROWS:
            return self._too_many(request)
        return file_response(f"{kind}-{now:%Y-%m-%d}", extension, columns, rows)

    def _too_many(self, request: HttpRequest) -> HttpResponse:
        messages.error(
            request, f"The list has more than {MAX_ROWS:,} rows. Narrow it by search or filters, then export again."
        )
        return HttpResponseRedirect(f"{self._address('changelist')}?{request.GET.urlencode()}")

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Take a file and show what it would change."""
        self._check_may_import(request)
        return friendly_errors(request, self.model, lambda: self._upload(request))

    def _upload(self, request: HttpRequest) -> HttpResponse:
        posted = request.method == "POST"
        form = UploadForm(request.POST, request.FILES) if posted else UploadForm()
        if posted and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                draft = keep_draft(
                    self.file_kinds[0], str(file.name), file.read(), person=request.user, now=timezone.now()
                )
                return self._preview_import(request, draft)
            except FileRefused as refusal:
                form.add_error("file", str(refusal))
        columns = [(kind, self._columns(kind)) for kind in self.file_kinds]
        return self.dialogue(
            request, "import", title=f"Import {self.opts.verbose_name_plural}", form=form, columns=columns
        )

    def confirm_view(self, request: HttpRequest) -> HttpResponse:
        """Import the file whose preview was confirmed, or show a new preview if rows changed meanwhile."""
        self._check_may_import(request)
        if request.method != "POST":
            return HttpResponseRedirect(self._address("import"))
        return friendly_errors(request, self.model, lambda: self._confirm_import(request))

    def _confirm_import(self, request: HttpRequest) -> HttpResponse:
        number = request.POST.get("draft", "")
        draft = find_draft(int(number), person=request.user) if is_key(number) else None
        if draft is None or Kind(draft.kind) not in self.file_kinds:
            messages.error(request, "Nothing was imported: the preview has expired. Choose the file again.")
            return HttpResponseRedirect(self._address("import"))
        try:
            imported = apply_import(draft, person=request.user, clock=database_now)
        except ImportConflict as conflict:
            self._report_conflict(request, conflict)
            return self._preview_import(request, draft)
        self._report_import(request, imported)
        return HttpResponseRedirect(self._address("changelist"))

    def _preview_import(self, request: HttpRequest, draft: ImportDraft) -> HttpResponse:
        preview = preview_import(draft, person=request.user, clock=database_now)
        return self.dialogue(
            request,
            "import_preview",
            title=f"Import {draft.kind} from {draft.name}",
            draft=draft,
            preview=import_preview(preview),
            again=self._address("import"),
            confirm_address=self._address("import_confirm"),
        )

    def _report_conflict(self, request: HttpRequest, conflict: ImportConflict) -> None:
        add_warnings(request, conflict.sentences, "And {} more.")
        messages.error(request, "Nothing was imported. The preview below shows what the file would change now.")

    def _report_import(self, request: HttpRequest, imported: Imported) -> None:
        warn_about_unknown_zones(request, imported.enforced)
        plan = imported.plan
        done = [f"changed {self.counted(len(plan.changed))}"] if plan.changed or not plan.new else []
        if plan.new:
            done.append(f"added {self.counted(len(plan.new))}")
        summary = " and ".join(done).capitalize()
        messages.success(request, with_changes(f"{summary}.", imported.enforced))

    def _columns(self, kind: Kind) -> tuple[list[str], list[str]]:
        fields = fields_of(kind)
        return [n for n in fields if not fields[n].readonly], [n for n in fields if fields[n].readonly]

    def _check_may_import(self, request: HttpRequest) -> None:
        if not self._may_import(request):
            raise PermissionDenied

    def _may_import(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request) or self.has_change_permission(request)

    def _address(self, view: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{view}")
