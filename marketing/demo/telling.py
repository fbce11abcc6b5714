"""The demo on a terminal: plain lines, aligned figures, nothing that a pipe would garble."""

from __future__ import annotations

from collections.abc import Sequence

from marketing.demo.figures import Check, Missed
from workflows.funnel import StepCount

WIDE = 24
TITLES = {
    "educate": "Education mail",
    "clicked": "Wait for a click, 3 days",
    "invite": "Invitation to a class",
    "remind": "Reminder in plain words",
    "end": "End",
}
WAYS = {"heard": "clicked", "unheard": "silent", "next": "went on"}


def steps(counts: Sequence[StepCount]) -> list[str]:
    """Return the funnel, a bar for each step."""
    most = max((one.arrived for one in counts), default=0)
    return [_step(one, most) for one in counts]


def _step(one: StepCount, most: int) -> str:
    bar = "█" * (-(-WIDE * one.arrived // most) if most else 0)
    title = TITLES.get(one.node, one.node)
    return f"  {title:<26}{one.arrived:>5}  {bar:<{WIDE}}  {_detail(one)}".rstrip()


def _detail(one: StepCount) -> str:
    said = []
    if one.kind == "send":
        said = [f"{count} {state}" for state, count in one.mail.most_common()]
    elif one.kind != "exit":
        said = [f"{count} {WAYS.get(way, way)}" for way, count in sorted(one.ways.items())]
    if one.inside:
        said.append(f"{one.inside} inside")
    return ", ".join(said)


def missed(groups: Sequence[Missed]) -> list[str]:
    lines = []
    for one in groups:
        lines.append(f"  {one.count:>5}  {one.code:<24}{one.sentence}")
        if one.remedy:
            lines.append(f"  {'':>5}  {'':<24}→ {one.remedy}")
    return lines or ["      0  nobody was turned away"]


def checks(found: Sequence[Check]) -> list[str]:
    return [f"  {'✓' if one.holds else '✗'} {one.sentence}" for one in found]
