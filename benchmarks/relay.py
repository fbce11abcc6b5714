"""Something to send into: a Postfix of this run's own where the machine has one, or a sink.

Postfix keeps every mail on its disk before it agrees and then throws it away (`discard`): what it
costs to hand a mail to a real relay, without the network behind it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PLACES = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
MAIN = """\
compatibility_level = 3.6
queue_directory = {home}/spool
data_directory = {home}/data
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = bench.example
mydestination =
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
default_transport = discard
maillog_file = {home}/data/mail.log
maillog_file_prefixes = /var
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True)
class Target:
    """Where mails go, and what it is."""

    port: int
    kind: str


def found(program: str) -> str | None:
    return shutil.which(program, path=PLACES)


@contextmanager
def listening() -> Iterator[Target]:
    """Start what this machine has, wait until it answers, and end it afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    if found("postfix") and found("smtp-source") and os.geteuid() == 0:
        with postfix(port):
            yield Target(port, "postfix")
    else:
        with _sink(port):
            yield Target(port, "sink")


@contextmanager
def postfix(port: int, *, further: str = "") -> Iterator[Path]:
    """Run a Postfix of one's own with `further` lines of main.cf; yield its folder.

    Its log is `data/mail.log` there, `config` is what `postfix -c` takes.
    """
    home = Path(tempfile.mkdtemp(prefix="attune-postfix-", dir="/var/tmp"))
    home.chmod(0o755)
    for name in ("config", "spool", "data"):
        (home / name).mkdir(mode=0o755)
    owner = pwd.getpwnam("postfix")
    os.chown(home / "data", owner.pw_uid, owner.pw_gid)
    (home / "config" / "main.cf").write_text(MAIN.format(home=home) + further)
    (home / "config" / "master.cf").write_text(MASTER.format(port=port))
    command = [str(found("postfix")), "-c", str(home / "config")]
    try:
        subprocess.run([*command, "start"], check=True, capture_output=True)
        _await(port)
        yield home
    finally:
        subprocess.run([*command, "stop"], check=False, capture_output=True)
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _sink(port: int) -> Iterator[None]:
    """Run Postfix's smtp-sink, or a sink of our own in another process."""
    program = found("smtp-sink")
    command = [sys.executable, "-m", "benchmarks.relay", str(port)]
    if program:
        command = [program, "-u", "nobody", f"127.0.0.1:{port}", "1000"]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _await(port)
        yield
    finally:
        child.terminate()
        child.wait(10)


def _await(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("nothing listens to send into")


def _serve(port: int) -> None:
    """Be a sink: agree to everything, keep nothing."""
    with socket.create_server(("127.0.0.1", port)) as server:
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_swallow, args=[connection], daemon=True).start()


def _swallow(connection: socket.socket) -> None:
    with connection, connection.makefile("rwb") as file:
        file.write(b"220 sink\r\n")
        file.flush()
        in_data = False
        for line in file:
            if in_data and line != b".\r\n":
                continue
            in_data = line == b"DATA\r\n"
            hello = line.startswith(b"EHLO")
            answer = b"354 go on\r\n" if in_data else b"250 fine\r\n"
            file.write(b"250-sink\r\n250 PIPELINING\r\n" if hello else answer)
            file.flush()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
