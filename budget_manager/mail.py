"""The mail server, from EMAIL_URL and EMAIL_FROM; without EMAIL_URL no e-mail is sent."""

from __future__ import annotations

from email.utils import parseaddr
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from budget_manager.environment import masked, text

# Encryption by scheme: STARTTLS, TLS from the start. Ports where the URL names none.
SCHEMES = {"smtp": (False, False, 25), "smtp+starttls": (True, False, 587), "smtps": (False, True, 465)}
SAME_MACHINE = ("localhost", "127.0.0.1", "::1")
# Seconds for each step of sending.
TIMEOUT = 10


class MailServer(NamedTuple):
    host: str
    port: int
    user: str
    password: str
    starttls: bool
    tls: bool
    sender: str


def server(allowed_hosts: list[str]) -> MailServer | None:
    """Return the mail server, or None if EMAIL_URL is unset. Raises ImproperlyConfigured, without the password."""
    url = text("EMAIL_URL")
    if not url:
        return None
    try:
        found = _parsed(url)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"EMAIL_URL={masked(url)} isn't valid ({error}): use smtp+starttls://user:password@host:587,"
            " smtps://user:password@host:465, or smtp://host:25 for a relay without encryption, with special characters"
            " percent-encoded."
        ) from None
    if "*" in allowed_hosts:
        raise ImproperlyConfigured(
            "ALLOWED_HOSTS is *, and EMAIL_URL is set: links in e-mails name the host of the request, so anybody could"
            " have them lead elsewhere. Name the hosts of the site in ALLOWED_HOSTS."
        )
    return found._replace(sender=_sender())


def _parsed(url: str) -> MailServer:
    """Raises ValueError with the reason."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError(f"its scheme is {parts.scheme or 'missing'}")
    starttls, tls, port = SCHEMES[parts.scheme]
    try:
        number = port if parts.port is None else parts.port
    except ValueError:
        raise ValueError("its port isn't a number up to 65535") from None
    if not parts.hostname:
        raise ValueError("it names no host")
    if not number:
        raise ValueError("its port is 0")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("something follows the port")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise ValueError("it has a user without a password" if user else "it has a password without a user")
    if user and not (starttls or tls) and parts.hostname not in SAME_MACHINE:
        raise ValueError("smtp:// would send the password unencrypted")
    return MailServer(parts.hostname, number, user, password, starttls, tls, "")


def _sender() -> str:
    sender = text("EMAIL_FROM")
    _, address = parseaddr(sender)
    name, _, domain = address.rpartition("@")
    if not (name and domain) or any(character in sender for character in "\r\n"):
        raise ImproperlyConfigured(
            f"EMAIL_FROM={sender} isn't an address, and EMAIL_URL is set: use one such as"
            " Budget manager <budget@example.com>."
        )
    return sender


def site_url(allowed_hosts: list[str], *, debug: bool) -> str:
    """Return the address of the site, from SITE_URL, else from the first host. Raises ImproperlyConfigured."""
    url = text("SITE_URL").rstrip("/")
    if not url:
        host = next((each.lstrip(".") for each in allowed_hosts if each != "*"), "localhost")
        return f"http://{host}:8000" if debug or host in SAME_MACHINE else f"https://{host}"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        raise ImproperlyConfigured(
            f"SITE_URL={masked(url)} isn't an address of a site: use https://budget.example.com."
        )
    return url
