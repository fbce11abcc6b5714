"""A durable embedded PostgreSQL with a migrated database, for one benchmark.

Durable, for a figure that forgets its data in a power cut is nobody's figure. Settings are those of
the prototypes in PERFORMANCE.md: 2 GB of shared buffers where the machine has it, no jit.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connections

from deploy import databases
from deploy.demo import a_passing_installation
from deploy.installation import DATABASE, Installation

SETTINGS = {
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "synchronous_commit": "on",
}


@contextmanager
def durable_database(folder: Path | None = None) -> Iterator[Installation]:
    """Start a server, migrate as the owner, and connect as the application's role.

    It is removed afterwards, or stays in `folder` where that is given.
    """
    settings = SETTINGS | _memory()
    with _staying(folder, settings) if folder else a_passing_installation(settings) as installation:
        os.environ |= installation.environment()
        django.setup()
        call_command("migrate", database="owner", verbosity=0)
        try:
            yield installation
        finally:
            connections.close_all()


@contextmanager
def _staying(folder: Path, settings: Mapping[str, str]) -> Iterator[Installation]:
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    installation = Installation(folder)
    installation.postgres.settings |= settings
    try:
        installation.start_database()
        yield installation
    finally:
        installation.postgres.stop_any()


def found_organisation(*, now: datetime, name: str = "Benchmark Clinic") -> int:
    """Make an organisation with its keys; return its id for tenancy.acting_for."""
    from accounts import organisations
    from audit.actor import Actor, acting_as

    with acting_as(Actor("system", "benchmark")):
        found = organisations.found(
            name,
            slug="benchmark",
            timezone="America/New_York",
            now=now,
            postal_address="1 Quay, Boston",
        )
    return found.pk


def owner_url(installation: Installation) -> str:
    """Return how the limit's plain tables are made, beside the product's."""
    return installation.postgres.url(DATABASE)


def application_url(installation: Installation) -> str:
    return installation.postgres.url(DATABASE, role=databases.APPLICATION)


def _memory() -> dict[str, str]:
    """Give a quarter of the machine, 2 GB at most."""
    total_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return {"shared_buffers": f"{min(2048, total_mb // 4)}MB"}
