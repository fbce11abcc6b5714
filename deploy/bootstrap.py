"""Make the Python environment from nothing: `python3 deploy/bootstrap.py .venv run`.

Standard library only, for it runs before anything is installed. In this order: uv where there is
one (fast); the interpreter's own ensurepip; and where a Linux distribution has left that out, the
wheel of pip that it keeps, or the one from the package index, checked against the hash below and
run from its file.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import warnings
from pathlib import Path
from urllib.parse import urljoin, urlsplit

CHECKOUT = Path(__file__).resolve().parents[1]
OLDEST = (3, 11)
PIP_WHEEL = "pip-26.3-py3-none-any.whl"
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
DEBIANS = Path("/usr/share/python-wheels")
SETS = {"run": ("run",), "frontend": ("frontend",), "dev": ("dev", "run", "frontend")}
"""Which sets each requirements file covers."""


def main(environment: Path, wanted: str) -> None:
    if sys.version_info < OLDEST:
        _start_again_with_a_newer_python()
    say(f"installing requirements/{wanted}.txt into {environment} ...")
    requirements = CHECKOUT / "requirements" / f"{wanted}.txt"
    if not (environment / "bin" / "python").exists():
        _create(environment)
    _install(environment, requirements)
    for covered in SETS[wanted]:
        (environment / f".{covered}").touch()


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _start_again_with_a_newer_python() -> None:
    for minor in range(19, OLDEST[1] - 1, -1):
        if newer := shutil.which(f"python3.{minor}"):
            os.execv(newer, [newer, *sys.argv])  # noqa: S606  the same program, another interpreter
    raise SystemExit("Attune needs Python 3.11 or newer: make ... PYTHON=/path/to/python3")


def _create(environment: Path) -> None:
    """Make an empty environment. pip comes later, if it is needed at all."""
    arguments = [sys.executable, "-m", "venv", "--without-pip", str(environment)]
    if subprocess.run(arguments, check=False).returncode:
        raise SystemExit(f"{sys.executable} cannot make environments: install its venv module")


def _install(environment: Path, requirements: Path) -> None:
    python = str(environment / "bin" / "python")
    what = ["--require-hashes", "-r", str(requirements)]
    if uv := shutil.which("uv"):
        if _succeeds([uv, "pip", "install", "-q", "--python", python, *what]):
            return
        say("uv could not; trying pip")
    if not _succeeds([python, "-c", "import pip"], quiet=True):
        _succeeds([python, "-m", "ensurepip", "-q"], quiet=True)
    if _succeeds([python, "-c", "import pip"], quiet=True):
        pip = [python, "-m", "pip"]
    else:
        wheel = kept_wheel() or pip_wheel(Path(tempfile.mkdtemp()))
        pip = [python, str(wheel / "pip")]
    if not _succeeds([*pip, "install", "-q", "--disable-pip-version-check", *what]):
        raise SystemExit("the requirements could not be installed; pip's message is above")


def kept_wheel() -> Path | None:
    """Return the pip that Debian keeps for making environments, where there is one."""
    return next(iter(sorted(DEBIANS.glob("pip-*.whl"), reverse=True)), None)


def pip_wheel(folder: Path) -> Path:
    """Fetch pip's wheel from the package index that pip itself would ask, and check its hash."""
    page_address = f"{_index().rstrip('/')}/pip/"
    page = _fetch(page_address).decode()
    found = re.search(rf'href="([^"#]*{re.escape(PIP_WHEEL)})', page)
    if not found:
        raise SystemExit(f"{PIP_WHEEL} is not on {page_address}")
    content = _fetch(urljoin(page_address, found[1]))
    if hashlib.sha256(content).hexdigest() != PIP_SHA256:
        raise SystemExit(f"{PIP_WHEEL} does not have the expected hash; nothing was run")
    wheel = folder / PIP_WHEEL
    wheel.write_bytes(content)
    return wheel


def _index() -> str:
    """Return the index that is set for pip, else the public one, which distutils knows by name."""
    if index := os.environ.get("PIP_INDEX_URL"):
        return index
    try:
        with warnings.catch_warnings(action="ignore"):
            from distutils.config import PyPIRCCommand
    except ImportError:
        raise SystemExit(
            "this Python has neither pip nor ensurepip: install its venv package, or set"
            " PIP_INDEX_URL to your package index"
        ) from None
    host = urlsplit(PyPIRCCommand.DEFAULT_REPOSITORY).hostname or ""
    return f"https://{host.removeprefix('upload.')}/simple"


def _fetch(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310  from pip's own setting
        content: bytes = answer.read()
    return content


def _succeeds(command: list[str], *, quiet: bool = False) -> bool:
    silent = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, check=False, stdout=silent, stderr=silent).returncode == 0


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), sys.argv[2])
