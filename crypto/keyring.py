"""The key ring: root key → organisation keys → a data key for each subject.

`for_organisation` answers from this process's memory for a minute; `rotate` makes a new writing
version, and older versions stay readable until nothing is sealed with them. A process that meets a
version it does not know reads the ring again, so rotation never fails a read.

Call everything here inside the organisation's own scope: row security hides its keys otherwise.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.db import connection, transaction

from crypto import root
from crypto.models import InstallationKey, OrganisationKey, State, WrappedKey
from crypto.seal import Key, KeyUnavailable

REMEMBERED_SECONDS = 60.0
READABLE = (State.ACTIVE, State.DEACTIVATED)
SEALING, INDEX = OrganisationKey.Purpose.SEALING, OrganisationKey.Purpose.INDEX
TOKENS, TRAIL = InstallationKey.Purpose.TOKENS, InstallationKey.Purpose.TRAIL


class NoKeys(KeyUnavailable):
    """The organisation has no keys, or is not the one whose scope is set."""


@dataclass(frozen=True)
class OrganisationKeys:
    """One organisation's keys, unwrapped."""

    organisation_id: int
    writing: Key
    index: bytes = field(repr=False)
    readable: Mapping[int, Key] = field(repr=False)
    _derived: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    def reading(self, version: int) -> Key:
        """Return the key of this version; read the ring again for one made since."""
        if key := self.readable.get(version):
            return key
        forget(self.organisation_id)
        if key := for_organisation(self.organisation_id).readable.get(version):
            return key
        raise KeyUnavailable(f"organisation {self.organisation_id} has no key version {version}")

    def derive(self, label: str) -> bytes:
        """Return a 32-byte sub-key of the index key (HKDF-SHA256); it survives rotation."""
        if label not in self._derived:
            kdf = HKDF(SHA256(), 32, salt=None, info=b"attune/" + label.encode())
            self._derived[label] = kdf.derive(self.index)
        return self._derived[label]


@dataclass(frozen=True)
class InstallationKeys:
    """Keys that serve all organisations."""

    token_writing: Key
    tokens: Mapping[int, Key] = field(repr=False)
    trail_version: int
    trail_signing: Ed25519PrivateKey = field(repr=False)
    trail_public: Mapping[int, bytes]


def for_organisation(organisation_id: int) -> OrganisationKeys:
    """Return the organisation's keys, or raise NoKeys."""
    return _remember(organisation_id, lambda: _load_organisation(organisation_id))


def installation() -> InstallationKeys:
    """Return the installation's keys; the first call of all makes them."""
    return _remember(None, _load_installation)


def create_for(organisation_id: int, *, now: datetime) -> OrganisationKeys:
    """Give a new organisation its sealing key and its index key."""
    for purpose in (SEALING, INDEX):
        _new_organisation_key(organisation_id, purpose, 1, now=now, state=State.ACTIVE)
    forget(organisation_id)
    return for_organisation(organisation_id)


def prepare(organisation_id: int, *, now: datetime) -> int:
    """Make the next sealing key without using it yet, and return its version."""
    rows = OrganisationKey.objects.filter(organisation_id=organisation_id, purpose=SEALING)
    waiting = rows.filter(state=State.PRE_ACTIVE).order_by("version").first()
    if waiting:
        return waiting.version
    newest = rows.order_by("-version").first()
    if newest is None:
        raise NoKeys(f"organisation {organisation_id} has no keys to rotate")
    version = newest.version + 1
    _new_organisation_key(organisation_id, SEALING, version, now=now, state=State.PRE_ACTIVE)
    return version


def rotate(organisation_id: int, *, now: datetime) -> int:
    """Write with a new version from now on; return it. Data keys are re-wrapped by `rotation`."""
    with transaction.atomic():
        version = prepare(organisation_id, now=now)
        keys = OrganisationKey.objects.filter(organisation_id=organisation_id, purpose=SEALING)
        _switch(keys, version, now=now)
    forget(organisation_id)
    return version


def rotate_installation(*, now: datetime) -> None:
    """Issue tokens and sign the trail with new keys; what the old ones made stays valid."""
    installation()
    with transaction.atomic():
        for purpose in (TOKENS, TRAIL):
            keys = InstallationKey.objects.filter(purpose=purpose)
            newest = keys.order_by("-version").first()
            assert newest is not None
            version = newest.version + 1
            _new_installation_key(purpose, version, now=now, state=State.PRE_ACTIVE)
            _switch(keys, version, now=now)
    forget(None)


def reread_installation() -> bool:
    """Read the installation's keys again, at most once a second; a forged hint costs no query."""
    read_at = _remembered.get((_database(), None), (0.0,))[0]
    if time.monotonic() - read_at < 1.0:
        return False
    forget(None)
    return True


