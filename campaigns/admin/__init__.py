"""The admin: one package or module per subject. Pages call services and decide nothing themselves."""

from campaigns.admin import beat
from campaigns.admin.alerts import alerts, mail, rules
from campaigns.admin.brand import admin as brand
from campaigns.admin.campaign import admin as campaign
from campaigns.admin.ledger import history, spend, statements, uploads
from campaigns.admin.people import groups, users
from campaigns.admin.platforms import accounts, held, links

__all__ = [
    "accounts",
    "alerts",
    "beat",
    "brand",
    "campaign",
    "groups",
    "held",
    "history",
    "links",
    "mail",
    "rules",
    "spend",
    "statements",
    "uploads",
    "users",
]
