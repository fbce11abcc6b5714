"""A signal to `make run` reaches what it runs: nothing is left behind that nobody can stop."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STAND_IN = f"""#!{sys.executable}
import pathlib, signal, sys, time
here = pathlib.Path(__file__).parents[1]
def stop(number, frame):
    (here / "stopped").write_text(str(number))
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
(here / "ready").write_text("")
time.sleep(60)
"""


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """An environment whose Python says which signal it got, and is as new as its requirements."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "python"
    program.write_text(STAND_IN)
    program.chmod(0o755)
    (tmp_path / ".run").touch()
    return tmp_path


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here")
def test_make_that_is_ended_ends_what_it_runs(environment: Path) -> None:
    making = subprocess.Popen(
        ["make", "-s", "run", f"ENV={environment}"], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    _wait_for(environment / "ready")
    making.terminate()
    making.wait(30)
    _wait_for(environment / "stopped")
    assert (environment / "stopped").read_text() == str(int(signal.SIGTERM))


def _wait_for(path: Path) -> None:
    end = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} never came"
        time.sleep(0.02)
