"""Alert rules: which kinds fire, from which threshold on, and who is told. Superusers change them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminSelectWidget

from campaigns.admin.shared.base import BaseAdmin, SuperusersOnlyMixin
from campaigns.admin.shared.lists import ScalableListMixin
from campaigns.models import AlertRule
from campaigns.services.alerts.kinds import KINDS, label_of


class RuleForm(forms.ModelForm[AlertRule]):
    kind = forms.ChoiceField(
        choices=[(code, f"{kind.label} ({kind.unit})" if kind.unit else kind.label) for code, kind in KINDS.items()],
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = AlertRule
        fields = ("kind", "threshold", "delivery", "brands", "group", "enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if kind := KINDS.get(self.instance.kind):
            self.fields["kind"].help_text = f"It fires {kind.fires}."

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        kind = KINDS.get(cleaned.get("kind", ""))
        if kind and not kind.unit and cleaned.get("threshold") != kind.defaults[0][0]:
            raise forms.ValidationError({"threshold": f"“{kind.label}” needs {kind.defaults[0][0]} here."})
        if kind and kind.unit == "%" and not cleaned.get("threshold"):
            raise forms.ValidationError({"threshold": "Enter a percentage from 1 on."})
        return cleaned


@admin.register(AlertRule)
class AlertRuleAdmin(SuperusersOnlyMixin, ScalableListMixin, BaseAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    form = RuleForm
    list_display = ("rule", "fires", "delivery", "group", "enabled")
    list_select_related = ("group",)
    sortable_by = ()
    autocomplete_fields = ("brands",)
    list_note = (
        "What fires an alert. Switch a rule off rather than delete it: its alerts go with it, and the next upgrade adds"
        " the default rules of kinds that have none."
    )
    nothing_yet = "No rules: run manage.py migrate to add the default ones."

    def has_view_permission(self, request: HttpRequest, obj: AlertRule | None = None) -> bool:
        return bool(request.user.is_superuser)

    @admin.display(description="rule")
    def rule(self, obj: AlertRule) -> str:
        kind = KINDS.get(obj.kind)
        threshold = f": {obj.threshold} {kind.unit}" if kind and kind.unit else ""
        return f"{label_of(obj.kind)}{threshold}"

    @admin.display(description="fires")
    def fires(self, obj: AlertRule) -> str:
        kind = KINDS.get(obj.kind)
        return kind.fires if kind else ""

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Name the rule as the list does: its kind is stored as a code."""
        rule = self.get_object(request, object_id)
        named = {"subtitle": self.rule(rule)} if rule else {}
        return super().change_view(request, object_id, form_url, named | (extra_context or {}))
