"""What servers say, by what it means: the table in phrases.toml, and how it is looked up."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from messaging.bounces.verdict import Class


@dataclass(frozen=True, slots=True)
class Operator:
    """A mailbox provider or gateway that means something of its own by its words or codes."""

    name: str
    ends: tuple[str, ...]
    says: Mapping[Class, re.Pattern[str]]
    codes: Mapping[str, Class]

    def runs(self, host: str) -> bool:
        return bool(host) and any(("." + host).endswith(end) for end in self.ends)

    def meaning(self, words: str) -> Class | None:
        for code, kind in self.codes.items():
            if re.search(rf"(?<![a-z0-9]){re.escape(code.lower())}(?![a-z0-9])", words):
                return kind
        return next((kind for kind, said in self.says.items() if said.search(words)), None)


@cache
def table() -> dict[str, Any]:
    found = files("messaging.bounces").joinpath("phrases.toml").read_text("utf-8")
    return tomllib.loads(found)


def _pattern(phrases: Iterable[str]) -> re.Pattern[str]:
    """Return one pattern of many phrases; `*` stands for anything within 300 characters."""
    return re.compile(
        "|".join(r".{0,300}?".join(map(re.escape, one.split("*"))) for one in phrases), re.DOTALL
    )


@cache
def says() -> Mapping[Class, re.Pattern[str]]:
    gathered, also = table()["says"], table()["also"]
    names = {**gathered, **also}
    return {Class(name): _pattern([*gathered.get(name, ()), *also.get(name, ())]) for name in names}


@cache
def outright() -> Mapping[Class, re.Pattern[str]]:
    return {Class(name): _pattern(phrases) for name, phrases in table()["nobody"].items()}


def said_outright(words: str) -> Class | None:
    """Return what the words say of the mailbox whichever command they answer."""
    return next((kind for kind, pattern in outright().items() if pattern.search(words)), None)


@cache
def operators() -> tuple[Operator, ...]:
    return tuple(
        Operator(
            one["name"],
            tuple("." + end.lstrip(".") for end in one["ends"]),
            {Class(name): _pattern(each) for name, each in one.get("says", {}).items()},
            {code: Class(name) for code, name in one.get("codes", {}).items()},
        )
        for one in table()["at"]
    )


def said(kind: Class, words: str) -> bool:
    """Say whether the words, in lower case, hold a phrase of this class."""
    return bool(says()[kind].search(words)) if kind in says() else False


def operator_of(*hosts: str) -> Operator | None:
    return next((one for one in operators() for host in hosts if one.runs(host)), None)
