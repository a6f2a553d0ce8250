"""The change history of a brand or campaign: settings with old and new values, pauses and resumes, and notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.admin.exchange.mixin import file_response
from campaigns.admin.ledger.history import status_row
from campaigns.admin.ledger.row_page import RowPageMixin, brand_of
from campaigns.admin.shared.base import may_view
from campaigns.admin.shared.display import chip, history_address, link_to, table
from campaigns.admin.shared.fields import is_key
from campaigns.admin.shared.times import local_time
from campaigns.models import Brand, Campaign, Note, SettingChange, StatusChange
from campaigns.rules.periods import ONE_DAY, find_zone, start_of_day
from campaigns.rules.times import format_time
from campaigns.services.history.actors import actor_name, is_person
from campaigns.services.history.timeline import (
    KINDS,
    NOTES,
    SETTINGS,
    STATUS,
    Filters,
    Line,
    beginnings,
    every_line,
    read_timeline,
)
from campaigns.services.history.values import CREATED, DELETED, OF_SPEND, channel_name, format_setting, label_of

LINES_ON_A_PAGE = 50
MAX_EXPORT = 50_000
UTC = ZoneInfo("UTC")
TITLES = {"": "Everything", SETTINGS: "Settings", STATUS: "Status changes", NOTES: "Notes"}


class HistoryForm(forms.Form):
    """Days are those of the brand's time zone, both included."""

    kind = forms.ChoiceField(label="Show", choices=list(TITLES.items()), required=False)
    who = forms.CharField(label="By", max_length=200, required=False)
    first = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}), required=False)
    last = forms.DateField(label="To", widget=forms.DateInput(attrs={"type": "date"}), required=False)
    still = forms.BooleanField(label="Include “still paused”", required=False)
    operation = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def filters(self, zone: ZoneInfo) -> Filters:
        """Return what the form says; a field that isn't valid filters nothing."""
        given: Mapping[str, Any] = getattr(self, "cleaned_data", {})
        first, last = given.get("first"), given.get("last")
        operation: UUID | None = given.get("operation")
        return Filters(
            given.get("kind", ""),
            given.get("who", "").replace("\0", "").strip(),
            start_of_day(zone, first) if _is_usual(first) else None,
            start_of_day(zone, last + ONE_DAY) if last and _is_usual(last) else None,
            bool(given.get("still")),
            operation=operation,
        )


def _is_usual(day: date | None) -> bool:
    """Return whether a day is one that a time zone can place; a browser takes the year 1 too."""
    return day is not None and 1970 < day.year < 9000


class ChangeHistoryMixin(RowPageMixin):
    """Replaces Django's history of a row by the change history of a brand or campaign."""

    def extra_form_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        # Other rows have Django's history; the list of status changes is one part of this one.
        return super().extra_form_context(request, obj) | {"history_title": "Change history"}

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return self.view_row(request, object_id, self._change_history)

    def _change_history(self, request: HttpRequest, row: Brand | Campaign) -> HttpResponse:
        zone = find_zone(brand_of(row).timezone) or UTC
        form = HistoryForm(request.GET)
        form.is_valid()
        filters = replace(form.filters(zone), with_status=may_view(request, StatusChange), reader=request.user)
        if request.GET.get("file") in ("csv", "xlsx"):
            return _file(request, row, filters, zone)
        after = {kind: int(number) for kind in KINDS if is_key(number := request.GET.get(f"after_{kind}", ""))}
        page = read_timeline(row, filters, size=LINES_ON_A_PAGE, after=after)
        query = _without_place(request.GET)
        return self.row_page(
            request,
            "change_history",
            row,
            zone=zone.key,
            title=f"Change history of {row}",
            form=form,
            lines=_table(row, page.lines, each=filters.operation is not None),
            newest=f"?{query.urlencode()}" if after else "",
            older=_older(query, page.older),
            files=[(kind.upper(), _with(query, file=kind)) for kind in ("csv", "xlsx")],
        )


def _without_place(query: QueryDict) -> QueryDict:
    """Return the parameters of an address without the place in the history and the file."""
    kept = query.copy()
    for name in [name for name in kept if name.startswith("after_") or name == "file"]:
        del kept[name]
    return kept


def _with(query: QueryDict, **more: Any) -> str:
    changed = query.copy()
    for name, value in more.items():
        changed[name] = str(value)
    return f"?{changed.urlencode()}"


def _older(query: QueryDict, older: dict[str, int]) -> str:
    return _with(query, **{f"after_{kind}": number for kind, number in older.items()}) if older else ""


