"""Change keys without touching a single record.

rotate        a new sealing key writes; each subject's data key is wrapped anew, in batches
change root   each organisation's and the installation's keys are wrapped by the new root key
destroy       an old version goes for good, once nothing is sealed with it any more
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from crypto import data_keys, inventory, keyring, root
from crypto.models import InstallationKey, OrganisationKey, State
from crypto.rows import binary_cursor

BATCH = 5_000
REST = timedelta(minutes=10)
"""How long a version rests before it may be destroyed: until then another process, which remembers
its keys for a minute, might write with it in a transaction that is still open."""


class StillNeeded(Exception):
    """A key version cannot be destroyed while something is sealed with it."""


def rotate(
    organisation_id: int, *, now: datetime, progress: Callable[[int], None] | None = None
) -> tuple[int, int]:
    """Rotate an organisation's sealing key; return its version and how many keys were wrapped."""
    version = keyring.rotate(organisation_id, now=now)
    return version, rewrap(organisation_id, progress=progress)


def rewrap(organisation_id: int, *, progress: Callable[[int], None] | None = None) -> int:
    """Wrap every data key with the version that writes now; safe to stop and to repeat.

    Each batch is a transaction: readers never wait for more than one batch of rows, and a key that
    another process wrapped with the old version meanwhile is found by the next run.
    """
    last, done = -1, 0
    while batch := _rewrap_batch(organisation_id, after=last):
        last, done = batch[-1], done + len(batch)
        if progress:
            progress(done)
    return done


def change_root(*, organisation_id: int | None) -> int:
    """Wrap an organisation's keys, or the installation's (None), by the first root key given."""
    rows: list[OrganisationKey | InstallationKey] = (
        list(InstallationKey.objects.exclude(state=State.DESTROYED))
        if organisation_id is None
        else list(
            OrganisationKey.objects.filter(organisation_id=organisation_id).exclude(
                state=State.DESTROYED
            )
        )
    )
    provider = root.provider()
    with transaction.atomic():
        for row in rows:
            key = provider.unwrap(bytes(row.wrapped), row.context())
            row.wrapped = provider.wrap(key, row.context())
            row.save(update_fields=["wrapped"])
    return len(rows)


def destroy(organisation_id: int, version: int, *, now: datetime) -> None:
    """Destroy an old sealing key; refuse while it writes, or while anything needs it."""
    held = inventory.of_version(organisation_id, version)
    if held:
        places = ", ".join(f"{count} in {place}" for place, count in sorted(held.items()))
        raise StillNeeded(f"version {version} still seals {places}; rotate and write those first")
    rows = OrganisationKey.objects.filter(
        Q(state=State.PRE_ACTIVE) | Q(state=State.DEACTIVATED, deactivated_at__lte=now - REST),
        organisation_id=organisation_id,
        purpose=keyring.SEALING,
        version=version,
    )
    if not rows.update(state=State.DESTROYED, wrapped=b"", destroyed_at=now):
        raise StillNeeded(
            f"version {version} still writes, wrote until a few minutes ago, or does not exist"
        )
    keyring.forget(organisation_id)


def _rewrap_batch(organisation_id: int, *, after: int) -> list[int]:
    writing = keyring.for_organisation(organisation_id).writing.version
    with transaction.atomic(), binary_cursor() as cursor:
        cursor.execute(
            "SELECT subject_id, wrapped FROM crypto_datakey"
            " WHERE organisation_id = %b AND subject_id > %b"
            f" AND {inventory.VERSION.format('wrapped')} <> %b"
            " ORDER BY subject_id LIMIT %b FOR UPDATE",
            [organisation_id, after, writing, BATCH],
        )
        wrapped = data_keys.rewrap(organisation_id, cursor.fetchall())
        cursor.execute(
            "UPDATE crypto_datakey SET wrapped = fresh.wrapped"
            " FROM unnest(%b::int8[], %b::bytea[]) AS fresh(subject_id, wrapped)"
            " WHERE crypto_datakey.subject_id = fresh.subject_id AND organisation_id = %b",
            [[s for s, _ in wrapped], [w for _, w in wrapped], organisation_id],
        )
    return [subject for subject, _ in wrapped]
