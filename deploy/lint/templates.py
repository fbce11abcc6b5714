"""Check the page templates: what the content security policy would block, and what CSRF needs.

- no inline style, script or event handler      - no asset from another site
- every {% url %} names an address that exists   - every POST form carries the CSRF token
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.state import CHECKOUT

PUBLIC = (Path("templates/messaging"), Path("templates/public"))
"""Patients' pages: the token in the link authorises, no cookie does, so there is none to forge."""
FOLDERS = ("templates", *(f"{app}/templates" for app in ("accounts", "messaging", "marketing")))
INLINE = re.compile(r"<[a-z][^>]*\s(style|on[a-z]+)\s*=", re.IGNORECASE)
INLINE_BLOCK = re.compile(
    r"<style\b|<script(?![^>]*\ssrc=)(?![^>]*type=\"application/json\")", re.I
)
FOREIGN = re.compile(
    r"<(?:script|img|link|iframe|source|video|audio)\b[^>]*(?:src|href)\s*=\s*[\"']?(?:https?:)?//",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"{%\s*url\s+['\"]([^'\"]+)['\"]")
FORM = re.compile(r"<form\b[^>]*method\s*=\s*[\"']?post.*?</form>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Problem:
    path: Path
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.sentence}"


def problems(path: Path, text: str, *, names: frozenset[str]) -> Iterator[Problem]:
    """Yield what is wrong with one template; `names` are the URL names there are."""
    for pattern, sentence in (
        (INLINE, "an inline style or event handler is blocked by the policy; use a class"),
        (INLINE_BLOCK, "an inline style or script block is blocked by the policy; use a file"),
        (FOREIGN, "nothing is loaded from another site"),
    ):
        yield from (Problem(path, _line(text, m.start()), sentence) for m in pattern.finditer(text))
    for match in ADDRESS.finditer(text):
        if match[1] not in names:
            yield Problem(path, _line(text, match.start()), f"no address is named {match[1]}")
    for match in FORM.finditer(text):
        if "csrf_token" not in match[0] and not set(PUBLIC) & set(path.parents):
            yield Problem(path, _line(text, match.start()), "a POST form lacks {% csrf_token %}")


def main() -> int:
    names = _names()
    found = [
        problem
        for folder in FOLDERS
        for path in sorted((CHECKOUT / folder).rglob("*.html"))
        for problem in problems(path.relative_to(CHECKOUT), path.read_text(), names=names)
    ]
    for problem in found:
        sys.stdout.write(f"{problem}\n")
    return 1 if found else 0


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _names() -> frozenset[str]:
    """Return every URL name, with its namespaces."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.urls import URLPattern, URLResolver, get_resolver

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
                yield from walk(pattern.url_patterns, inner)
            elif pattern.name:
                yield prefix + pattern.name

    return frozenset(walk(get_resolver().url_patterns, ""))


if __name__ == "__main__":
    sys.exit(main())
