"""Each person's own choice of e-mails about alerts, on one page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from campaigns.admin.shared.base import BaseAdmin
from campaigns.models import AlertPreference
from campaigns.rules.zones import read_zone, unknown_zone
from campaigns.services.alerts.recipients import preferences_of

HOURS = [(hour, f"{hour:02}:00") for hour in range(24)]
MINE = "admin:campaigns_alert_mine"


class PreferenceForm(forms.ModelForm[AlertPreference]):
    digest_hour = forms.TypedChoiceField(
        label="Digest and reminder at",
        choices=HOURS,
        coerce=int,
        widget=UnfoldAdminSelectWidget,
        help_text="In your time zone.",
    )
    quiet_from = forms.TypedChoiceField(
        label="Quiet from",
        choices=HOURS,
        coerce=int,
        widget=UnfoldAdminSelectWidget,
        help_text="Nothing is sent in your quiet hours, except that a source has fallen silent, a pause isn’t applied,"
        " or checks came late. The same hour twice: no quiet hours.",
    )
    quiet_until = forms.TypedChoiceField(label="Quiet until", choices=HOURS, coerce=int, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = AlertPreference
        fields = ("frequency", "reminders", "timezone", "digest_hour", "quiet_from", "quiet_until")
        widgets = {
            "frequency": UnfoldAdminSelectWidget,
            "reminders": UnfoldBooleanSwitchWidget,
            "timezone": UnfoldAdminTextInputWidget,
        }

    def clean_timezone(self) -> str:
        text = self.cleaned_data["timezone"]
        zone = read_zone(text)
        if zone is None:
            raise forms.ValidationError(unknown_zone(text))
        return zone


class PreferencesMixin(BaseAdmin):
    """Adds the page of one's own choices, for everybody who may view alerts."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.mine_view)
        return [path("mine/", view, name="campaigns_alert_mine"), *super().get_urls()]

    def mine_view(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        pk: Any = request.user.pk
        own = preferences_of([pk])[pk]
        form = PreferenceForm(request.POST if request.method == "POST" else None, instance=own)
        if request.method == "POST" and form.is_valid():
            form.save()
            messages.success(request, "Saved which e-mails you get.")
            return HttpResponseRedirect(reverse(MINE))
        return self.dialogue(
            request,
            "alerts/mine",
            title="My e-mails about alerts",
            form=form,
            address=getattr(request.user, "email", ""),
            is_set_up=settings.EMAIL_IS_SET_UP,
            back=reverse("admin:campaigns_alert_changelist"),
        )
