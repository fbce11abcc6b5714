"""`make check`: every static check, the same for people and for CI. All run; any failure fails."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from deploy import bootstrap
from deploy.demo import a_passing_installation
from deploy.state import CHECKOUT

PROGRAMS = Path(sys.executable).parent


def main() -> int:
    with a_passing_installation() as installation:
        environment = os.environ | installation.environment() | {"ATTUNE_MODE": "test"}
        failed = [
            name for name, command in checks().items() if not passes(name, command, environment)
        ]
    bootstrap.say(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return 1 if failed else 0


def checks() -> dict[str, list[str]]:
    """Return each check's name and command."""
    manage = [sys.executable, "manage.py"]
    return {
        "style": [_program("ruff"), "check", "."],
        "format": [_program("ruff"), "format", "--check", "."],
        "types": [_program("mypy")],
        "imports": [_program("lint-imports")],
        "system": [*manage, "check", "--fail-level", "WARNING"],
        "migrations": [*manage, "makemigrations", "--check", "--dry-run"],
        "templates": [sys.executable, "-m", "deploy.lint.templates"],
        "secrets": [sys.executable, "-m", "deploy.lint.secrets"],
        "licences": [sys.executable, "-m", "deploy.lint.licences"],
    }


def passes(name: str, command: list[str], environment: dict[str, str]) -> bool:
    """Run one check; show what it says only if it fails."""
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
    )
    word = "FAILED" if done.returncode else "ok"
    bootstrap.say(f"{name:<11} {word:<7} {time.monotonic() - began:5.1f} s")
    if done.returncode:
        bootstrap.say(done.stdout + done.stderr)
    return done.returncode == 0


def _program(name: str) -> str:
    return str(PROGRAMS / name)


if __name__ == "__main__":
    sys.exit(main())
