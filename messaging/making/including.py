"""Put shared blocks into a template before it is compiled. Pure.

    <mj-include path="footer" />              the block stands here
    <mj-layout path="clinic">…</mj-layout>    the layout stands around; its <mj-slot /> is filled

A block's line breaks become blanks, so every line of the template keeps its number, and what is
wrong inside a block is told at the line that includes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from messaging.sandbox import Problem

DEEPEST = 4
LONGEST = 256_000
INCLUDE = re.compile(
    r"<mj-include\s+path=(?:\"([\w-]*)\"|'([\w-]*)')\s*(?:/>|>\s*</mj-include\s*>)", re.IGNORECASE
)
LAYOUT = re.compile(r"<mj-layout\s+path=(?:\"([\w-]*)\"|'([\w-]*)')\s*>", re.IGNORECASE)
_ENDS = re.compile(r"</mj-layout\s*>", re.IGNORECASE)
SLOT = re.compile(r"<mj-slot\s*(?:/>|>\s*</mj-slot\s*>)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Block:
    """The published version of a block that a template compiled now would hold."""

    slug: str
    number: int
    mjml: str
    declared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Included:
    """The whole source, and which version of which block stands in it."""

    mjml: str
    blocks: tuple[Block, ...]
    problems: tuple[Problem, ...]


def named(mjml: str) -> frozenset[str]:
    """Return the slugs that a source includes itself."""
    layout = LAYOUT.search(mjml)
    found = [*INCLUDE.finditer(mjml), *([layout] if layout else [])]
    return frozenset(match[1] or match[2] or "" for match in found)


def included(mjml: str, blocks: Mapping[str, Block]) -> Included:
    """Return the source with every block in its place."""
    work = _Including(blocks)
    whole = work.layout(mjml)
    for _ in range(DEEPEST):
        if not INCLUDE.search(whole) or len(whole) > LONGEST:
            break
        work.source = whole
        whole = INCLUDE.sub(work.block, whole)
    if INCLUDE.search(whole) and not work.problems:
        work.complain(
            whole, INCLUDE.search(whole), f"Blocks include each other over {DEEPEST} deep."
        )
    if len(whole) > LONGEST:
        work.problems.append(Problem("mjml", 1, "The blocks make this part too long."))
    used = tuple(sorted(work.used.values(), key=lambda block: block.slug))
    return Included(whole, used, tuple(work.problems))


class _Including:
    def __init__(self, blocks: Mapping[str, Block]) -> None:
        self.blocks = blocks
        self.used: dict[str, Block] = {}
        self.problems: list[Problem] = []
        self.source = ""

    def complain(self, source: str, match: re.Match[str] | None, message: str) -> None:
        line = source.count("\n", 0, match.start()) + 1 if match else 1
        self.problems.append(Problem("mjml", line, message))

    def layout(self, source: str) -> str:
        match = LAYOUT.search(source)
        end = next(reversed([*_ENDS.finditer(source, match.end())]), None) if match else None
        if match is None or end is None:
            return source
        block = self._found(match, source)
        if block is None:
            return ""
        if len(SLOT.findall(block.mjml)) != 1:
            self.complain(source, match, f"The layout {block.slug!r} needs one <mj-slot />.")
            return ""
        before, after = SLOT.split(_one_line(block.mjml))
        inside = source[match.end() : end.start()]
        return source[: match.start()] + before + inside + after + source[end.end() :]

    def block(self, match: re.Match[str]) -> str:
        block = self._found(match, self.source)
        return _one_line(block.mjml) if block else ""

    def _found(self, match: re.Match[str], source: str) -> Block | None:
        slug = match[1] or match[2] or ""
        block = self.blocks.get(slug)
        if block is None:
            known = ", ".join(sorted(self.blocks)) or "none published yet"
            self.complain(source, match, f"There is no block {slug!r}; there is {known}.")
            return None
        self.used[slug] = block
        return block


def _one_line(mjml: str) -> str:
    return " ".join(mjml.split("\n"))
