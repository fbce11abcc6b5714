"""`make demo`: the main job without a browser, on servers that live only as long as it runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from deploy.bootstrap import say
from deploy.installation import Installation
from deploy.run import manage
from deploy.state import CHECKOUT


def main(arguments: list[str]) -> int:
    """Run `manage.py demo` and return its exit status: not zero if any figure does not add up."""
    with a_passing_installation() as installation, installation.mailbox.running():
        say("preparing the database ...")
        manage(installation, "migrate", "--verbosity", "0")
        command = [sys.executable, "manage.py", "demo", *_absolute(arguments)]
        environment = os.environ | installation.environment()
        return subprocess.run(command, cwd=CHECKOUT, env=environment, check=False).returncode


@contextmanager
def a_passing_installation(
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Installation]:
    """Give an installation of its own, with a running database, and remove it afterwards."""
    home = Path(tempfile.mkdtemp(prefix="attune-demo-", dir="/var/tmp"))
    home.chmod(0o711)
    installation = Installation(home)
    installation.postgres.settings |= settings
    try:
        installation.start_database()
        yield installation
    finally:
        installation.postgres.stop_any()
        shutil.rmtree(home)


def _absolute(arguments: list[str]) -> list[str]:
    """Read paths from where the newcomer stands, not from where manage.py runs."""
    return [str(Path(a).absolute()) if Path(a).exists() else a for a in arguments]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
