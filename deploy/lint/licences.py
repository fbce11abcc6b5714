"""Check that every run-time dependency has a licence that a self-hosting clinic can accept."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from deploy.state import CHECKOUT

FREE = frozenset(
    {
        *("mit", "mit license", "mit-0", "mit-cmu", "isc", "0bsd", "zlib", "unlicense", "psf-2.0"),
        *("apache-2.0", "apache 2.0", "apache license 2.0", "apache software license"),
        *("apache license, version 2.0", "bsd", "bsd license", "bsd-2-clause", "bsd-3-clause"),
        *("3-clause bsd", "bsd 3-clause", "new bsd", "python software foundation license"),
        *("the unlicense (unlicense)", "isc license (iscl)", "cc0-1.0", "postgresql", "mpl-2.0"),
        *("mozilla public license 2.0 (mpl 2.0)", "public domain", "unicode-3.0", "openssl"),
        *("zpl-2.1", "lgpl-3.0-only", "lgplv3+"),
        "gnu lesser general public license v3 (lgplv3)",
    }
)
"""LGPL is fine for a library that is installed beside us and can be replaced (psycopg)."""

NAMED = re.compile(r"^([A-Za-z0-9_.-]+)==", re.MULTILINE)
READ_BY_US: Mapping[str, str] = {"pyphen": "LGPLv3+"}
"""Packages whose metadata says nothing usable, with the licence that their files bear; pyphen's
three are ours to choose from, and its LGPL is of version 2 or any later."""


def licences(package: Distribution) -> list[str]:
    """Return what the package says of itself: expression, else classifiers, else free text."""
    metadata = package.metadata
    if "License-Expression" in metadata:
        return _split(metadata["License-Expression"])
    classifiers = metadata.get_all("Classifier") or []
    named = [c.rsplit(" :: ", 1)[1] for c in classifiers if c.startswith("License :: ")]
    told = [name for name in named if name != "OSI Approved"]
    return told or _split((metadata.get_all("License") or ["nothing"])[0])


def _split(said: str) -> list[str]:
    """Take an expression or a line of text apart; each part must be accepted."""
    line = said.splitlines()[0]
    return [part for part in re.split(r"\s+(?:AND|OR|WITH)\s+|[()]", line) if part.strip()]


def problems(names: list[str]) -> Iterator[str]:
    for name in names:
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform or Python
        said = [READ_BY_US[name]] if name in READ_BY_US else licences(package)
        if not all(word.strip().lower() in FREE for word in said):
            yield f"{name}: {', '.join(said)} is not on the list of accepted licences"


def main() -> int:
    names = NAMED.findall((CHECKOUT / "requirements" / "run.txt").read_text())
    found = list(problems(names))
    sys.stdout.write("".join(f"{line}\n" for line in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
