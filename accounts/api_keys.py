"""Keys of machines: hashed, scoped, expiring, revocable."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from accounts import secrets, tenancy
from accounts.models import ApiKey, User
from accounts.roles import SCOPES, Permission
from crypto.rows import binary_cursor

LABEL = "attune"
TRUSTED_FOR = timedelta(seconds=15)
"""A key found good is not looked up whole for this long; whether it stands is always asked."""
USE_NOTED_EVERY = timedelta(minutes=1)
_REMEMBERED_MOST = 1_000


class KeyRefused(Exception):
    """An API key that opens nothing; `code` says why, and never holds the key."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True)
class _Remembered:
    key: ApiKey
    until: datetime


_good: dict[bytes, _Remembered] = {}


def issue(
    name: str,
    *,
    scopes: Collection[Permission],
    expires_at: datetime,
    now: datetime,
    created_by: User | None = None,
) -> tuple[ApiKey, str]:
    """Make a key for the current organisation; return it and the text to show once."""
    unknown = set(scopes) - set(SCOPES)
    if unknown or not scopes:
        raise ValueError(f"Choose at least one scope out of: {', '.join(SCOPES)}.")
    secret = secrets.new(LABEL, organisation_id=tenancy.current())
    key = ApiKey.objects.create(
        name=name,
        prefix=secret.prefix,
        hash=secret.hash,
        scopes=sorted(scope.value for scope in scopes),
        created_at=now,
        created_by=created_by,
        expires_at=expires_at,
    )
    return key, str(secret)


def authenticate(raw: str, *, now: datetime) -> ApiKey:
    """Return the key that this text is, or raise KeyRefused."""
    secret = secrets.parse(raw.strip(), label=LABEL)
    if secret is None:
        raise KeyRefused("malformed", f"An API key begins with {LABEL}_ and was copied whole.")
    remembered = _good.get(secret.hash)
    if remembered is not None and now < remembered.until and _stands(remembered.key):
        return _still_good(remembered.key, now=now)
    return _still_good(_look_up(secret, now=now), now=now)


def remembered(raw: str, *, now: datetime) -> ApiKey | None:
    """Return the key where it was found good a moment ago; whether it `stands` is not asked."""
    secret = secrets.parse(raw.strip(), label=LABEL)
    known = _good.get(secret.hash) if secret is not None else None
    if known is None or now >= known.until or known.key.state(now=now) != "active":
        return None
    return known.key


def standing(key_ids: Collection[UUID]) -> set[UUID]:
    """Return which of the current organisation's keys nobody has revoked, in whatever process."""
    with binary_cursor() as cursor:
        cursor.execute(
            "SELECT id FROM accounts_apikey WHERE id = ANY(%b::uuid[]) AND revoked_at IS NULL",
            [list(key_ids)],
            prepare=True,
        )
        return {id_ for (id_,) in cursor.fetchall()}


def _stands(key: ApiKey) -> bool:
    """Ask, by the primary key, whether somebody revoked it meanwhile, in whatever process."""
    with tenancy.acting_for(key.organisation_id):
        return key.pk in standing([key.pk])


def revoke(key_id: UUID, *, now: datetime) -> bool:
    """End the key; its next use finds it ended, whatever process it comes to."""
    forget()
    return ApiKey.objects.filter(pk=key_id, revoked_at__isnull=True).update(revoked_at=now) == 1


def forget() -> None:
    """Look every key up again at its next use."""
    _good.clear()


def _look_up(secret: secrets.Secret, *, now: datetime) -> ApiKey:
    _good.pop(secret.hash, None)
    with tenancy.acting_for(secret.organisation_id):
        key = ApiKey.objects.filter(hash=secret.hash).first()
        if key is None:
            raise KeyRefused("unknown", "This API key does not exist.")
        if key.last_used_at is None or key.last_used_at < now - USE_NOTED_EVERY:
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    if len(_good) >= _REMEMBERED_MOST:
        _good.clear()
    _good[secret.hash] = _Remembered(key, until=now + TRUSTED_FOR)
    return key


def _still_good(key: ApiKey, *, now: datetime) -> ApiKey:
    match key.state(now=now):
        case "revoked":
            raise KeyRefused("revoked", f"The API key {key.prefix}… was revoked.")
        case "expired":
            raise KeyRefused(
                "expired",
                f"The API key {key.prefix}… expired on {key.expires_at:%Y-%m-%d}: make a new one"
                " under Integrations.",
            )
    return key
