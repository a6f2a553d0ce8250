from django.contrib import admin
from django.http import HttpRequest, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView


def favicon(request: HttpRequest) -> HttpResponseRedirect:
    """Browsers request this path if a page has no icon."""
    return HttpResponseRedirect(static("campaigns/favicon.svg"))


urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("favicon.ico", favicon),
    path("api/v1/", include("campaigns.api.urls")),
    path("admin/password/", include("campaigns.admin.people.passwords")),  # before the admin, which takes the rest
    path("admin/search/", include("campaigns.admin.palette")),  # in place of the theme's, which searches all tables
    path("admin/", admin.site.urls),
]
