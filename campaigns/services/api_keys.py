"""Keys of the HTTP API: made and shown once, found by what a client sends, limited by the minute, revoked.

A key is `bm_ID_SECRET`: a prefix by which scanners of source code find keys that leaked, twelve letters and digits by
which its row is found, and 256 random bits in hexadecimal. The secret is random, so one SHA-256 is enough: there is
no dictionary to try.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from campaigns.database.connection import fetch_all, is_busy, is_postgresql, without_waiting_on_sqlite
from campaigns.models import ApiKey, ApiKeyBrand, Brand
from campaigns.models.platforms.api_keys import Scope, joined_scopes

PREFIX = "bm"
FORM = re.compile(r"bm_([0-9a-z]{12})_([0-9a-f]{64})")
ALPHABET = string.ascii_lowercase + string.digits
MINUTE = timedelta(minutes=1)

REQUESTS_SO_FAR = "SELECT requests FROM campaigns_apikeyrequests WHERE key_id = %s AND minute = %s"
COUNT_REQUEST = """
    INSERT INTO campaigns_apikeyrequests AS counted (key_id, minute, requests) VALUES (%s, %s, 1)
    ON CONFLICT (key_id) DO UPDATE SET
        minute = EXCLUDED.minute,
        requests = CASE WHEN counted.minute = EXCLUDED.minute THEN counted.requests + 1 ELSE 1 END
    RETURNING requests
"""


@dataclass(frozen=True, slots=True)
class ValidKey:
    """The key of a request. brands is None for all brands."""

    pk: int
    name: str
    scopes: frozenset[str]
    brands: frozenset[int] | None


class TooManyRequests(Exception):
    """The key has made its requests of this minute."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


def create_key(
    name: str,
    scopes: Collection[str],
    *,
    brands: Collection[int] = (),
    expires_at: datetime | None = None,
    created_by: str,
) -> tuple[ApiKey, str]:
    """Create a key, for all brands if none is given. Return its row and the key, which can't be read again.

    Raises ValueError with a message if the name, a scope or a brand isn't valid.
    """
    name = name.strip()
    if not 1 <= len(name) <= 60:
        raise ValueError("The name of a key has 1 to 60 characters.")
    unknown = sorted(set(scopes) - set(Scope.values))
    if unknown or not scopes:
        problem = f"Unknown scope “{unknown[0]}”" if unknown else "A key needs a scope"
        raise ValueError(f"{problem}: use {', '.join(Scope.values)}.")
    known = [brand for brand in brands if 0 < brand < 2**63]
    found = set(Brand.objects.filter(pk__in=known).values_list("pk", flat=True))
    if missing := sorted(set(brands) - found):
        raise ValueError(f"Found no brand with ID {missing[0]}: the page of each brand shows its ID.")
    public_id = "".join(secrets.choice(ALPHABET) for _ in range(12))
    secret = secrets.token_hex(32)
    with transaction.atomic():
        row = ApiKey.objects.create(
            name=name,
            public_id=public_id,
            secret_sha256=_hash(secret),
            scopes=joined_scopes(scopes),
            all_brands=not found,
            expires_at=expires_at,
            created_by=created_by,
        )
        ApiKeyBrand.objects.bulk_create(ApiKeyBrand(key=row, brand_id=brand) for brand in sorted(found))
    return row, f"{PREFIX}_{public_id}_{secret}"


def revoke_keys(keys: Collection[int], *, who: str, now: datetime) -> list[ApiKey]:
    """Revoke the keys that aren't revoked yet, for good, and return them."""
    with transaction.atomic():
        rows = list(ApiKey.objects.select_for_update().filter(pk__in=keys, revoked_at=None).order_by("pk"))
        ApiKey.objects.filter(pk__in=[row.pk for row in rows]).update(revoked_at=now, revoked_by=who)
    return rows


def find_key(text: str, *, now: datetime) -> ValidKey | None:
    """Return the key that a client has sent; None if it is wrong, expired or revoked."""
    form = FORM.fullmatch(text)
    row = ApiKey.objects.filter(public_id=form[1]).first() if form else None
    if not (form and row and compare_digest(_hash(form[2]), row.secret_sha256) and row.is_valid_at(now)):
        return None
    given = None if row.all_brands else row.given_brands.values_list("brand_id", flat=True)
    return ValidKey(row.pk, row.name, frozenset(row.scopes.split()), None if given is None else frozenset(given))


def count_request(key: ValidKey, *, now: datetime) -> None:
    """Count a request of the key. Raises TooManyRequests beyond API_REQUESTS_PER_MINUTE.

    The count is in the database, which all web processes on all machines share, and which a request needs anyway. What
    is refused writes nothing. The first request of a minute notes when the key was last used. While SQLite has another
    writer, requests go on uncounted instead of waiting for it.
    """
    minute, seconds = divmod(int(now.timestamp()), 60)
    limit = settings.API_REQUESTS_PER_MINUTE
    so_far = fetch_all(REQUESTS_SO_FAR, [key.pk, minute])
    if so_far and so_far[0][0] >= limit:
        raise TooManyRequests(60 - seconds)
    try:
        with without_waiting_on_sqlite():
            requests = _count(key, minute, now)
    except DatabaseError as error:
        if connection.in_atomic_block or is_postgresql() or not is_busy(error):
            raise
        return
    if requests > limit:
        raise TooManyRequests(60 - seconds)


def _count(key: ValidKey, minute: int, now: datetime) -> int:
    """Count one request, and return how many there are in this minute."""
    ((requests,),) = fetch_all(COUNT_REQUEST, [key.pk, minute])
    if requests == 1:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now.replace(second=0, microsecond=0))
    return int(requests)


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
