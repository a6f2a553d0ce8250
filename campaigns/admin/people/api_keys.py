"""Keys of the HTTP API: superusers make them, see each once, and revoke them. Nothing of a key is edited or deleted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from campaigns.admin.people.user_form import BrandsField, KeysAutocomplete
from campaigns.admin.shared.base import BaseAdmin, SuperusersOnlyMixin
from campaigns.admin.shared.display import change_address
from campaigns.admin.shared.lists import ScalableListMixin
from campaigns.admin.shared.times import viewer_time
from campaigns.database.clock import database_now
from campaigns.models import ApiKey, ApiKeyBrand, Brand
from campaigns.models.platforms.api_keys import Scope
from campaigns.services.api_keys import PREFIX, create_key, revoke_keys
from campaigns.services.audit_log import AuditEntry, log_rows
from campaigns.services.history.actors import actor_name

NEVER = ""
EXPIRY = {NEVER: "Never", "30": "In 30 days", "90": "In 90 days", "365": "In a year"}


class ApiKeyForm(forms.ModelForm[ApiKey]):
    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, f"{scope.label} ({scope.value})") for scope in Scope],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="What the key may do. Give it no more than it needs.",
    )
    brands = BrandsField(
        Brand.objects.order_by("name"),
        required=False,
        widget=KeysAutocomplete(ApiKeyBrand._meta.get_field("brand"), admin.site),
        help_text="Brands that the key can access. Leave empty for all brands, also those added later.",
    )
    expires = forms.ChoiceField(choices=list(EXPIRY.items()), required=False, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = ApiKey
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        brands: Any = self.fields.get("brands")
        if brands:
            brands.widget.choices = brands.choices


@admin.register(ApiKey)
class ApiKeyAdmin(SuperusersOnlyMixin, ScalableListMixin, BaseAdmin):  # type: ignore[misc]  # unfold's mixins and Django's stubs disagree
    form = ApiKeyForm
    actions = None
    list_display = ("name", "form_of_key", "state", "given_scopes", "given_brands", "used")
    search_fields = ("name", "public_id")
    search_help_text = "Search by name or ID"
    ordering = ("-pk",)
    list_note = (
        "Keys with which programs call the HTTP API. Each is shown once, when it is made; only a hash is stored."
    )
    nothing_yet = (
        "No API keys. Add one for each program that sends spend, and read how to call the API at /api/v1/docs."
    )
    fields = ("name", "form_of_key", "state", "given_scopes", "given_brands", "made", "expires", "used", "revoked")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        given = Prefetch("given_brands", ApiKeyBrand.objects.select_related("brand"))
        return super().get_queryset(request).prefetch_related(given)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return self.fields if obj else ("name", "scopes", "brands", "expires")

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return self.fields if obj else ()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.revoke_view)
        return [path("<path:object_id>/revoke/", view, name="campaigns_apikey_revoke"), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        given = form.cleaned_data
        days = given["expires"]
        row, key = create_key(
            given["name"],
            given["scopes"],
            brands=[brand.pk for brand in given["brands"]],
            expires_at=database_now() + timedelta(days=int(days)) if days else None,
            created_by=request.user.get_username(),
        )
        obj.pk, obj.public_id, obj.made_key = row.pk, row.public_id, key

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Show the key, in this answer only: neither a session nor a redirect keeps it."""
        page = self.dialogue(request, "people/api_key_made", title=f"Key of {obj.name}", key=obj.made_key)
        page["Cache-Control"] = "no-store"
        return page

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if not request.user.is_superuser:
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self.missing(request, object_id)
        if request.method != "POST":
            return self.dialogue(
                request, "people/api_key_revoke", title=f"Revoke {row.name}", row=row, back=change_address(row)
            )
        revoked = revoke_keys([row.pk], who=request.user.get_username(), now=database_now())
        log_rows(request.user, ApiKey, [AuditEntry(each.pk, each.name, ("Revoked",)) for each in revoked])
        messages.success(request, f"{row.name} is revoked." if revoked else f"{row.name} was revoked already.")
        return HttpResponseRedirect(change_address(row))

    def panels(self, request: HttpRequest, obj: ApiKey) -> Iterable[tuple[str, SafeString]]:
        if obj.revoked_at is None:
            address = reverse("admin:campaigns_apikey_revoke", args=[obj.pk])
            yield (
                "Revoke",
                format_html(
                    '<p>Requests with a revoked key are refused.</p><p><a class="text-link" href="{}">Revoke</a></p>',
                    address,
                ),
            )

    @admin.display(description="key")
    def form_of_key(self, row: ApiKey) -> str:
        return f"{PREFIX}_{row.public_id}_…"

    @admin.display(description="state")
    def state(self, row: ApiKey) -> str:
        if row.revoked_at:
            return "Revoked"
        return "Valid" if row.is_valid_at(timezone.now()) else "Expired"

    @admin.display(description="scopes")
    def given_scopes(self, row: ApiKey) -> str:
        return ", ".join(row.scopes.split())

    @admin.display(description="brands")
    def given_brands(self, row: ApiKey) -> str:
        return (
            "All" if row.all_brands else ", ".join(sorted(each.brand.name for each in row.given_brands.all())) or "None"
        )

    @admin.display(description="made")
    def made(self, row: ApiKey) -> SafeString:
        return format_html("{} by {}", viewer_time(row.created_at), actor_name(row.created_by))

    @admin.display(description="expires")
    def expires(self, row: ApiKey) -> SafeString | str:
        return viewer_time(row.expires_at) if row.expires_at else "Never"

    @admin.display(description="last used", ordering="last_used_at")
    def used(self, row: ApiKey) -> SafeString | str:
        return viewer_time(row.last_used_at, seconds=False) if row.last_used_at else "Never"

    @admin.display(description="revoked")
    def revoked(self, row: ApiKey) -> SafeString | None:
        return format_html("{} by {}", viewer_time(row.revoked_at), row.revoked_by) if row.revoked_at else None
