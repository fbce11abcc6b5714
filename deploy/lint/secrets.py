"""Find secrets in what git would commit: private keys, and values that look like credentials."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.state import CHECKOUT

SHAPES = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[\r\n]+[A-Za-z0-9+/=]{40}"),
    "an AWS key": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}\b"),
    "a Slack token": re.compile(r"\bxox[abpr]-[A-Za-z0-9-]{20,}"),
    "a provider's live key": re.compile(
        r"\b(?:sk|rk)_live_[A-Za-z0-9]{16,}|\bSG\.[\w-]{22}\.[\w-]{43}"
    ),
    "a password in an address": re.compile(
        r"\b(?:postgresql|postgres|rediss?|amqps?|smtps?)://[^\s:/@\"']+:(?!\{|%)[^\s@/\"'{}]{6,}@"
    ),
    "an assigned secret": re.compile(
        r"(?i)\b(?:secret_key|root_key|api_key|password|passwd|token)\b\s*[:=]\s*"
        r"[\"'](?=[^\"']*\d)(?=[^\"']*[A-Za-z])[A-Za-z0-9+/=_-]{28,}[\"']"
    ),
}
ALLOWED = re.compile(r"secrets: (?:none|made for this test)")
"""Said on a line (or the line before) whose value is no secret."""


def findings(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the kind of each thing that looks like a secret."""
    lines = text.splitlines()
    for kind, shape in SHAPES.items():
        for match in shape.finditer(text):
            number = text.count("\n", 0, match.start()) + 1
            if not any(ALLOWED.search(line) for line in lines[max(0, number - 2) : number]):
                yield number, kind


def main() -> int:
    listed = subprocess.run(
        # Listing names is harmless whoever owns the checkout (CI often checks out as another user).
        [
            "git",
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
        cwd=CHECKOUT,
        capture_output=True,
        check=True,
    ).stdout
    found = [
        f"{name}:{line}: looks like {kind}"
        for name in listed.decode().split("\0")
        if name
        for line, kind in findings(_text(CHECKOUT / name))
    ]
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (UnicodeDecodeError, OSError):
        return ""


if __name__ == "__main__":
    sys.exit(main())
