"""The admin: one package or module per subject. Pages call services and decide nothing themselves."""

from campaigns.admin import beat
from campaigns.admin.alerts import alerts, mail, rules
from campaigns.admin.brand import admin as brand
from campaigns.admin.campaign import admin as campaign
from campaigns.admin.ledger import history, spend, statements, uploads
from campaigns.admin.outgoing import deliveries, endpoints
from campaigns.admin.people import api_keys, groups, users
from campaigns.admin.platforms import accounts, download, held, links, report_imports

__all__ = [
    "accounts",
    "alerts",
    "api_keys",
    "beat",
    "brand",
    "campaign",
    "deliveries",
    "download",
    "endpoints",
    "groups",
    "held",
    "history",
    "links",
    "mail",
    "report_imports",
    "rules",
    "spend",
    "statements",
    "uploads",
    "users",
]
