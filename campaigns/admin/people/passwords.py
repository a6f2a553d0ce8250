"""Forgotten passwords, by e-mail: Django's own views with our pages, where e-mail is set up (EMAIL_URL).

The answer is the same whether or not an account has the e-mail address, and it is sent before the e-mail is, so that
the time it takes tells nothing either.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.forms import PasswordResetForm, SetPasswordForm
from django.contrib.auth.views import PasswordResetConfirmView, PasswordResetView
from django.forms import EmailField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse_lazy
from django.views.generic import TemplateView
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminPasswordWidget

from budget_manager.sign_in import client_address
from campaigns.database.clock import database_now
from campaigns.services.people.first_password import note_own_password
from campaigns.services.people.password_links import PERIOD, TooManyRequests, note_request, send_forgotten

logger = logging.getLogger(__name__)


def site_of(request: HttpRequest) -> str:
    """Return the address of the site without path; ALLOWED_HOSTS has checked the host."""
    return f"{request.scheme}://{request.get_host()}"


class AnswerFirst(HttpResponseRedirect):
    """A redirect after which something is done: servers close an answer once the client has it."""

    def __init__(self, to: str, then: Callable[[], None]) -> None:
        super().__init__(to)
        # The web server sends an answer without a body only after it is closed.
        self.content = b"See the next page.\n"
        self._then: Callable[[], None] | None = then

    def close(self) -> None:
        then, self._then = self._then, None
        if then:
            then()
        super().close()


class OnlyWithEmail:
    """A page that isn't there unless e-mail is set up. Its context is that of the sign-in page."""

    title: Any = ""
    extra_context: Any = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not settings.EMAIL_IS_SET_UP:
            raise Http404
        self.extra_context = admin.site.each_context(request) | {"title": self.title}
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]  # a view stands right of it


class ForgottenForm(PasswordResetForm):
    email = EmailField(
        label="E-mail address",
        max_length=254,
        widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "email", "autofocus": True}),
    )


class ForgottenView(OnlyWithEmail, PasswordResetView):
    title = "Forgotten password"
    form_class = ForgottenForm
    template_name = "campaigns/admin/people/forgotten.html"
    success_url = reverse_lazy("forgotten_password_sent")

    def form_valid(self, form: Any) -> HttpResponse:
        email, site = form.cleaned_data["email"], site_of(self.request)
        try:
            is_within = note_request(email, client_address(self.request) or "", now=database_now())
        except TooManyRequests:
            answer = render(self.request, self.template_name, self.get_context_data(too_many=True), status=429)
            answer["Retry-After"] = str(int(PERIOD.total_seconds()))
            return answer
        return AnswerFirst(str(self.success_url), lambda: _send(email, site) if is_within else None)


def _send(email: str, site: str) -> None:
    try:
        send_forgotten(email, site)
    except (SMTPException, OSError) as error:
        logger.error("a link to set a password couldn't be sent: %s", type(error).__name__)


class SentView(OnlyWithEmail, TemplateView):
    title = "Check your e-mail"
    template_name = "campaigns/admin/people/forgotten_sent.html"


class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg]  # generic in the stubs only
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("new_password1", "new_password2"):
            self.fields[name].widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})


class SetPasswordView(OnlyWithEmail, PasswordResetConfirmView):
    title = "Set your password"
    form_class = NewPasswordForm
    template_name = "campaigns/admin/people/set_password.html"
    success_url = reverse_lazy("password_is_set")

    def form_valid(self, form: Any) -> HttpResponse:
        note_own_password(form.user)
        return super().form_valid(form)


class PasswordSetView(OnlyWithEmail, TemplateView):
    title = "Your password is set"
    template_name = "campaigns/admin/people/password_is_set.html"


urlpatterns = [
    path("forgotten/", ForgottenView.as_view(), name="forgotten_password"),
    path("forgotten/sent/", SentView.as_view(), name="forgotten_password_sent"),
    path("set/<uidb64>/<token>/", SetPasswordView.as_view(), name="set_password"),
    path("set/done/", PasswordSetView.as_view(), name="password_is_set"),
]
