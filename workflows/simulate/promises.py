"""What must hold of a simulation, kept with the workflow. Pure.

{"kind": "no_mail", "share": 0.8}           so many of those without an authorization get none
{"kind": "most_mails", "most": 2, "days": 7}    nobody gets more in any span of so many days
{"kind": "all_exit", "days": 60}            everybody is out within so many days
{"kind": "reach", "step": "invite", "share": 0.1}   so many come to this step
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from workflows.graph import Graph
from workflows.problems import Problem
from workflows.simulate.people import Person
from workflows.simulate.plan import MOST_DAYS, PlanInvalid, count_in, inner, share_in

MOST = 20


@dataclass(frozen=True, slots=True)
class Promise:
    kind: str
    share: float = 1.0
    most: int = 0
    days: int = 0
    step: str = ""

    @property
    def words(self) -> str:
        return _WORDS[self.kind].format(
            share=f"{100 * self.share:g} %", most=self.most, days=self.days, step=self.step
        )

    def stored(self) -> dict[str, Any]:
        said = {"share": self.share, "most": self.most, "days": self.days, "step": self.step}
        return {"kind": self.kind} | {key: said[key] for key in _KEYS[self.kind]}


@dataclass(frozen=True, slots=True)
class Kept:
    """Whether a promise held, and the figure that says so."""

    words: str
    held: bool
    found: str


_KEYS: Mapping[str, tuple[str, ...]] = {
    "no_mail": ("share",),
    "most_mails": ("most", "days"),
    "all_exit": ("days",),
    "reach": ("step", "share"),
}
_WORDS = {
    "no_mail": "At least {share} of people without consent get no mail",
    "most_mails": "Nobody gets more than {most} mails in {days} days",
    "all_exit": "Everybody is out within {days} days",
    "reach": "At least {share} come to step {step}",
}


def read(raw: object, graph: Graph | None = None) -> list[Promise]:
    """Return the promises, or raise PlanInvalid with every problem."""
    problems: list[Problem] = []
    if not isinstance(raw, list) or len(raw) > MOST:
        problem = Problem("promises", "bad_value", f"promises is a list of at most {MOST}")
        raise PlanInvalid([problem])
    found = [_one(f"promises[{at}]", one, problems, graph) for at, one in enumerate(raw)]
    if problems:
        raise PlanInvalid(problems)
    return found


def _one(node: str, raw: Any, problems: list[Problem], graph: Graph | None) -> Promise:
    reader = inner(raw, node, problems)
    kind = reader.take("kind")
    if not isinstance(kind, str) or kind not in _KEYS:
        reader.missing("kind", kind, f"one of {', '.join(_KEYS)}")
        return Promise("all_exit")
    keys, step = _KEYS[kind], ""
    if "step" in keys:
        step = str(reader.take("step") or "")
        if not step or (graph is not None and step not in graph.steps):
            reader.missing("step", step or None, "the name of a step")
    made = Promise(
        kind,
        share=share_in(reader, "share", 1.0) if "share" in keys else 1.0,
        most=count_in(reader, "most", default=1, least=0, most=1_000) if "most" in keys else 0,
        days=count_in(reader, "days", default=30, most=MOST_DAYS) if "days" in keys else 0,
        step=step,
    )
    reader.leftover()
    return made


def check(promises: Sequence[Promise], people: Sequence[Person]) -> list[Kept]:
    return [Kept(one.words, *_CHECKS[one.kind](one, people)) for one in promises]


def _no_mail(promise: Promise, people: Sequence[Person]) -> tuple[bool, str]:
    without = [one for one in people if not one.agreed]
    spared = sum(not one.sent for one in without)
    held = spared >= promise.share * len(without)
    return held, f"{spared:,} of {len(without):,} got none"


def _most_mails(promise: Promise, people: Sequence[Person]) -> tuple[bool, str]:
    span = timedelta(days=promise.days)
    worst = max((_densest(one, span) for one in people), default=0)
    return worst <= promise.most, f"{worst} at most"


def _densest(person: Person, span: timedelta) -> int:
    sent = person.sent
    return max((sum(at <= one < at + span for one in sent) for at in sent), default=0)


def _all_exit(promise: Promise, people: Sequence[Person]) -> tuple[bool, str]:
    span = timedelta(days=promise.days)
    late = sum(one.ended_at is None or one.ended_at - one.place.entered_at > span for one in people)
    return not late, f"{late:,} of {len(people):,} were not"


def _reach(promise: Promise, people: Sequence[Person]) -> tuple[bool, str]:
    came = sum(promise.step in (*one.place.path, one.place.node) for one in people)
    return came >= promise.share * len(people), f"{came:,} of {len(people):,} came"


_CHECKS: Mapping[str, Callable[[Promise, Sequence[Person]], tuple[bool, str]]] = {
    "no_mail": _no_mail,
    "most_mails": _most_mails,
    "all_exit": _all_exit,
    "reach": _reach,
}
