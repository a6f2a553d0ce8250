"""Users, groups and failed sign-ins. Only superusers change users, or staff could promote themselves."""

from __future__ import annotations

from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from campaigns.admin.shared.base import BaseAdmin, SuperusersOnlyMixin
from campaigns.admin.shared.lists import ScalableListMixin
from campaigns.models import BrandAssignment

admin.site.unregister(User)
admin.site.unregister(Group)


class BrandAssignmentInline(TabularInline):
    model = BrandAssignment
    autocomplete_fields = ("brand",)
    extra = 0
    verbose_name = "brand"
    verbose_name_plural = "Brands this user can access (Brand managers only)"


@admin.register(User)
class UserAdmin(SuperusersOnlyMixin, ScalableListMixin, DjangoUserAdmin[User]):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    # unfold's base class has an empty attribute of this name, which would come first.
    add_fieldsets = DjangoUserAdmin.add_fieldsets
    inlines = (BrandAssignmentInline,)
    # Written by the system: a form that was open meanwhile would overwrite a newer sign-in with an old one.
    readonly_fields = ("last_login", "date_joined")

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new user gets a name and a password first."""
        return self.inlines if obj else ()


@admin.register(Group)
class GroupAdmin(SuperusersOnlyMixin, ScalableListMixin, DjangoGroupAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    pass


@admin.register(AccessAttempt)
class FailedSignInAdmin(SuperusersOnlyMixin, ScalableListMixin, BaseAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    """Users that are locked out, by address; deleting the rows of a name unlocks it."""

    list_display = ("username", "ip_address", "failures_since_start", "attempt_time", "user_agent")
    search_fields = ("username", "ip_address")
    search_help_text = "Search by name or address"
    ordering = ("-attempt_time",)
    fields = list_display
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
