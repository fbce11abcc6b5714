"""A run's figures as a page shows them: as far as the role sees how many people there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from accounts.models import User
from contacts.segments import counts
from marketing.campaigns import figures, trial
from marketing.campaigns.figures import Figures
from marketing.campaigns.models import Run
from messaging import reasons

ROUTES = {"mail": "By mail, over verified TLS", "portal": "For pickup from the portal"}
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


def exact(run: Run, user: User) -> bool:
    return counts.exact_for(run.classes, user.data_classes)


def line(run: Run, user: User) -> dict[str, Any]:
    """Return what the list of runs says of one."""
    found, plain = figures.read(run), exact(run, user)
    return {
        "run": run,
        "audience": counts.said(run.audience, exact=plain) if run.frozen_at else "",
        "sent": counts.said(found.of_state("sent"), exact=plain) if run.frozen_at else "",
    }


def of(run: Run, user: User) -> Shown:
    found, plain = figures.read(run), exact(run, user)
    shown = Shown(run, plain)

    def said(count: int) -> str:
        return counts.said(count, exact=plain) if count or plain else "none"

    shown.stats = _stats(run, found, said)
    shown.groups = _groups(run, found, said)
    shown.refusals = _reasons(found.refusals, said)
    shown.failures = _reasons(found.failures, said)
    shown.routes = [
        (ROUTES.get(one, one or "—"), said(count)) for one, count in found.routes.items()
    ]
    shown.effect = _effect(found, said)
    return shown


def _stats(run: Run, found: Figures, said: Any) -> list[tuple[str, str, str]]:
    held = found.held_out + found.barred
    return [
        ("Audience", said(run.audience), ""),
        ("Sent", said(found.of_state("sent")), ""),
        ("Not permitted", said(found.of_state("refused")), ""),
        ("Failed or unclear", said(found.of_state("failed", "unknown", "deferred")), ""),
        ("Opened", said(found.people("opened")), _machines(found, "opened", said)),
        ("Clicked", said(found.people("clicked")), _machines(found, "clicked", said)),
        ("Unsubscribed", said(found.people("unsubscribed")), ""),
        *([("Held out", said(held), "")] if held else []),
    ]


def _machines(found: Figures, kind: str, said: Any) -> str:
    programs = found.people(f"{kind}_by_machines")
    return f"programs: {said(programs)}" if programs else ""


def _groups(run: Run, found: Figures, said: Any) -> list[dict[str, str]]:
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
                "sent": said(sent),
                "opened": said(did.get("opened", 0)),
                "clicked": said(did.get("clicked", 0)),
                "share": _share(did.get(run.campaign.trial_by[8:], 0), sent, name),
                "won": "won" if name == run.winner else "",
            }
        )
    return lines


def _share(did: int, sent: int, name: str) -> str:
    """Return the share with its interval; held back where so few people would show through."""
    if sent < 10 * counts.SMALLEST:
        return "too few to say"
    group = trial.Group(name, sent, did)
    interval = trial.wilson(group)
    return f"{group.share:.1%} ({interval.low:.1%} to {interval.high:.1%})"


def _reasons(found: dict[str, int], said: Any) -> list[tuple[str, str, str, str]]:
    rows = []
    for code, count in sorted(found.items(), key=lambda one: (-one[1], one[0])):
        why = reasons.explain(code)
        rows.append((code, why.sentence if why else code, why.remedy if why else "", said(count)))
    return rows


def _effect(found: Figures, said: Any) -> dict[str, Any] | None:
    effect = figures.effect(found)
    if effect is None:
        return None
    if min(effect.written.size, effect.hold.size) < 10 * counts.SMALLEST:
        return {"too_few": True}
    low, high = effect.interval.low, effect.interval.high
    return {
        "written": f"{effect.written.share:.1%} of {said(effect.written.size)}",
        "hold": f"{effect.hold.share:.1%} of {said(effect.hold.size)}",
        "gap": f"{effect.gap * 100:+.1f}",
        "low": f"{low * 100:+.1f}",
        "high": f"{high * 100:+.1f}",
        "clear": low > 0 or high < 0,
    }
