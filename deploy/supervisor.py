"""Start the processes, start those again that die, and stop them all in order."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from deploy import bootstrap
from deploy.kept_ports import KeptPort
from deploy.state import CHECKOUT

CALM = 20.0
"""Seconds alive after which a process counts as healthy, and its next death as its first."""
LONGEST_PAUSE = 15.0
SETTLED = 2.0
"""Seconds that the port of one that has just ended has to become free."""


@dataclass
class Process:
    """One supervised program. It gets its own session, so that Ctrl-C reaches only us."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    pid_file: Path
    patience: float = 10.0
    """Seconds it has for finishing what it is doing when asked to stop."""
    serves: bool = False
    """Others rely on it until they have ended: it is asked to stop after them."""
    port: KeptPort | None = None
    """Where it listens: it is not started while another program does."""
    waits: bool = False
    """It could not be started, for another program has its port."""
    child: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    asked_at: float | None = None
    deaths: int = 0

    def clear_away(self) -> None:
        """End the children of one that died: they hold on to its port."""
        if self.child:
            _kill_session(self.child.pid)
            self.child.wait()
            self.child = None

    def start(self) -> None:
        self.clear_away()
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                self.command,
                cwd=CHECKOUT,
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started_at, self.asked_at = time.monotonic(), None
        self.pid_file.write_text(f"{self.child.pid}\n")

    def alive(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def due(self) -> bool:
        """Tell whether a dead process has paused long enough: 0, 1, 2, 4 ... seconds."""
        pause = 0.0 if self.deaths <= 1 else min(2.0 ** (self.deaths - 2), LONGEST_PAUSE)
        return time.monotonic() >= self.started_at + pause

    def note_death(self) -> None:
        lived = time.monotonic() - self.started_at
        self.deaths = 1 if lived > CALM else self.deaths + 1

    def ask_to_stop(self) -> None:
        """Have it finish what it is doing, and do not wait for that."""
        if self.child and self.alive() and self.asked_at is None:
            self.child.terminate()
            self.asked_at = time.monotonic()

    def stop(self) -> None:
        """Wait until it has ended; kill it with its children when its patience is over."""
        self.ask_to_stop()
        if self.child and self.asked_at is not None:
            try:
                self.child.wait(max(0.0, self.asked_at + self.patience - time.monotonic()))
            except subprocess.TimeoutExpired:
                _kill_session(self.child.pid)
                self.child.wait(5)
        self.pid_file.unlink(missing_ok=True)

    def end_leftover(self) -> None:
        """End the process that a killed supervisor left behind, if its number is still its own."""
        with suppress(FileNotFoundError, ProcessLookupError, ValueError):
            pid = int(self.pid_file.read_text())
            if not _command_of(pid):
                _kill_session(pid)  # only its children are left; nobody else can have the number
            elif _command_of(pid) == self.command:
                os.kill(pid, signal.SIGTERM)
                end = time.monotonic() + self.patience
                while _command_of(pid) == self.command and time.monotonic() < end:
                    time.sleep(0.05)
                _kill_session(pid)
        self.pid_file.unlink(missing_ok=True)


@dataclass
class Supervisor:
    """Keeps `processes` running and `services` answering until told to stop."""

    processes: list[Process]
    services: list[Callable[[], None]] = field(default_factory=list)
    """Start-or-attach functions of the embedded servers; cheap when the server answers."""
    stopping: bool = False

    def start(self) -> None:
        for process in self.processes:
            process.end_leftover()
            _start(process)

    def watch(self, *, pause: float = 0.5) -> None:
        """Return when a signal asks to stop."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask_to_stop)
        while not self.stopping:
            self.look_after()
            time.sleep(pause)

    def look_after(self) -> None:
        """Start whatever died since the last look."""
        for start in self.services:
            start()
        for process in self.processes:
            if process.waits:
                _start(process)
            elif not process.alive() and process.due():
                process.note_death()
                bootstrap.say(f"{process.name} ended; starting it again (its log: {process.log})")
                _start(process)

    def stop(self) -> None:
        """Stop those that work, all at once, and then those that serve them."""
        for serves in (False, True):
            wave = [process for process in self.processes if process.serves is serves]
            for process in wave:
                process.ask_to_stop()
            for process in wave:
                process.stop()

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True


def _start(process: Process) -> None:
    """Start it, unless another program has its port: say so once, and leave it to the next look."""
    process.clear_away()
    waited = process.waits
    port = process.port
    process.waits = port is not None and not port.is_free(patience=0 if waited else SETTLED)
    if not process.waits:
        if waited:
            bootstrap.say(f"{process.name}: its port is free again; starting it")
        process.start()
    elif port is not None and not waited:
        bootstrap.say(
            f"{process.name} cannot start: port {port.number} is taken by another program."
            f" {port.how_to_go_on()}."
        )


def _command_of(pid: int) -> list[str]:
    """Return what a process was started as; nothing where that cannot be read."""
    with suppress(OSError):
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        return raw.decode(errors="replace").split("\0")[:-1]
    said = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return said.stdout.split()


def _kill_session(pid: int) -> None:
    """Kill a process with the children it had no time to end: each leads its own session."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