def forget(organisation_id: int | None = None) -> None:
    """Drop what this process remembers: one organisation's keys, or the installation's (None)."""
    _remembered.pop((_database(), organisation_id), None)


# What a process remembers. Keys that were made in a transaction still open count only as long as
# that transaction may commit: after a rollback nobody else has them.

_T = TypeVar("_T")


class _InDoubt:
    """Says whether a transaction's work can still be, or has been, committed."""

    def __init__(self) -> None:
        self.committed = not connection.in_atomic_block
        transaction.on_commit(self.commit)

    def commit(self) -> None:
        self.committed = True

    def holds(self) -> bool:
        return self.committed or any(hook[1] == self.commit for hook in connection.run_on_commit)


_remembered: dict[tuple[str, int | None], tuple[float, _InDoubt, Any]] = {}


def _database() -> str:
    known = connection.settings_dict  # asked once: this is on the way of every token and key
    return f"{known['HOST']}/{known['NAME']}"


def _remember(organisation_id: int | None, load: Callable[[], _T]) -> _T:
    place = (_database(), organisation_id)
    known = _remembered.get(place)
    if known and time.monotonic() - known[0] < REMEMBERED_SECONDS and known[1].holds():
        kept: _T = known[2]
        return kept
    loaded = load()
    _remembered[place] = (time.monotonic(), _InDoubt(), loaded)
    return loaded


def _load_organisation(organisation_id: int) -> OrganisationKeys:
    rows = list(OrganisationKey.objects.filter(organisation_id=organisation_id, state__in=READABLE))
    sealing = {row.version: Key(row.version, _open(row)) for row in rows if row.purpose == SEALING}
    index = [_open(row) for row in rows if row.purpose == INDEX]
    writing = [r.version for r in rows if r.purpose == SEALING and r.state == State.ACTIVE]
    if not writing or not index:
        raise NoKeys(
            f"organisation {organisation_id} has no keys here: create them with keyring.create_for,"
            " or enter the organisation's scope first"
        )
    return OrganisationKeys(organisation_id, sealing[writing[0]], index[0], sealing)


def _load_installation() -> InstallationKeys:
    rows = list(InstallationKey.objects.filter(state__in=READABLE))
    if not rows:
        _create_installation()
        rows = list(InstallationKey.objects.filter(state__in=READABLE))
    tokens = {row.version: Key(row.version, _open(row)) for row in rows if row.purpose == TOKENS}
    trail = {row.version: row for row in rows if row.purpose == TRAIL}
    writing = {row.purpose: row.version for row in rows if row.state == State.ACTIVE}
    signing = Ed25519PrivateKey.from_private_bytes(_open(trail[writing[TRAIL]]))
    return InstallationKeys(
        token_writing=tokens[writing[TOKENS]],
        tokens=tokens,
        trail_version=writing[TRAIL],
        trail_signing=signing,
        trail_public={version: bytes(row.public) for version, row in trail.items()},
    )


def _create_installation() -> None:
    """Make the first keys. Two processes may try at once: the unique constraint keeps one."""
    from django.utils import timezone

    for purpose in (TOKENS, TRAIL):
        _new_installation_key(purpose, 1, now=timezone.now(), state=State.ACTIVE)


def _new_organisation_key(
    organisation_id: int,
    purpose: OrganisationKey.Purpose,
    version: int,
    *,
    now: datetime,
    state: State,
) -> None:
    row = OrganisationKey(organisation_id=organisation_id, purpose=purpose, version=version)
    _insert(row, secrets.token_bytes(32), now=now, state=state)


def _new_installation_key(
    purpose: InstallationKey.Purpose, version: int, *, now: datetime, state: State
) -> None:
    row = InstallationKey(purpose=purpose, version=version)
    material = secrets.token_bytes(32)
    if purpose == TRAIL:
        row.public = Ed25519PrivateKey.from_private_bytes(material).public_key().public_bytes_raw()
    _insert(row, material, now=now, state=state)


def _insert(
    row: OrganisationKey | InstallationKey, material: bytes, *, now: datetime, state: State
) -> None:
    row.wrapped = root.provider().wrap(material, row.context())
    row.state, row.created_at = state, now
    row.activated_at = now if state == State.ACTIVE else None
    type(row)._default_manager.bulk_create([row], ignore_conflicts=True)  # type: ignore[list-item]


def _switch(keys: Any, version: int, *, now: datetime) -> None:
    keys.filter(state=State.ACTIVE).update(state=State.DEACTIVATED, deactivated_at=now)
    keys.filter(version=version).update(state=State.ACTIVE, activated_at=now)


def _open(row: WrappedKey) -> bytes:
    assert isinstance(row, OrganisationKey | InstallationKey)
    return root.provider().unwrap(bytes(row.wrapped), row.context())
