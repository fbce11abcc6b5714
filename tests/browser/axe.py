"""Ask axe-core what a page does to people who cannot see or point."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

SERIOUS = frozenset({"serious", "critical"})
ALSO = frozenset({"landmark-unique"})
"""Rules that axe takes for moderate: whoever jumps between landmarks goes by their names."""


def findings(page: Page) -> list[str]:
    """Return the serious findings as sentences: which rule, where, and why."""
    page.evaluate(_script())
    result: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {node['target']}: {node['failureSummary']}"
        for violation in result["violations"]
        if violation["impact"] in SERIOUS or violation["id"] in ALSO
        for node in violation["nodes"]
    ]


@cache
def _script() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
