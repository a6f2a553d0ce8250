"""Django's users and groups, in the admin's looks; whoever may change a user could make a superuser of himself."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from campaigns.admin.base import SuperusersOnly

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(SuperusersOnly, DjangoUserAdmin[User]):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(SuperusersOnly, DjangoGroupAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    pass
