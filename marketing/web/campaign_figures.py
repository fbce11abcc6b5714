"""A run's figures as a page shows them: as far as the role sees how many people there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from accounts.models import User
from contacts.segments import counts
from contacts.segments.counts import Shown as Told
from marketing.campaigns import figures, trial
from marketing.campaigns.figures import Figures
from marketing.campaigns.models import Run
from marketing.web.workflow_figures import Teller, teller
from messaging import reasons

ROUTES = {"mail": "By mail, over verified TLS", "portal": "For pickup from the portal",
          "text": "By text message"}  # fmt: skip
Tell = Callable[[str, int], Told]
"""Tells a count by what it counts."""
GROUP_NAMES = {"rest": "The rest", "hold": "Held out"}


@dataclass(slots=True)
class Shown:
    """Everything of a run that this role may read. Counts are texts."""

    run: Run
    exact: bool
    stats: list[tuple[str, str, str]] = field(default_factory=list)
    groups: list[dict[str, str]] = field(default_factory=list)
    refusals: list[tuple[str, str, str, str]] = field(default_factory=list)
    failures: list[tuple[str, str, str, str]] = field(default_factory=list)
    routes: list[tuple[str, str]] = field(default_factory=list)
    effect: dict[str, Any] | None = None


def _teller(run: Run, user: User) -> Teller:
    return teller(run.classes, user, "run", str(run.id))


def line(run: Run, user: User) -> dict[str, Any]:
    """Return what the list of runs says of one."""
    found, tell = figures.read(run), _teller(run, user)
    sent = found.of_state("sent")
    if run.frozen_at:
        tell.ask({("", "Audience"): run.audience, ("", "Sent"): sent})
    return {
        "run": run,
        "audience": str(tell("", "Audience", run.audience)) if run.frozen_at else "",
        "sent": str(tell("", "Sent", sent)) if run.frozen_at else "",
    }


def of(run: Run, user: User) -> Shown:
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
    shown.routes = [
        (ROUTES.get(one, one or "—"), said(f"route {one}", count))
        for one, count in found.routes.items()
    ]
    shown.effect = _effect(found, tell)
    return shown


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
