"""Where one machine keeps its embedded services, keys and mailbox."""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
LONGEST_SOCKET_FOLDER = 80
"""A Unix socket's path holds about 100 bytes; the file's own name takes some of them."""


def unprivileged_user() -> pwd.struct_passwd | None:
    """Return whom PostgreSQL runs as when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    return pwd.getpwnam(os.environ.get("EMBEDDED_PG_USER", "nobody"))


def open_to_all(path: Path) -> bool:
    """Tell whether every user may walk to `path`."""
    return all(p.stat().st_mode & stat.S_IXOTH for p in [path, *path.resolve().parents])


def state_folder() -> Path:
    """Return the folder that holds everything this checkout must not lose.

    The checkout's own `.attune/` is best, for it is found and removed with the checkout. It will
    not do when its path is too long for a socket, or when we are root and the user PostgreSQL
    runs as cannot walk there; nobody's folders are opened up to make it do.
    """
    if chosen := os.environ.get("ATTUNE_HOME"):
        return Path(chosen).absolute()
    home, elsewhere = CHECKOUT / ".attune", _elsewhere()
    if home.is_dir() and _usable(home):
        return home
    return elsewhere if elsewhere.is_dir() or not _usable(home) else home


def make_state_folder() -> Path:
    """Return the state folder, made if it was missing; refuse one that is somebody else's."""
    folder = state_folder()
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise SystemExit(f"{folder} belongs to somebody else; set ATTUNE_HOME to a folder of yours")
    if os.geteuid() == 0:
        folder.chmod(0o711)
    return folder


def _usable(home: Path) -> bool:
    short = len(os.fsencode(home)) <= LONGEST_SOCKET_FOLDER
    parent = home.parent
    if os.geteuid() == 0:
        return short and open_to_all(parent)
    return short and os.access(parent, os.W_OK)


def _elsewhere() -> Path:
    name = hashlib.sha256(f"{os.geteuid()}:{CHECKOUT}".encode()).hexdigest()[:12]
    return Path("/var/tmp") / f"attune-{name}"  # noqa: S108  private by mode 0711 and owner check
