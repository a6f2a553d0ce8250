"""The addresses of the HTTP API."""

from django.urls import path, re_path

from campaigns.api.docs import docs, openapi
from campaigns.api.endpoint import not_found
from campaigns.api.spend import post_spend

urlpatterns = [
    path("docs", docs, name="api_docs"),
    path("openapi.json", openapi, name="api_openapi"),
    path("spend", post_spend, name="api_spend"),
    re_path("", not_found),
]
