"""Leads people whose password an administrator has set to the page that changes it, until they have done so.

The database is asked at the sign-in only, and the answer kept in the session: a new password ends other sessions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from campaigns.services.people.first_password import must_change_password, note_own_password

KEY = "must_change_password"


@receiver(user_logged_in, dispatch_uid="campaigns.admin.people.first_password")
def remember(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    if must_change_password(user):
        request.session[KEY] = True
        told = "An administrator has set your password. Choose your own to go on."
        messages.warning(request, told, fail_silently=True)


class OwnPasswordMiddleware:
    """Needs the sessions and users of Django's middleware before it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        admin, change = reverse("admin:index"), reverse("admin:password_change")
        if not request.path.startswith(admin) or KEY not in request.session or request.path == reverse("admin:logout"):
            return self.get_response(request)
        if request.path != change:
            return HttpResponseRedirect(change)
        response = self.get_response(request)
        if request.method == "POST" and response.status_code == 302 and isinstance(request.user, User):
            note_own_password(request.user)
            request.session.pop(KEY, None)
        return response
