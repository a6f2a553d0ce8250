"""Settings from environment variables.

An empty variable counts as unset. Whatever can't be used raises ImproperlyConfigured with one sentence that
names the variable, its value (never a password or key) and the remedy.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from campaigns.rules.periods import find_zone

PLACEHOLDER_KEY = "change-me"
DEVELOPMENT_KEY = "django-insecure-for-a-developer's-machine-only-since-everybody-can-read-it-here"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
FLAGS = {"true": True, "1": True, "false": False, "0": False}
CERT_REQS = ("required", "optional", "none")


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool) -> bool:
    value = text(name, str(default))
    if value.lower() not in FLAGS:
        raise ImproperlyConfigured(f"{name}={value} is neither True nor False: write one of the two.")
    return FLAGS[value.lower()]


def items(name: str, default: str = "") -> list[str]:
    """The values between the commas."""
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def secret_key(*, debug: bool) -> str:
    """SECRET_KEY; only with DEBUG on may it be unset or weak."""
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
    """SECRET_KEY_FALLBACKS: keys of before, whose signatures still hold; as strong as SECRET_KEY must be."""
    keys = items("SECRET_KEY_FALLBACKS")
    for number, key in enumerate(keys, start=1):
        problem = "" if debug else _key_problem(key)
        if problem:
            raise ImproperlyConfigured(
                f"SECRET_KEY_FALLBACKS: key {number} of {len(keys)} {problem}, and DEBUG is False: "
                "whoever knows it could sign what we trust, so take it out."
            )
    return keys


def _key_problem(key: str) -> str:
    """What makes the key unfit to sign with; empty if nothing does."""
    if key == PLACEHOLDER_KEY:
        return f"is still {PLACEHOLDER_KEY}, as in .env.example"
    if key.startswith("django-insecure-"):
        return "starts with django-insecure-, so it was made for development"
    return f"has {len(key)} characters, fewer than 32" if len(key) < 32 else ""


def time_zone() -> str:
    name = text("TIME_ZONE", "UTC")
    if find_zone(name) is None:
        raise ImproperlyConfigured(
            f"TIME_ZONE={name} isn't a time zone: write an IANA name such as Europe/Berlin or UTC."
        )
    return name


def number(name: str, default: int, *, least: int, most: int) -> int:
    value = text(name, str(default))
    if not (value.isascii() and value.isdecimal() and least <= int(value) <= most):
        raise ImproperlyConfigured(
            f"{name}={value} isn't a number from {least} to {most}: write one, such as {default}."
        )
    return int(value)


def log_level(default: str) -> str:
    level = text("LOG_LEVEL", default)
    if level not in LOG_LEVELS:
        raise ImproperlyConfigured(f"LOG_LEVEL={level} isn't a level: write one of {', '.join(LOG_LEVELS)}.")
    return level


# Any host, a name (with a dot before it: and what is under it), an IPv4 address, or an IPv6 address in brackets.
HOST = re.compile(r"\*|\.?[a-z0-9-]+(\.[a-z0-9-]+)*\.?|\[[0-9a-f:.]+\]", re.IGNORECASE)


def hosts(name: str, default: str) -> list[str]:
    """Names that requests may bear in their Host header. What isn't one would match none of them, without a word."""
    values = items(name, default)
    for value in values:
        if not HOST.fullmatch(value):
            raise ImproperlyConfigured(
                f"{name}: {value} isn't a host: write names without scheme, port or path, such as budget.example.com, "
                ".example.com for all names under it, or [::1]."
            )
    return values


def origins(name: str) -> list[str]:
    """Origins with their scheme, such as https://budget.example.com."""
    values = items(name)
    for value in values:
        if not re.match(r"https?://[^/]+$", value):
            raise ImproperlyConfigured(
                f"{name}: {value} isn't an origin: write scheme and host, such as https://budget.example.com."
            )
    return values


def masked(url: str) -> str:
    """The URL without its user and passwords, however it is broken."""
    return re.sub(r"(?<=password=)[^&]+", "…", re.sub(r"//.*@", "//…@", url), flags=re.IGNORECASE)


def redis_url() -> str:
    """REDIS_URL: redis://, rediss:// or unix://."""
    url = text("REDIS_URL", "redis://localhost:6379/0")
    problem = _redis_problem(url)
    if problem:
        raise ImproperlyConfigured(
            f"REDIS_URL={masked(url)} can't be read ({problem}): "
            "write redis://host:port/0, rediss://host:port/0 or unix:///path/to/socket?db=0."
        )
    return url


def _redis_problem(url: str) -> str:
    """What keeps redis-py or kombu from reading the URL; empty if nothing does."""
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
    return "" if number.isdecimal() else f"{number} isn't the number of a database"


def _query_problem(names: Any) -> str:
    return f"{', '.join(sorted(names))} isn't known here" if names else ""


def broker_url(url: str) -> str:
    """A checked REDIS_URL in kombu's spelling.

    kombu calls a socket redis+socket://, and unless told it trusts any certificate of a rediss:// server.
    """
    parts = urlsplit(url)
    if parts.scheme == "unix":
        number = parse_qs(parts.query).get("db", ["0"])[-1]
        return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={number}"
    if parts.scheme == "rediss" and "ssl_cert_reqs" not in parts.query:
        return parts._replace(query="&".join(filter(None, [parts.query, "ssl_cert_reqs=required"]))).geturl()
    return url


def database(base_dir: Path) -> dict[str, Any]:
    """DATABASE_URL as Django's DATABASES entry; unset: the SQLite file db.sqlite3 in base_dir.

    A relative SQLite path starts in base_dir, so that web, worker and beat open the same file.
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
            f"DATABASE_URL={masked(url)} can't be read ({reason}): write sqlite:///path/to/file.sqlite3 or "
            "postgres://user:password@host:port/name, with special characters percent-encoded; options of libpq, such "
            "as ?sslmode=require, may follow where it is PostgreSQL."
        ) from None
    if scheme == "sqlite":
        entry["NAME"] = str(base_dir / entry["NAME"])
    return entry


def _refuse_unusable_options(scheme: str, query: str) -> None:
    """Raise ValueError about what stands behind the "?" and neither libpq nor Django reads."""
    options = parse_qsl(query, keep_blank_values=True)
    names = [name for name, _ in options]
    known = set() if scheme == "sqlite" else _libpq_options() | {"currentSchema"}
    if unknown := sorted(set(names) - known):
        raise ValueError(f"{', '.join(unknown)}: not an option of {'SQLite' if scheme == 'sqlite' else 'libpq'}")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{', '.join(twice)}: written twice")
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
    """Return libpq's options, but for those that other parts of the URL say, and the encoding, which is UTF-8."""
    from psycopg.pq import Conninfo  # here: SQLite needs no psycopg

    names = {option.keyword.decode() for option in Conninfo.get_defaults()}
    return names - {"dbname", "user", "client_encoding", "replication"}
