"""Django's users and groups, in the admin's looks; whoever may change a user could make a superuser of himself."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from campaigns.admin.shared.base import SuperusersOnlyMixin
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
class UserAdmin(SuperusersOnlyMixin, DjangoUserAdmin[User]):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    # unfold's base class has an attribute of this name, empty, which comes first.
    add_fieldsets = DjangoUserAdmin.add_fieldsets
    inlines = (BrandAssignmentInline,)
    # The system writes them: a form that was open meanwhile would write an old sign-in over a newer one.
    readonly_fields = ("last_login", "date_joined")

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        """A user who isn't there yet gets a name and a password first."""
        return self.inlines if obj else ()


@admin.register(Group)
class GroupAdmin(SuperusersOnlyMixin, DjangoGroupAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    pass
