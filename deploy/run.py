"""`make run`: everything from nothing, a sample clinic with its journey under way.

1. the state folder and its secrets     4. the sample's seed
2. PostgreSQL, the broker               5. mailbox, phones, web, workers, scheduler
3. the schema; the front end beside it  6. the address and a one-time link

Every step finds what an earlier run left and keeps it, so a second run takes seconds.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.bootstrap import say
from deploy.installation import Installation
from deploy.state import CHECKOUT, make_state_folder
from deploy.supervisor import Process, Supervisor

PATIENCE = 60.0
"""Seconds that the web server has for its first answer."""
BRIEF = 2.0
"""Seconds that the scheduler has to end: it holds nothing, and on a busy machine spends longer than
that on clearing away what it had imported."""


def main() -> None:
    began = time.monotonic()
    installation = Installation(make_state_folder())
    with only_one(installation):
        supervisor = Supervisor(
            processes(installation), [installation.postgres.start, installation.broker.start]
        )
        try:
            prepare(installation)
            supervisor.start()
            insist_on_web(supervisor)
            wait_for_web(installation)
            announce(installation, seconds=time.monotonic() - began)
            supervisor.watch()
        finally:
            say("stopping ...")
            supervisor.stop()
            installation.broker.stop_any()
            installation.postgres.stop_any()


@contextmanager
def only_one(installation: Installation) -> Iterator[None]:
    """Refuse to run twice over one state folder."""
    with (installation.home / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(f"Attune runs here already: {installation.origin}") from None
        yield


def prepare(installation: Installation) -> None:
    """Bring up what the processes rely on."""
    installation.start_database()
    installation.broker.start()
    installation.write_environment()
    front_end = subprocess.Popen([sys.executable, "-m", "deploy.build"], cwd=CHECKOUT)
    say("preparing the database ...")
    manage(installation, "migrate", "--verbosity", "0")
    manage(installation, "seed_sample")
    if front_end.wait():
        raise SystemExit("the front end could not be built; its message is above")


def manage(installation: Installation, *arguments: str) -> str:
    """Run a management command; its output is returned, its complaints are shown."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=CHECKOUT,
        env=os.environ | installation.environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"manage.py {arguments[0]} failed; its message is above")
    return done.stdout


def processes(installation: Installation) -> list[Process]:
    """Return the sample's processes; the workers hand over to the last two, which stop last."""
    mailbox = [sys.executable, "-m", "deploy.mailbox", str(installation.mailbox.folder)]
    phones = [sys.executable, "-m", "deploy.phone", str(installation.phone.folder)]
    commands = {
        **programs(web_port=installation.web_port),
        "mailbox": [*mailbox, str(installation.mailbox.port)],
        "phones": [*phones, str(installation.phone.port)],
    }
    made = [_process(installation, name, command) for name, command in commands.items()]
    for process in made:
        process.serves = process.name in ("mailbox", "phones")
        process.port = installation.ports.get(process.name)
        if process.name == "scheduler":
            process.patience = BRIEF
    return made


def programs(*, web_port: int) -> dict[str, list[str]]:
    """Return the product's own programs, the same in the sample and in production."""
    celery = [sys.executable, "-m", "celery", "-A", "marketing.celery", "--quiet"]
    worker = [*celery, "worker", "--pool", "prefork"]
    return {
        "web": web_server(port=web_port),
        "scheduler": [*celery, "beat", "--scheduler", "celery.beat:Scheduler"],
        "worker": [*worker, "--concurrency", "2", "-Q", "celery", "-n", "worker@%h"],
        "prompt": [*worker, "--concurrency", "1", "-Q", "prompt", "-n", "prompt@%h"],
    }


def web_server(*, port: int) -> list[str]:
    """Return the command of the web server, of the shape that README.md names."""
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    return [*command, "--workers", "2", "--blocking-threads", "8", "marketing.wsgi:application"]


def _process(installation: Installation, name: str, command: list[str]) -> Process:
    logs, pids = _folder(installation.home / "logs"), _folder(installation.home / "pids")
    return Process(
        name=name,
        command=command,
        environment=installation.environment(),
        log=logs / f"{name}.log",
        pid_file=pids / f"{name}.pid",
    )


def _folder(path: Path) -> Path:
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def insist_on_web(supervisor: Supervisor) -> None:
    """Go on without mailbox and phones if need be, but not where another program would answer."""
    if any(process.waits for process in supervisor.processes if process.name == "web"):
        raise SystemExit("Attune was not started: without its web server nothing can be seen of it")


def wait_for_web(installation: Installation) -> None:
    end = time.monotonic() + PATIENCE
    while not answers(f"{installation.origin}/"):
        if time.monotonic() > end:
            log = installation.home / "logs" / "web.log"
            raise SystemExit(f"the web server does not answer; its log is {log}")
        time.sleep(0.1)


def answers(address: str) -> bool:
    """Tell whether a web server answers there, be it only with a refusal."""
    try:
        with urllib.request.urlopen(address, timeout=5):  # noqa: S310  our own address
            return True
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return refusal.code < 500
    except OSError:
        return False


def announce(installation: Installation, *, seconds: float) -> None:
    link = manage(installation, "sign_in_link").strip()
    say(f"""
Attune is ready after {seconds:.0f} s.

  Sign in (once, no password):  {link}
  Address:                      {installation.origin}/
  The patients' mailbox:        {installation.origin}/mailbox/
  The patients' phones:         {installation.origin}/phones/
  Everything it keeps:          {installation.home}

Ctrl-C stops it; the next `make run` goes on where this one ended.
""")


if __name__ == "__main__":
    main()
