"""The admin, one file a model. Pages call services; none of them decides anything."""

from campaigns.admin import beat
from campaigns.admin.brand import admin as brand
from campaigns.admin.campaign import admin as campaign
from campaigns.admin.ledger import history, spend, statements, uploads
from campaigns.admin.people import accounts, failures

__all__ = ["accounts", "beat", "brand", "campaign", "failures", "history", "spend", "statements", "uploads"]
