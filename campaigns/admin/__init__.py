"""The admin: one package or module per subject. Pages call services and decide nothing themselves."""

from campaigns.admin import beat, staff
from campaigns.admin.brand import admin as brand
from campaigns.admin.campaign import admin as campaign
from campaigns.admin.ledger import history, spend, statements, uploads

__all__ = ["beat", "brand", "campaign", "history", "spend", "staff", "statements", "uploads"]
