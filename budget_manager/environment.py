"""Settings from environment variables.

An empty variable counts as unset. An invalid one raises ImproperlyConfigured with one sentence that names the
variable, its value (never a password or key) and the remedy.
"""

from __future__ import annotations

import os
import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from campaigns.rules.periods import find_zone

PLACEHOLDER_KEY = "change-me"
DEVELOPMENT_KEY = "django-insecure-for-a-developer's-machine-only-since-everybody-can-read-it-here"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOG_FORMATS = ("text", "json")
FLAGS = {"true": True, "1": True, "false": False, "0": False}
CERT_REQS = ("required", "optional", "none")


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool) -> bool:
    value = text(name, str(default))
    if value.lower() not in FLAGS:
        raise ImproperlyConfigured(f"{name}={value} isn't valid: use True or False.")
    return FLAGS[value.lower()]


def items(name: str, default: str = "") -> list[str]:
    """The values between the commas."""
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def secret_key(*, debug: bool) -> str:
    """SECRET_KEY, which can be unset or weak only with DEBUG."""
    key = text("SECRET_KEY")
    if debug:
        return key or DEVELOPMENT_KEY
    problem = _key_problem(key) if key else "is unset"
    if problem:
        raise ImproperlyConfigured(
            f"SECRET_KEY {problem}, and DEBUG is False: put a key made with "
            '`python3 -c "import secrets; print(secrets.token_urlsafe(50))"` into the environment or .env.'
        )
    return key


def secret_key_fallbacks(*, debug: bool) -> list[str]:
    """SECRET_KEY_FALLBACKS: old keys whose signatures are still accepted; they must be as strong as SECRET_KEY."""
    keys = items("SECRET_KEY_FALLBACKS")
    for number, key in enumerate(keys, start=1):
        problem = "" if debug else _key_problem(key)
        if problem:
            raise ImproperlyConfigured(
                f"SECRET_KEY_FALLBACKS: key {number} of {len(keys)} {problem}, and DEBUG is False: "
                "remove it, because signatures with it are trusted."
            )
    return keys


def _key_problem(key: str) -> str:
    """Return why the key is too weak, or ""."""
    if key == PLACEHOLDER_KEY:
        return f"is still {PLACEHOLDER_KEY}, as in .env.example"
    if key.startswith("django-insecure-"):
        return "starts with django-insecure-, so it was made for development"
    return f"has {len(key)} characters, fewer than 32" if len(key) < 32 else ""


def time_zone() -> str:
    name = text("TIME_ZONE", "UTC")
    if find_zone(name) is None:
        raise ImproperlyConfigured(
            f"TIME_ZONE={name} isn't a time zone we know. Use a name such as Europe/Berlin or UTC."
        )
    return name


def number(name: str, default: int, *, least: int, most: int) -> int:
    value = text(name, str(default))
    if not (value.isascii() and value.isdecimal() and least <= int(value) <= most):
        raise ImproperlyConfigured(f"{name}={value} isn't a number from {least} to {most}: use one, such as {default}.")
    return int(value)


def log_level(default: str) -> str:
    level = text("LOG_LEVEL", default)
    if level not in LOG_LEVELS:
        raise ImproperlyConfigured(f"LOG_LEVEL={level} isn't a log level: use one of {', '.join(LOG_LEVELS)}.")
    return level


def log_format() -> str:
    name = text("LOG_FORMAT", "text")
    if name not in LOG_FORMATS:
        raise ImproperlyConfigured(f"LOG_FORMAT={name} isn't a log format: use text or json.")
    return name


# *, a name (with a leading dot: and its subdomains), an IPv4 address, or an IPv6 address in brackets.
HOST = re.compile(r"\*|\.?[a-z0-9-]+(\.[a-z0-9-]+)*\.?|\[[0-9a-f:.]+\]", re.IGNORECASE)


def hosts(name: str, default: str) -> list[str]:
    """Names accepted in the Host header. An invalid one would silently match nothing."""
    values = items(name, default)
    for value in values:
        if not HOST.fullmatch(value):
            raise ImproperlyConfigured(
                f"{name}: {value} isn't a host: use names without scheme, port or path, such as budget.example.com, "
                ".example.com for all its subdomains, or [::1]."
            )
    return values


def origins(name: str) -> list[str]:
    """Origins with their scheme, such as https://budget.example.com."""
    values = items(name)
    for value in values:
        if not re.match(r"https?://[^/]+$", value):
            raise ImproperlyConfigured(
                f"{name}: {value} isn't an origin: use scheme and host, such as https://budget.example.com."
            )
    return values


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Networks such as 10.0.0.0/8, fd00::/8 or 192.168.1.5."""
    found = []
    for value in items(name):
        try:
            found.append(ip_network(value))
        except ValueError:
            raise ImproperlyConfigured(
                f"{name}: {value} isn't a network: use addresses with a prefix, such as 10.0.0.0/8 or fd00::/8."
            ) from None
    return found


def masked(url: str) -> str:
    """The URL without user and passwords, even if it is malformed."""
    return re.sub(r"(?<=password=)[^&]+", "…", re.sub(r"//.*@", "//…@", url), flags=re.IGNORECASE)


def redis_url() -> str:
    """REDIS_URL: redis://, rediss:// or unix://."""
    url = text("REDIS_URL", "redis://localhost:6379/0")
    problem = _redis_problem(url)
    if problem:
        raise ImproperlyConfigured(
            f"REDIS_URL={masked(url)} isn't valid ({problem}): "
            "use redis://host:port/0, rediss://host:port/0 or unix:///path/to/socket?db=0."
        )
    return url


