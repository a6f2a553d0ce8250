"""The one form of a user: who it is, the role, and the brands; everything else is under Advanced."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.contrib.auth.forms import SetPasswordMixin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.utils.crypto import get_random_string
from unfold.forms import UserChangeForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
)

from campaigns.admin.shared.fields import is_key
from campaigns.models import Brand, BrandAssignment
from campaigns.services.permissions import ONLY_ASSIGNED_BRANDS

PASSWORDS = ("password1", "password2")


class KeysAutocomplete(AutocompleteSelectMultiple):
    """Django's widget, but leaving out posted values that aren't valid keys, where Django's raises."""

    def optgroups(self, name: str, value: Any, attrs: dict[str, Any] | None = None) -> Any:
        return super().optgroups(name, [key for key in value if is_key(str(key))], attrs)


class BrandsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # generic in the stubs only
    """Brands by their keys; Django's own asks the database about any text."""

    def _check_values(self, value: Any) -> Any:
        for key in value:
            if not is_key(str(key)):
                raise ValidationError(
                    self.error_messages["invalid_pk_value"], code="invalid_pk_value", params={"pk": key}
                )
        return super()._check_values(value)  # type: ignore[misc]  # Django's, unknown to its stubs


class PersonForm(forms.ModelForm[User]):
    """Fields of a user besides those of the model; request is set by UserAdmin, for the person who edits."""

    editor: User

    role = forms.ModelChoiceField(
        Group.objects.order_by("name"),
        required=False,
        empty_label="No role",
        widget=UnfoldAdminSelectWidget,
        help_text="What the user can see and change. As installed: Viewers see all brands, Brand viewers assigned"
        " ones; Brand managers change assigned brands; Campaign managers change all brands and import spend;"
        " Operators import spend.",
    )
    brands = BrandsField(
        Brand.objects.order_by("name"),
        required=False,
        widget=KeysAutocomplete(BrandAssignment._meta.get_field("brand"), admin.site),
        help_text="Brands this user can access. For roles that see assigned brands: Brand viewers and managers.",
    )
    more_groups = forms.ModelMultipleChoiceField(
        Group.objects.order_by("name"),
        required=False,
        label="Further groups",
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Adds the permissions of these groups to those of the role.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "email" in self.fields:
            self.fields["email"].widget = UnfoldAdminEmailInputWidget()
        brands = cast("BrandsField | None", self.fields.get("brands"))
        if brands:
            brands.widget.choices = brands.choices
        if self.instance.pk:
            groups = list(self.instance.groups.order_by("name").values_list("pk", flat=True))
            self.initial.setdefault("role", groups[0] if groups else None)
            self.initial.setdefault("more_groups", groups[1:])
            assigned = BrandAssignment.objects.filter(user=self.instance.pk)
            self.initial.setdefault("brands", list(assigned.order_by("brand__name").values_list("brand", flat=True)))

    def clean(self) -> dict[str, Any]:
        """Refuse to lock oneself out, and brands for somebody who would see all of them anyway."""
        cleaned = super().clean() or {}
        if self.instance.pk == self.editor.pk:
            for name in ("is_active", "is_staff", "is_superuser"):
                if name in cleaned and not cleaned[name]:
                    self.add_error(name, "You can't take away your own access. Ask another administrator.")
        if cleaned.get("brands") and self._sees_all(cleaned):
            self.add_error("brands", "This user would see all brands. Choose a role that sees only assigned brands.")
        return cleaned

    def _sees_all(self, cleaned: dict[str, Any]) -> bool:
        if cleaned.get("is_superuser"):
            return True
        groups = [cleaned.get("role"), *cleaned.get("more_groups", ())]
        codename = ONLY_ASSIGNED_BRANDS.partition(".")[2]
        limited = Group.objects.filter(permissions__codename=codename, pk__in=[group.pk for group in groups if group])
        own = cleaned.get("user_permissions")
        return not (limited.exists() or (own is not None and own.filter(codename=codename).exists()))

    def _save_m2m(self) -> None:
        """Write the groups and the brands that were changed."""
        super()._save_m2m()  # type: ignore[misc]  # Django's, unknown to its stubs
        cleaned = self.cleaned_data
        if {"role", "more_groups"} & set(self.changed_data):
            role = cleaned.get("role")
            self.instance.groups.set([*([role] if role else []), *cleaned.get("more_groups", ())])
        if "brands" in self.changed_data:
            self._assign(set(cleaned["brands"]))

    def _assign(self, brands: set[Brand]) -> None:
        assigned = BrandAssignment.objects.filter(user=self.instance)
        assigned.exclude(brand__in=brands).delete()
        missing = brands - {each.brand for each in assigned.select_related("brand")}
        BrandAssignment.objects.bulk_create(BrandAssignment(user=self.instance, brand=brand) for brand in missing)


class ChangePersonForm(PersonForm, UserChangeForm):
    """An existing user; the password has a page of its own."""

    class Meta:
        model = User
        fields = ("username",)  # get_fieldsets() names the others


class InvitePersonForm(PersonForm):
    """A new user who sets the password by an e-mailed link."""

    class Meta:
        model = User
        fields = ("username", "email")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].required = True
        self.fields["email"].help_text = "An invitation with a link to set a password is sent to this address."

    def save(self, commit: bool = True) -> User:
        # A password that nobody has. An unusable one would keep the user from asking for another link.
        self.instance.set_password(get_random_string(64))
        return super().save(commit=commit)


class AddPersonForm(SetPasswordMixin, PersonForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A new user with a password to hand over, where no e-mail is set up."""

    password1, password2 = SetPasswordMixin.create_password_fields(label1="Password", label2="Password confirmation")

    class Meta:
        model = User
        fields = ("username", "email")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in PASSWORDS:
            self.fields[name].widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
        self.fields[
            "password2"
        ].help_text = "Enter the same password again. Hand it over; the user chooses another one at the first sign-in."

    def clean(self) -> dict[str, Any]:
        self.validate_passwords(*PASSWORDS)
        return super().clean()

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django's, unknown to its stubs
        self.validate_password_for_user(self.instance, PASSWORDS[1])

    def save(self, commit: bool = True) -> User:
        self.set_password_and_save(self.instance, PASSWORDS[0], commit=False)
        return super().save(commit=commit)
