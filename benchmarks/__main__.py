"""`make bench` runs every benchmark at a tenth of its size, `make bench NAME=segments` one in full.

A benchmark is a module of this package with `run(scale: float) -> Iterator[Row]`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from benchmarks import __path__ as here
from benchmarks.ground import durable_database
from benchmarks.kept import folder_of

TENTH = 0.1
NOT_BENCHMARKS = frozenset(
    {"__main__", "ground", "kept", "measure", "population", "prompt", "relay", "web"}
)
KEEPS = frozenset({"segments"})
"""Benchmarks whose loaded world may stay for the next run (`benchmarks.kept`)."""
MODULES = {"import": "import_"}
"""Names that Python does not allow a module to have."""


def names() -> list[str]:
    """Return what can be measured."""
    own = {module: name for name, module in MODULES.items()}
    found = (module.name for module in iter_modules(here))
    return [
        own.get(name, name)
        for name in found
        if name not in NOT_BENCHMARKS and not name.startswith("_")
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=names(), help="one benchmark, in full size")
    parser.add_argument("--scale", type=float, help="1 is full size")
    parser.add_argument(
        "--keep",
        type=Path,
        default=os.environ.get("ATTUNE_BENCH_KEEP") or None,
        help="a folder in which the loaded world stays for the next run",
    )
    options = parser.parse_args()
    if options.name:
        measure(options.name, scale=options.scale or 1.0, keep=options.keep)
    else:
        sys.exit(max(measure_apart(name, scale=options.scale or TENTH) for name in names()))


def measure(name: str, *, scale: float, keep: Path | None = None) -> None:
    """Run one benchmark on a database of its own and print its rows as they come."""
    sys.stderr.write(f"{name}, {scale:g} of full size\n")
    folder = folder_of(keep, name, scale) if keep and name in KEEPS else None
    with durable_database(folder):
        module = import_module(f"benchmarks.{MODULES.get(name, name)}")
        for row in module.run(scale, folder=folder) if folder else module.run(scale):
            sys.stdout.write(f"{row.line()}\n")
            sys.stdout.flush()


def measure_apart(name: str, *, scale: float) -> int:
    """Run one benchmark in a process of its own: no memory, key or cache of another's."""
    command = [sys.executable, "-m", "benchmarks", name, "--scale", str(scale)]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    main()
