"""The admin: one package or module per subject. Pages call services and decide nothing themselves."""

from campaigns.admin import beat
from campaigns.admin.brand import admin as brand
from campaigns.admin.campaign import admin as campaign
from campaigns.admin.ledger import history, spend, statements, uploads
from campaigns.admin.people import groups, users
from campaigns.admin.platforms import download

__all__ = ["beat", "brand", "campaign", "download", "groups", "history", "spend", "statements", "uploads", "users"]
