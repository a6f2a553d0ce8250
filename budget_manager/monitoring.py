"""Settings of monitoring, from environment variables: metrics, Sentry, the heartbeat and `manage.py watch`."""

from __future__ import annotations

from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from budget_manager.environment import items, text

SHORTEST_TOKEN = 16
FORMS = ("slack", "teams", "plain")

Network = IPv4Network | IPv6Network


def metrics_token() -> str:
    token = text("METRICS_TOKEN")
    if token and (len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token):
        raise ImproperlyConfigured(
            f"METRICS_TOKEN has {len(token)} characters: use {SHORTEST_TOKEN} or more, ASCII without spaces, such as"
            ' `python3 -c "import secrets; print(secrets.token_urlsafe(32))"` makes.'
        )
    return token


def metrics_allow() -> list[Network]:
    """METRICS_ALLOW: the networks that may read metrics without a token."""
    found: list[Network] = []
    for value in items("METRICS_ALLOW"):
        try:
            found.append(ip_network(value))
        except ValueError as error:
            raise ImproperlyConfigured(
                f"METRICS_ALLOW: {value} isn't a network ({error}): use addresses or networks separated by commas, such"
                " as 127.0.0.1/32,10.0.0.0/8."
            ) from None
    return found


def sentry_dsn() -> str:
    """SENTRY_DSN: a key before the host, and a project's number at the end."""
    dsn = text("SENTRY_DSN")
    if dsn and not (_is_web_address(dsn) and urlsplit(dsn).username and urlsplit(dsn).path.strip("/")):
        raise ImproperlyConfigured(
            "SENTRY_DSN isn't valid: use the DSN that Sentry shows under Client Keys, https://KEY@HOST/PROJECT."
        )
    return dsn


def sentry_environment(*, debug: bool) -> str:
    return text("SENTRY_ENVIRONMENT", "development" if debug else "production")


def web_address(name: str, value: str) -> str:
    """Return an http:// or https:// address. Refusals don't show it, because its path often is a secret."""
    if value and not _is_web_address(value):
        raise ImproperlyConfigured(f"{name} isn't an address: use one that starts with https:// or http://.")
    return value


def _is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and value.isascii() and value.isprintable()


def heartbeat_url() -> str:
    return web_address("HEARTBEAT_URL", text("HEARTBEAT_URL"))


def watch_webhook_url() -> str:
    return web_address("WATCH_WEBHOOK_URL", text("WATCH_WEBHOOK_URL"))


def watch_webhook_form() -> str:
    """WATCH_WEBHOOK_FORM: what the webhook's receiver understands; by default derived from its host."""
    form = text("WATCH_WEBHOOK_FORM") or form_for(urlsplit(watch_webhook_url()).hostname or "")
    if form not in FORMS:
        raise ImproperlyConfigured(f"WATCH_WEBHOOK_FORM={form} isn't a form: use one of {', '.join(FORMS)}.")
    return form


def form_for(host: str) -> str:
    if host == "hooks.slack.com" or host.endswith(".slack.com"):
        return "slack"
    teams = (".webhook.office.com", ".logic.azure.com", ".powerplatform.com", ".powerautomate.com")
    return "teams" if host.endswith(teams) else "plain"


def watch_email(*, email_is_set_up: bool) -> list[str]:
    """WATCH_EMAIL: who gets mails of `manage.py watch`; the database with everybody's address may be gone."""
    addresses = items("WATCH_EMAIL")
    for value in addresses:
        name, _, domain = parseaddr(value)[1].rpartition("@")
        if not (name and domain):
            raise ImproperlyConfigured(
                f"WATCH_EMAIL: {value} isn't an address: use some such as ops@example.com, separated by commas."
            )
    if addresses and not email_is_set_up:
        raise ImproperlyConfigured("WATCH_EMAIL is set, and EMAIL_URL isn't: name the mail server in EMAIL_URL.")
    return addresses
