"""A run's figures as a page shows them: as far as the role sees how many people there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from contacts.segments import counts
from contacts.segments.counts import Shown as Told
from marketing.campaigns import figures, trial
from marketing.campaigns.figures import Figures
from marketing.campaigns.models import Run
from marketing.web.workflow_figures import Asker, Teller, teller
from messaging import reasons

ROUTES = {
    "mail": "By mail, over TLS",
    "smime": "By mail, S/MIME",
    "pgp": "By mail, OpenPGP",
    "portal": "For pickup from the portal",
    "text": "By text message",
}
PROVIDERS = {
    "att": "AT&T",
    "gmx": "GMX",
    "other": "All others",
}
Tell = Callable[[str, int], Told]
"""Tells a count by what it counts."""
GROUP_NAMES = {"rest": "The rest", "hold": "Held out"}


@dataclass(frozen=True, slots=True)
class Part:
    """One way, or one mailbox provider, and what became of the messages there. Counts are texts."""

    name: str
    sent: str
    returned: str
    opened: str
    opened_by_programs: str
    clicked: str
    clicked_by_programs: str


@dataclass(slots=True)
class Shown:
    """Everything of a run that this role may read. Counts are texts."""

    run: Run
    exact: bool
    stats: list[tuple[str, str, str]] = field(default_factory=list)
    groups: list[dict[str, str]] = field(default_factory=list)
    refusals: list[tuple[str, str, str, str]] = field(default_factory=list)
    failures: list[tuple[str, str, str, str]] = field(default_factory=list)
    routes: list[Part] = field(default_factory=list)
    providers: list[Part] = field(default_factory=list)
    effect: dict[str, Any] | None = None


def _teller(run: Run, user: Asker) -> Teller:
    return teller(run.classes, user, "run", str(run.id))


def line(run: Run, user: Asker) -> dict[str, Any]:
    """Return what the list of runs says of one."""
    found, tell = figures.read(run), _teller(run, user)
    sent = found.of_state("sent")
    if run.frozen_at:
        tell.ask({("", "Audience"): run.audience, ("", "Sent"): sent})
    return {
        "run": run,
        "audience": _said(tell, "Audience", run.audience) if run.frozen_at else "",
        "sent": _said(tell, "Sent", sent) if run.frozen_at else "",
    }


def _said(tell: Teller, what: str, count: int) -> str:
    return str(tell("", what, count)) if count or tell.reader.exact else "none"


def own_hour(run: Run, user: Asker) -> str:
    """Return how many were written to at an hour of their own."""
    return str(_teller(run, user)("", "at_own_hour", run.at_own_hour))


def of(run: Run, user: Asker) -> Shown:
    found, tell = figures.read(run), _teller(run, user)
    wanted: dict[tuple[str, str], int] = {}

    def noted(what: str, count: int) -> Told:
        wanted["", what] = count
        return Told(count, exact=True)

    _filled(run, found, noted, exact=True)  # what it will ask, so that it is asked at once
    tell.ask(wanted)
    return _filled(run, found, lambda what, count: tell("", what, count), exact=tell.reader.exact)


def _filled(run: Run, found: Figures, tell: Tell, *, exact: bool) -> Shown:
    shown = Shown(run, exact)

    def said(what: str, count: int) -> str:
        told = tell(what, count)
        return str(told) if count or exact else "none"

    shown.stats = _stats(run, found, said)
    shown.groups = _groups(run, found, said, tell)
    shown.refusals = _reasons(found.refusals, said)
    shown.failures = _reasons(found.failures, said)
    shown.routes = _parts("route", found.by_route, ROUTES, said)
    shown.providers = _parts("provider", found.by_provider, PROVIDERS, said)
    shown.effect = _effect(found, tell)
    return shown


def _parts(
    kind: str, table: Mapping[str, Mapping[str, int]], names: Mapping[str, str], said: Any
) -> list[Part]:
    """Return a line for each, the largest first; what was never handed over has none."""
    lines = [(one, cells) for one, cells in table.items() if one]
    lines.sort(key=lambda line: (-line[1].get("sent", 0), line[0]))
    counted = ("sent", "bounced", "opened", "opened_by_machines", "clicked", "clicked_by_machines")
    return [
        Part(
            names.get(one, one.replace("_", " ").capitalize()),
            *(said(f"{kind} {one} {what}", cells.get(what, 0)) for what in counted),
        )
        for one, cells in lines
    ]


def _stats(run: Run, found: Figures, said: Any) -> list[tuple[str, str, str]]:
    held = found.held_out + found.barred
    return [
        *_stat("Audience", run.audience, said),
        *_stat("Sent", found.of_state("sent"), said),
        *_stat("Not permitted", found.of_state("refused"), said),
        *_stat("Failed or unclear", found.of_state("failed", "unknown", "deferred"), said),
        *_stat("Opened", found.people("opened"), said, _machines(found, "opened", said)),
        *_stat("Clicked", found.people("clicked"), said, _machines(found, "clicked", said)),
        *_stat("Unsubscribed", found.people("unsubscribed"), said),
        *(_stat("Held out", held, said) if held else []),
    ]


def _stat(label: str, count: int, said: Any, note: str = "") -> list[tuple[str, str, str]]:
    return [(label, said(label, count), note)]


def _machines(found: Figures, kind: str, said: Any) -> str:
    programs = found.people(f"{kind}_by_machines")
    return f"programs: {said(f'{kind} by programs', programs)}" if programs else ""


def _groups(run: Run, found: Figures, said: Any, tell: Tell) -> list[dict[str, str]]:
    """Return a line for each group where there are several."""
    if len(run.pinned) < 2:
        return []
    lines = []
    for name in [*sorted(run.pinned), *(["rest"] if "rest" in found.groups else [])]:
        sent = found.groups.get(name, {}).get("sent", 0)
        did = found.did.get(name, {})
        lines.append(
            {
                "name": GROUP_NAMES.get(name, f"Message {name}"),
                "sent": said(f"{name} sent", sent),
                "opened": said(f"{name} opened", did.get("opened", 0)),
                "clicked": said(f"{name} clicked", did.get("clicked", 0)),
                "share": _share(
                    _group(name, sent, did.get(run.campaign.trial_by[8:], 0), run, tell)
                ),
                "won": "won" if name == run.winner else "",
            }
        )
    return lines


def _group(name: str, sent: int, did: int, run: Run, tell: Tell) -> trial.Group | None:
    """The group as it may be told: shares are worked out from what is told alone."""
    what = run.campaign.trial_by[8:]
    whole, part = tell(f"{name} sent", sent).number, tell(f"{name} {what}", did).number
    if whole is None or whole < 10 * counts.SMALLEST or part is None:
        return None
    return trial.Group(name, whole, min(part, whole))


def _share(group: trial.Group | None) -> str:
    """Return the share with its interval; held back where so few people would show through."""
    if group is None:
        return "too few to say"
    interval = trial.wilson(group)
    return f"{group.share:.1%} ({interval.low:.1%} to {interval.high:.1%})"


def _reasons(found: dict[str, int], said: Any) -> list[tuple[str, str, str, str]]:
    rows = []
    for code, count in sorted(found.items(), key=lambda one: (-one[1], one[0])):
        why = reasons.explain(code)
        told = said(f"refused {code}", count)
        rows.append((code, why.sentence if why else code, why.remedy if why else "", told))
    return rows


def _effect(found: Figures, tell: Tell) -> dict[str, Any] | None:
    if figures.effect(found) is None:
        return None
    told = {
        name: [tell(f"{name} people", size).number, tell(f"{name} came", came).number]
        for name, (size, came) in found.goal.items()
    }
    if any(one is None for pair in told.values() for one in pair):
        return {"too_few": True}
    goal = {name: [size or 0, min(came or 0, size or 0)] for name, (size, came) in told.items()}
    effect = figures.effect(Figures(goal=goal))
    if effect is None or min(effect.written.size, effect.hold.size) < 10 * counts.SMALLEST:
        return {"too_few": True}
    low, high = effect.interval.low, effect.interval.high
    return {
        "written": f"{effect.written.share:.1%} of {tell('written people', effect.written.size)}",
        "hold": f"{effect.hold.share:.1%} of {tell('hold people', effect.hold.size)}",
        "gap": f"{effect.gap * 100:+.1f}",
        "low": f"{low * 100:+.1f}",
        "high": f"{high * 100:+.1f}",
        "clear": low > 0 or high < 0,
    }


def numbers(run: Run, asker: Asker) -> dict[str, Any]:
    """Return the figures as numbers; null where a count is too small to be told."""
    found, tell = figures.read(run), _teller(run, asker)
    cells = _cells(run, found)
    tell.ask({("", what): count for what, count in cells.items()})
    told = {
        what: tell("", what, count).number if count or tell.reader.exact else None
        for what, count in cells.items()
    }
    table: dict[str, Any] = {}
    for what, number in told.items():
        *way, last = what.split("/")
        inner = table
        for step in way:
            inner = inner.setdefault(step, {})
        inner[last] = number
    return {"exact": tell.reader.exact, "as_of": run.figures_at, **table}


_DONE = ("opened", "clicked", "unsubscribed", "complained")


def _cells(run: Run, found: Figures) -> dict[str, int]:
    """Return each count under its path; people and programs stand apart."""
    cells = {
        "audience": run.audience,
        "at_own_hour": run.at_own_hour,
        "held_out": found.held_out,
        "held_out_barred": found.barred,
        "waiting": found.pending + found.of_state("queued", "claimed", "handing_over", "paused"),
        "sent": found.of_state("sent"),
        "refused": found.of_state("refused"),
        "failed": found.of_state("failed", "unknown", "deferred"),
        "cancelled": found.of_state("cancelled"),
    }
    for kind in _DONE:
        cells[f"by_people/{kind}"] = found.people(kind)
    for kind in ("opened", "clicked"):
        cells[f"by_programs/{kind}"] = found.people(f"{kind}_by_machines")
    for title, reasons_of in (("refusals", found.refusals), ("failures", found.failures)):
        cells |= {f"{title}/{code or 'none'}": count for code, count in reasons_of.items()}
    tables = (("groups", _by_group(found)), ("routes", found.by_route),
              ("providers", found.by_provider))  # fmt: skip
    for title, table in tables:
        for row, done in table.items():
            if row:
                cells |= {f"{title}/{row}/{what}": count for what, count in done.items()}
    for name, (people, came) in found.goal.items():
        cells |= {f"goal/{name}/people": people, f"goal/{name}/came": came}
    return cells


def _by_group(found: Figures) -> dict[str, dict[str, int]]:
    return {name: {**states, **found.did.get(name, {})} for name, states in found.groups.items()}


def rows(run: Run, asker: Asker) -> list[tuple[str, str, str]]:
    """Return the same for a file: what is counted, in words where there are any, and how many."""
    lines: list[tuple[str, str, str]] = []

    def walk(way: tuple[str, ...], table: Mapping[str, Any]) -> None:
        for name, value in table.items():
            if isinstance(value, Mapping):
                walk((*way, name), value)
            else:
                lines.append((" / ".join((*way, name)), _meant(way, name), _text(value)))

    told = numbers(run, asker)
    walk((), {name: value for name, value in told.items() if name not in ("exact", "as_of")})
    return lines


def _meant(way: tuple[str, ...], name: str) -> str:
    why = reasons.explain(name) if way in (("refusals",), ("failures",)) else None
    return why.sentence if why else ""


def _text(value: int | None) -> str:
    return "held back" if value is None else str(value)
