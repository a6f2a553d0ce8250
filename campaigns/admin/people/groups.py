"""Groups and failed sign-ins. Only superusers change groups, or staff could promote themselves."""

from __future__ import annotations

from typing import Any, ClassVar

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest

from campaigns.admin.shared.base import BaseAdmin, SuperusersOnlyMixin
from campaigns.admin.shared.lists import ScalableListMixin
from campaigns.admin.shared.times import time_column

admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(SuperusersOnlyMixin, ScalableListMixin, DjangoGroupAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    pass


@admin.register(AccessAttempt)
class FailedSignInAdmin(SuperusersOnlyMixin, ScalableListMixin, BaseAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    """Users that are locked out, by address; deleting the rows of a name unlocks it."""

    list_display: Any = (
        "username",
        "ip_address",
        "failures_since_start",
        time_column("attempt_time", "attempt time"),
        "user_agent",
    )
    search_fields = ("username", "ip_address")
    search_help_text = "Search by name or address"
    ordering = ("-attempt_time",)
    fields: ClassVar[Any] = list_display
    readonly_fields: ClassVar[Any] = list_display
    list_note = (
        f"After {settings.AXES_FAILURE_LIMIT} failures a user is locked out from that address for"
        f" {settings.AXES_COOLOFF_TIME.seconds // 60} minutes. Delete the rows to unlock."
    )
    nothing_yet = "No failed sign-ins."

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"title": "Failed sign-ins"} | (extra_context or {}))

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