def _table(row: Brand | Campaign, lines: list[Line], *, each: bool) -> SafeString:
    """Return the lines as a table; on a brand's page those of one operation are one line, unless each is wanted."""
    is_brand = isinstance(row, Brand)
    brand = brand_of(row)
    shown = []
    began = beginnings(line for line in lines if isinstance(line, StatusChange))
    for line in lines:
        if isinstance(line, SettingChange) and is_brand and line.count > 1 and not each:
            what, subject, why, who = _operation(brand, line)
        else:
            what, why, who = _described(brand, line, began.get(line.pk, []))
            subject = _subject(line)
        reason = format_html('<div class="campaigns-why">{}</div>', why)
        shown.append([local_time(line.at, brand.timezone), what, *([subject] if is_brand else []), reason, who])
    headers = ("When", "What", *(["Campaign"] if is_brand else []), "Change", "By")
    return table(headers, shown, empty="Nothing matches. Widen the range or show everything.", label="Changes")


def _operation(brand: Brand, line: SettingChange) -> tuple[SafeString, str, SafeString, str]:
    """Describe a setting that one bulk change or import has changed of several campaigns."""
    address = f"{history_address(brand)}?operation={line.operation}"
    link = format_html('<a class="text-link" href="{}">Show each</a>', address)
    rows = f"{line.count:,} campaigns"
    if line.setting in (CREATED, DELETED):
        name = format_setting(line, line.before if line.setting == DELETED else line.after)
        example = format_html("{} {}, for example: {}", rows, line.setting, name)
    else:
        example = _values(line, f"{label_of(line.setting)} of {rows}, for example")
    return _what(line), rows, format_html("{}. {}", example, link), _by(line)


def _subject(line: Line) -> SafeString | str:
    """Return the campaign that a line is about; of a changed setting by its name then, as it may be deleted."""
    if isinstance(line, SettingChange):
        return "the brand" if line.campaign_id is None else line.name
    return link_to(line.campaign) if line.campaign else "the brand"


def _described(brand: Brand, line: Line, began: list[StatusChange]) -> tuple[Any, Any, str]:
    """Return what happened, how, and who did it."""
    if isinstance(line, Note):
        return chip("Note", "note"), line.text, line.who
    if isinstance(line, StatusChange):
        _, what, why, who = status_row(line, brand, began)
        return what, why, str(who)
    return _what(line), _values(line, label_of(line.setting)), _by(line)


def _what(line: SettingChange) -> SafeString:
    return chip("Spend", "warning") if line.setting in OF_SPEND else chip("Setting", "plain")


def _by(line: SettingChange) -> str:
    """Return who changed a setting and how; the name of a job or command says both."""
    name = actor_name(line.actor)
    return f"{name} ({channel_name(line)})" if is_person(line.actor) else name


def _values(line: SettingChange, label: str) -> SafeString:
    before, after = format_setting(line, line.before), format_setting(line, line.after)
    return format_html('{}: <span class="campaigns-quiet">{} →</span> {}', label, before, after)


def _file(request: HttpRequest, row: Brand | Campaign, filters: Filters, zone: ZoneInfo) -> HttpResponse:
    lines = list(every_line(row, replace(filters, each=True), most=MAX_EXPORT + 1))
    if len(lines) > MAX_EXPORT:
        messages.error(request, f"There are more than {MAX_EXPORT:,} lines. Narrow the dates, then export again.")
        return HttpResponseRedirect(_with(_without_place(request.GET)))
    brand = brand_of(row)
    columns = [f"when ({zone.key})", "what", "campaign", "setting", "old value", "new value", "by", "how"]
    rows = [_exported(line, brand, zone) for line in lines]
    name = f"history-{row._meta.model_name}-{row.pk}"
    return file_response(name, request.GET["file"], columns, rows)


def _exported(line: Line, brand: Brand, zone: ZoneInfo) -> list[str]:
    when = format_time(line.at, zone)
    if isinstance(line, Note):
        return [when, "note", str(line.campaign or ""), "", "", line.text, line.who, ""]
    if isinstance(line, StatusChange):
        campaign = line.campaign
        return [when, "status", str(campaign), "status", *_reasons(line), actor_name(line.actor), ""]
    old, new = format_setting(line, line.before), format_setting(line, line.after)
    subject = "" if line.campaign_id is None else line.name
    by = actor_name(line.actor), channel_name(line)
    return [when, "spend" if line.setting in OF_SPEND else "setting", subject, label_of(line.setting), old, new, *by]


def _reasons(line: StatusChange) -> tuple[str, str]:
    before, _, after = str(line).partition(" → ")
    return before, after
