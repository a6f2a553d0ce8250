"""The addresses of the HTTP API."""

from django.urls import path, re_path

from campaigns.api.applied import post_applied
from campaigns.api.brands import get_brand, get_brands
from campaigns.api.docs import docs, openapi
from campaigns.api.endpoint import not_found
from campaigns.api.spend import post_spend
from campaigns.api.status import get_campaigns, get_changes
from campaigns.api.totals import post_totals

urlpatterns = [
    path("applied", post_applied, name="api_applied"),
    path("brands", get_brands, name="api_brands"),
    path("brands/<int:brand>", get_brand, name="api_brand"),
    path("campaigns", get_campaigns, name="api_campaigns"),
    path("changes", get_changes, name="api_changes"),
    path("docs", docs, name="api_docs"),
    path("openapi.json", openapi, name="api_openapi"),
    path("spend", post_spend, name="api_spend"),
    path("totals", post_totals, name="api_totals"),
    re_path("", not_found),
]
