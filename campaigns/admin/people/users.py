"""Users: one form, and an invitation by e-mail. Only superusers change users, or staff could promote themselves."""

from __future__ import annotations

from functools import partial
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.forms import AdminPasswordChangeForm

from campaigns.admin.people.access import describe_access, needs_brands
from campaigns.admin.people.passwords import site_of
from campaigns.admin.people.user_form import PASSWORDS, AddPersonForm, ChangePersonForm, InvitePersonForm
from campaigns.admin.shared.base import SuperusersOnlyMixin
from campaigns.admin.shared.lists import ScalableListMixin
from campaigns.admin.shared.times import time_column
from campaigns.services.people.first_password import ask_for_own_password
from campaigns.services.people.owners import recording_lost_owners
from campaigns.services.people.password_links import INVITATION, send_link

admin.site.unregister(User)

PERSON = ("username", "first_name", "last_name", "email")
ACCESS = ("role", "brands", "is_active")
ADVANCED = ("is_staff", "is_superuser", "more_groups", "user_permissions")
DATES: tuple[Any, ...] = (time_column("last_login", "last login"), time_column("date_joined", "date joined"))
# So many invitations are sent at once, one after the other.
MAX_INVITED = 20


@admin.register(User)
class UserAdmin(SuperusersOnlyMixin, ScalableListMixin, DjangoUserAdmin[User]):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    form = ChangePersonForm
    change_password_form = AdminPasswordChangeForm
    add_form_template = None  # Django's says that the rest is asked for on a second page
    list_display = ("username", "full_name", "email", "role", "is_active", DATES[0])
    filter_horizontal = ("user_permissions",)
    actions = ("invite",)
    # Written by the system: a form that was open meanwhile would overwrite a newer sign-in with an old one.
    readonly_fields = DATES

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows: QuerySet[User] = super().get_queryset(request)
        return rows.prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the form's parts; only superusers see what gives more than a role."""
        passwords = () if settings.EMAIL_IS_SET_UP else PASSWORDS
        shown = [
            ("User", {"fields": (*PERSON, "password") if obj else (*PERSON, *passwords)}),
            ("Access", {"fields": ACCESS}),
        ]
        if request.user.is_superuser:
            dates = DATES if obj else ()
            shown.append(("Advanced", {"fields": (*ADVANCED, *dates), "classes": ("collapse",)}))
        return shown

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        add_form = InvitePersonForm if settings.EMAIL_IS_SET_UP else AddPersonForm
        form: Any = super().get_form(request, obj, change=change, **({} if obj else {"form": add_form}) | kwargs)
        form.editor = request.user  # the class is made for this request
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"is_staff": True} | super().get_changeform_initial_data(request)

    def get_actions(self, request: HttpRequest) -> Any:
        found = super().get_actions(request)
        return found if settings.EMAIL_IS_SET_UP else {name: each for name, each in found.items() if name != "invite"}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not change and settings.EMAIL_IS_SET_UP:
            transaction.on_commit(partial(self._invite, request, obj))
        elif not change:
            ask_for_own_password(obj, setter=request.user)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        response: HttpResponse = super().user_change_password(request, id, form_url)
        if request.method == "POST" and response.status_code == 302 and (user := self.get_object(request, id)):
            ask_for_own_password(user, setter=request.user)
        return response

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        with recording_lost_owners([obj.pk], request.user):
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        with recording_lost_owners(list(queryset.values_list("pk", flat=True)), request.user):
            super().delete_queryset(request, queryset)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Go back to the list: Django's own class goes on to a second page."""
        response = super(DjangoUserAdmin, self).response_add(request, obj, post_url_continue)
        messages.info(request, describe_access(obj))
        if needs_brands(obj):
            messages.warning(request, f"“{obj}” can't see any brand yet: choose brands for this role.")
        return response

    @admin.action(description="Send an invitation to set a password")
    def invite(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        people = list(queryset.order_by("username")[: MAX_INVITED + 1])
        if len(people) > MAX_INVITED:
            messages.error(request, f"No invitation was sent: select at most {MAX_INVITED} users.")
            return
        for person in people:
            self._invite(request, person)

    def _invite(self, request: HttpRequest, person: User) -> None:
        if not (person.email and person.is_active and person.has_usable_password()):
            messages.warning(
                request,
                f"No invitation was sent to “{person}”: the user must be active, with an e-mail address and a"
                " password.",
            )
            return
        try:
            send_link(person, site_of(request), kind=INVITATION)
        except (SMTPException, OSError) as error:
            messages.error(
                request,
                f"The invitation to {person.email} couldn't be sent ({type(error).__name__}). Check EMAIL_URL, then"
                " choose “Send an invitation” in the list of users.",
            )
        else:
            messages.success(request, f"An invitation was sent to {person.email}.")

    @admin.display(description="name")
    def full_name(self, person: User) -> str:
        return person.get_full_name()

    @admin.display(description="role")
    def role(self, person: User) -> str:
        if person.is_superuser:
            return "Superuser"
        return ", ".join(sorted(group.name for group in person.groups.all()))