def _redis_problem(url: str) -> str:
    """Return why redis-py or kombu can't parse the URL, or ""."""
    try:
        parts = urlsplit(url)
        if parts.port == 0:
            return "its port is 0"
    except ValueError:
        return "its host or port is malformed"
    if parts.scheme not in ("redis", "rediss", "unix"):
        return f"its scheme is {parts.scheme or 'missing'}"
    query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    if parts.scheme == "unix":
        if len(parts.path) < 2 or parts.hostname:
            return "it names no absolute path"
        return _database_number_problem(query.pop("db", "0")) or _query_problem(query)
    if parts.scheme == "rediss" and query.get("ssl_cert_reqs", "required") not in CERT_REQS:
        return f"ssl_cert_reqs is none of {', '.join(CERT_REQS)}"
    tls = {name for name in query if name.startswith("ssl_") and parts.scheme == "rediss"}
    return _database_number_problem(parts.path.strip("/") or "0") or _query_problem(query.keys() - tls)


def _database_number_problem(number: str) -> str:
    return "" if number.isdecimal() else f"{number} isn't a database number"


def _query_problem(names: Any) -> str:
    return f"{', '.join(sorted(names))} isn't supported" if names else ""


def broker_url(url: str) -> str:
    """Convert a checked REDIS_URL to kombu's form.

    kombu uses redis+socket:// for a socket, and by default trusts any certificate of a rediss:// server.
    """
    parts = urlsplit(url)
    if parts.scheme == "unix":
        number = parse_qs(parts.query).get("db", ["0"])[-1]
        return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={number}"
    if parts.scheme == "rediss" and "ssl_cert_reqs" not in parts.query:
        return parts._replace(query="&".join(filter(None, [parts.query, "ssl_cert_reqs=required"]))).geturl()
    return url


def database(base_dir: Path) -> dict[str, Any]:
    """DATABASE_URL as Django's DATABASES entry; by default the SQLite file db.sqlite3 in base_dir.

    A relative SQLite path is relative to base_dir, so that web, worker and beat open the same file.
    """
    url = text("DATABASE_URL", "sqlite:///db.sqlite3")
    scheme = url.partition(":")[0]
    try:
        if scheme not in ("sqlite", "postgres", "postgresql"):
            raise ValueError(f"its scheme is {scheme}")
        entry: dict[str, Any] = {**dj_database_url.parse(url)}
        if entry["NAME"] in ("", ":memory:"):
            raise ValueError("it names no database")
        _refuse_unusable_options(scheme, urlsplit(url).query)
    except ValueError as error:
        reason = "a part isn't percent-encoded" if isinstance(error, dj_database_url.ParseError) else error
        raise ImproperlyConfigured(
            f"DATABASE_URL={masked(url)} isn't valid ({reason}): use sqlite:///path/to/file.sqlite3 or "
            "postgres://user:password@host:port/name, with special characters percent-encoded; options of libpq, such "
            "as ?sslmode=require, can follow for PostgreSQL."
        ) from None
    if scheme == "sqlite":
        entry["NAME"] = str(base_dir / entry["NAME"])
    return entry


def _refuse_unusable_options(scheme: str, query: str) -> None:
    """Raise ValueError for options after "?" that neither libpq nor Django accepts."""
    options = parse_qsl(query, keep_blank_values=True)
    names = [name for name, _ in options]
    known = set() if scheme == "sqlite" else _libpq_options() | {"currentSchema"}
    if unknown := sorted(set(names) - known):
        raise ValueError(f"{', '.join(unknown)}: not an option of {'SQLite' if scheme == 'sqlite' else 'libpq'}")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{', '.join(twice)}: given twice")
    if empty := sorted({name for name, value in options if not value}):
        raise ValueError(f"{', '.join(empty)}: without a value")
    if wrong := sorted(name for name, value in options if name in NUMBERS and not value.isdecimal()):
        raise ValueError(f"{', '.join(wrong)}: not a number")


NUMBERS = (
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
)


def _libpq_options() -> set[str]:
    """Return libpq's options, except those set by other parts of the URL, and the encoding, which is UTF-8."""
    from psycopg.pq import Conninfo  # here: SQLite needs no psycopg

    names = {option.keyword.decode() for option in Conninfo.get_defaults()}
    return names - {"dbname", "user", "client_encoding", "replication"}
