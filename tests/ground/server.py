"""The embedded PostgreSQL that the suite runs on."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from django.core.management import call_command
from django.db import connections

from deploy import databases
from deploy.postgres import EmbeddedPostgres

PREFIX = "attune-test-"
TEMPLATE = "attune_template"
ALIASES = ("default", "owner")
_numbers = itertools.count(1)


@dataclass(frozen=True)
class OwnDatabase:
    """Where a test's own database is, for the processes that it starts."""

    name: str
    url: str
    owner_url: str


class TestServer:
    """One worker's server, below a folder named for the session's process."""

    __test__ = False

    def __init__(self, home: Path) -> None:
        self.postgres = EmbeddedPostgres(
            home,
            durable=False,
            settings={
                "max_connections": "200",
                "log_min_messages": "fatal",
                # Its transactions would hold back the loops that read settled rows only.
                "autovacuum": "off",
            },
        )

    def start(self) -> None:
        self.postgres.start()
        self.postgres.detach()  # the session's first process stops it
        databases.prepare_roles(self.postgres.url("postgres"))

    def migrate_template(self) -> None:
        """Migrate once; every other database of the worker is a copy."""
        databases.create(self.postgres.url("postgres"), name=TEMPLATE)
        databases.close_to_public(self.postgres.url(TEMPLATE))
        self.use(TEMPLATE)
        call_command("migrate", database="owner", verbosity=0)
        connections.close_all()

    def clone(self, name: str) -> str:
        databases.create(self.postgres.url("postgres"), name=name, template=TEMPLATE)
        return name

    def use(self, name: str) -> None:
        """Point both of Django's aliases at the database `name`."""
        connections.close_all()
        for alias in ALIASES:
            connections.settings[alias] |= {"HOST": str(self.postgres.data), "NAME": name}
            connections[alias].settings_dict |= {"HOST": str(self.postgres.data), "NAME": name}

    @contextmanager
    def own_database(self) -> Iterator[OwnDatabase]:
        before = connections.settings["default"]["NAME"]
        name = self.clone(f"{before}_{next(_numbers)}")
        self.use(name)
        try:
            yield OwnDatabase(
                name=name,
                url=self.postgres.url(name, role=databases.APPLICATION),
                owner_url=self.postgres.url(name),
            )
        finally:
            self.use(before)
            databases.drop(self.postgres.url("postgres"), name=name)


def choose_home() -> Path:
    """Return a fresh folder, short enough for a socket, that any user can walk to."""
    for left in Path("/var/tmp").glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError):  # another session that begins now removes it as well
            if left.stat().st_uid == os.geteuid() and not _runs(int(left.name.split("-")[2])):
                remove_home(left)
    home = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir="/var/tmp"))
    home.chmod(0o711)
    return home


def remove_home(home: Path) -> None:
    """Stop every worker's server, whichever process started it, and forget everything."""
    for server in home.iterdir():
        TestServer(server).postgres.stop_any()
    shutil.rmtree(home, ignore_errors=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
