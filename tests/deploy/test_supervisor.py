"""The supervisor keeps the sample's processes alive and leaves none behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kept_ports import KeptPort
from deploy.run import insist_on_web
from deploy.supervisor import Process, Supervisor, _command_of

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True);"
    " time.sleep(60)",
]


PARENT = [
    sys.executable,
    "-c",
    "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time;"
    " time.sleep(60)']); print(child.pid, flush=True); child.wait()",
]


def process(folder: Path, command: list[str], *, patience: float = 5.0) -> Process:
    log, pid_file = folder / "log", folder / "pid"
    return Process("sleeper", command, {}, log=log, pid_file=pid_file, patience=patience)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor([process(tmp_path, SLEEP)])
    supervisor.start()
    yield supervisor
    supervisor.stop()


def test_a_killed_process_is_started_again(supervisor: Supervisor) -> None:
    (sleeper,) = supervisor.processes
    assert sleeper.child
    first = sleeper.child.pid
    os.kill(first, signal.SIGKILL)
    sleeper.child.wait()
    supervisor.look_after()
    assert sleeper.alive()
    assert sleeper.child.pid != first


def test_the_children_of_a_killed_process_are_ended_too(tmp_path: Path) -> None:
    parent = process(tmp_path, PARENT)
    supervisor = Supervisor([parent])
    supervisor.start()
    while not (said := (tmp_path / "log").read_text()):
        time.sleep(0.02)
    assert parent.child
    parent.child.kill()
    parent.child.wait()
    supervisor.look_after()
    supervisor.stop()
    end = time.monotonic() + 5
    while _command_of(int(said)) and time.monotonic() < end:
        time.sleep(0.02)
    assert not _command_of(int(said))


def test_a_process_that_keeps_dying_is_started_ever_less_often(tmp_path: Path) -> None:
    dying = process(tmp_path, [sys.executable, "-c", ""])
    supervisor = Supervisor([dying])
    supervisor.start()
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        supervisor.look_after()
        time.sleep(0.05)
    supervisor.stop()
    assert 2 <= dying.deaths <= 4


def test_services_are_looked_after_too(tmp_path: Path) -> None:
    asked: list[str] = []
    Supervisor([], [lambda: asked.append("postgres")]).look_after()
    assert asked == ["postgres"]


def test_what_a_killed_supervisor_left_is_ended_before_a_new_start(tmp_path: Path) -> None:
    left = process(tmp_path, SLEEP)
    left.start()
    assert left.child
    while _command_of(left.child.pid) != SLEEP:
        time.sleep(0.01)
    Supervisor([process(tmp_path, SLEEP)]).processes[0].end_leftover()
    assert left.child.wait(5) == -signal.SIGTERM


def test_a_number_that_now_belongs_to_another_program_is_left_alone(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
    (tmp_path / "pid").write_text(f"{other.pid}\n")
    process(tmp_path, SLEEP).end_leftover()
    assert other.poll() is None
    other.kill()
    other.wait()


def test_one_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    deaf = process(tmp_path, DEAF, patience=0.2)
    deaf.start()
    while not (tmp_path / "log").read_text():
        time.sleep(0.02)
    deaf.stop()
    assert deaf.child
    assert deaf.child.returncode == -signal.SIGKILL


def test_all_are_asked_at_once_so_that_none_waits_for_another(tmp_path: Path) -> None:
    deaf = []
    for name in "abc":
        (tmp_path / name).mkdir()
        deaf.append(process(tmp_path / name, DEAF, patience=1.0))
    supervisor = Supervisor(deaf)
    supervisor.start()
    while not all((tmp_path / name / "log").read_text() for name in "abc"):
        time.sleep(0.02)
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 2.5
    assert not any(one.alive() for one in deaf)


def test_who_serves_others_is_asked_when_they_have_ended(tmp_path: Path) -> None:
    for name in ("server", "worker"):
        (tmp_path / name).mkdir()
    server = process(tmp_path / "server", SLEEP)
    server.serves = True
    worker = process(tmp_path / "worker", SLEEP)
    supervisor = Supervisor([server, worker])
    supervisor.start()
    supervisor.stop()
    assert server.asked_at and worker.asked_at and server.asked_at >= worker.asked_at
    assert not server.alive() and not worker.alive()


@pytest.fixture
def other() -> Iterator[socket.socket]:
    """Another program's port."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other


@pytest.fixture
def listener(tmp_path: Path, other: socket.socket) -> Process:
    """One of ours that was given the same port once."""
    listener = process(tmp_path, SLEEP)
    listener.port = KeptPort(other.getsockname()[1], tmp_path / "mailbox.port")
    return listener


def test_a_taken_port_is_told_once_with_what_to_do_and_the_rest_goes_on(
    listener: Process, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert listener.port
    (tmp_path / "rest").mkdir()
    rest = process(tmp_path / "rest", SLEEP)
    supervisor = Supervisor([listener, rest])
    supervisor.start()
    supervisor.look_after()
    told = capsys.readouterr().err
    assert told.count(f"port {listener.port.number} is taken by another program") == 1
    assert f"delete {listener.port.file}" in told and "ended" not in told
    assert (listener.alive(), rest.alive()) == (False, True)
    supervisor.stop()


def test_what_waits_for_its_port_starts_when_it_is_free(
    listener: Process, other: socket.socket
) -> None:
    supervisor = Supervisor([listener])
    supervisor.start()
    other.close()
    supervisor.look_after()
    assert listener.alive() and not listener.waits
    supervisor.stop()


def test_attune_does_not_start_where_another_program_would_answer_for_it(listener: Process) -> None:
    listener.name = "web"
    supervisor = Supervisor([listener])
    supervisor.start()
    with pytest.raises(SystemExit, match="was not started"):
        insist_on_web(supervisor)
