"""What a database leaves behind: the dump, the raw files, the write-ahead log and the log."""

from __future__ import annotations

import subprocess

from django.db import connections

from tests.canary import search
from tests.ground.server import OwnDatabase, TestServer


def by(database: OwnDatabase, server: TestServer) -> dict[str, bytes]:
    """Return the contents of every place in which the server keeps this database, by name."""
    postgres = server.postgres
    with connections["owner"].cursor() as cursor:
        cursor.execute("CHECKPOINT")
        cursor.execute("SELECT oid::text FROM pg_database WHERE datname = current_database()")
        folder = cursor.fetchone()[0]
    dump = subprocess.run(
        [str(postgres.programs / "pg_dump"), database.owner_url],
        capture_output=True,
        check=True,
        timeout=120,
    )
    raw = {
        f"tables/{name}": content for name, content in search.files(postgres.data / "base" / folder)
    }
    wal = {f"wal/{name}": content for name, content in search.files(postgres.data / "pg_wal")}
    return {"dump": dump.stdout, "server log": postgres.log.read_bytes()} | raw | wal
