"""A report's figures as the reader may be told them: the same for the page, the file and the API.

Every count goes through one teller (docs/decisions/counts-are-blurred.md). The figures are gone
through twice, first to note what will be asked, so that all of it is told with two statements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from contacts.segments.counts import SMALLEST, Shown
from contacts.segments.references import CLINICAL_KINDS
from marketing.campaigns import trial
from marketing.campaigns.trial import Group, Interval
from marketing.reports import figures, goals
from marketing.reports.cohort import Cohort
from marketing.reports.figures import MessageLine, Spell, StepLine, Totals
from marketing.web.workflow_figures import Teller, classes_of
from workflows.models import WorkflowVersion

Say = Callable[[str, str, int], Shown]
"""Tells a count by its step and what is counted there."""
ENOUGH = 10 * SMALLEST
"""Below so many told people, a share of blurred counts would say more of the blur than of them."""
STATES = {
    "sent": ("sent",),
    "refused": ("refused",),
    "failed": ("failed", "unknown", "cancelled"),
    "waits": ("queued", "paused", "claimed", "handing_over", "deferred"),
}
DID = ("opened", "clicked", "replied", "bounced", "unsubscribed", "complained")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader chose. `members` are the segment's of now, None where none is chosen."""

    version: WorkflowVersion
    since: datetime | None = None
    segment: UUID | None = None
    segment_classes: frozenset[str] = frozenset()
    members: Sequence[int] | None = None
    goal: str = ""
    about: UUID | None = None
    days: int = 30
    unit: str = "week"

    @property
    def cohort(self) -> Cohort:
        return Cohort(self.version, self.since)

    @property
    def classes(self) -> set[str]:
        """What the counts may say of a person."""
        clinical = {"clinical"} if self.goal.startswith(CLINICAL_KINDS) else set()
        return classes_of(self.version) | self.segment_classes | clinical

    @property
    def question(self) -> tuple[object, ...]:
        """As the workflow's own page asks it, where nothing narrows it: then the figures agree."""
        if self.since is None and self.segment is None:
            return ("workflow", str(self.version.id))
        since = self.since.isoformat() if self.since else ""
        return ("workflow report", str(self.version.id), since, str(self.segment or ""))

    @property
    def at_will(self) -> bool:
        """Whether the reader put the question together, so that its answers are rationed."""
        own = {one.event for one in goals.of_graph(self.cohort)}
        return self.since is not None or self.segment is not None or self.goal not in {"", *own}


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % interval; no share where so few people would show through."""

    of: Shown
    did: Shown
    share: float | None = None
    interval: Interval | None = None

    def __str__(self) -> str:
        if self.share is None or self.interval is None:
            return "too few to say"
        return f"{self.share:.1%} ({self.interval.low:.1%} to {self.interval.high:.1%})"


@dataclass(frozen=True, slots=True)
class ToldTotals:
    label: str
    entered: Shown
    reached: Shown
    engaged: Shown
    came: Shown
    day: date | None = None


@dataclass(frozen=True, slots=True)
class ToldMessage:
    step: str
    states: Mapping[str, Shown]
    people: Mapping[str, Shown]
    programs: Mapping[str, Shown]
    links: Mapping[str, Shown]
    opened: Rate
    clicked: Rate


@dataclass(frozen=True, slots=True)
class ToldStep:
    node: str
    arrived: Shown
    passed: Shown
    inside: Shown
    left: Shown
    lost: float | None
    """The share of those who came that left here before the end; None where too few came."""
    reasons: Mapping[str, Shown]
    spell: Spell | None


@dataclass(frozen=True, slots=True)
class ToldArm:
    node: str
    way: str
    hold: bool
    rate: Rate


@dataclass(frozen=True, slots=True)
class ToldEffect:
    """One split with a hold-out. No effect where too few people would show through."""

    node: str
    effect: goals.Effect | None

    @property
    def clear(self) -> bool:
        """Whether chance alone does not explain it, at the 5 % level."""
        return bool(self.effect and (self.effect.interval.low > 0 or self.effect.interval.high < 0))


@dataclass(slots=True)
class Told:
    exact: bool
    totals: ToldTotals
    messages: list[ToldMessage] = field(default_factory=list)
    steps: list[ToldStep] = field(default_factory=list)
    periods: list[ToldTotals] = field(default_factory=list)
    segments: list[ToldTotals] = field(default_factory=list)
    conversion: Rate | None = None
    arms: list[ToldArm] = field(default_factory=list)
    effects: list[ToldEffect] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Counted:
    totals: Totals
    messages: list[MessageLine]
    steps: list[StepLine]
    periods: dict[date, Totals]
    segments: tuple[Totals, Totals] | None
    conversion: goals.Conversion | None


def tell(asked: Asked, teller: Teller, *, zone: ZoneInfo) -> Told:
    """Count what was asked for, and tell it. `teller` must be of `asked.classes`."""
    counted = _count(asked, zone)
    wanted: dict[tuple[str, str], int] = {}

    def noted(node: str, what: str, count: int) -> Shown:
        wanted[node, what] = count
        return Shown(count, exact=True)

    _filled(asked, counted, noted, exact=True)
    teller.ask(wanted)
    return _filled(asked, counted, teller, exact=teller.reader.exact)


def _count(asked: Asked, zone: ZoneInfo) -> _Counted:
    cohort = asked.cohort
    narrowed = Cohort(asked.version, asked.since, asked.members)
    periods = figures.over_time(narrowed, unit=asked.unit, zone=zone)
    return _Counted(
        figures.totals(periods.values()),
        figures.messages(narrowed),
        figures.steps(narrowed),
        periods,
        None if asked.members is None else figures.by_segment(cohort, asked.members),
        goals.conversion(narrowed, goal=asked.goal, about=asked.about, days=asked.days)
        if asked.goal
        else None,
    )


def _filled(asked: Asked, counted: _Counted, say: Say, *, exact: bool) -> Told:
    told = Told(exact, _totals("Everybody", counted.totals, say, ""))
    told.messages = [_message(one, say, exact=exact) for one in counted.messages]
    told.steps = [_step(one, say, exact=exact) for one in counted.steps]
    told.periods = [
        _totals(f"{day:%b} {day.day}, {day:%Y}", found, say, f"{asked.unit} {day} ", day)
        for day, found in counted.periods.items()
    ]
    if counted.segments is not None:
        names = ("In the segment", "Not in it")
        pairs = zip(names, counted.segments, strict=True)
        told.segments = [_totals(name, one, say, f"{name} ") for name, one in pairs]
    if counted.conversion is not None:
        _convert(asked, counted.conversion, told, say, exact=exact)
    return told


def _totals(label: str, found: Totals, say: Say, at: str, day: date | None = None) -> ToldTotals:
    return ToldTotals(
        label,
        say("", f"{at}entered", found.entered),
        say("", f"{at}reached by mail", found.reached),
        say("", f"{at}engaged", found.engaged),
        say("", f"{at}came", found.came),
        day,
    )


def _message(line: MessageLine, say: Say, *, exact: bool) -> ToldMessage:
    states = {
        name: say(line.step, f"mail {name}", sum(line.states[one] for one in those))
        for name, those in STATES.items()
    }
    people = {one: say(line.step, one, line.people[one]) for one in DID}
    programs = {one: say(line.step, f"{one} by programs", line.programs[one]) for one in DID[:2]}
    links = {
        link: say(line.step, f"link {link}", many) for link, many in line.links.most_common(20)
    }
    opened = rate("opened", states["sent"], people["opened"], exact=exact)
    clicked = rate("clicked", states["sent"], people["clicked"], exact=exact)
    return ToldMessage(line.step, states, people, programs, links, opened, clicked)


def _step(line: StepLine, say: Say, *, exact: bool) -> ToldStep:
    arrived = say(line.node, "arrived", line.arrived)
    passed = say(line.node, "passed", line.ways.total())
    left = say(line.node, "lost", line.left.total())
    reasons = {
        code: say(line.node, f"left {code}", many) for code, many in line.left.most_common(20)
    }
    lost = rate("left", arrived, left, exact=exact).share
    spell = line.spell if exact or (passed.number or 0) >= ENOUGH else None
    inside = say(line.node, "inside", line.inside)
    return ToldStep(line.node, arrived, passed, inside, left, lost, reasons, spell)


def _convert(asked: Asked, found: goals.Conversion, told: Told, say: Say, *, exact: bool) -> None:
    """Shares, intervals and the effect are worked out from what is told alone."""
    about = f"{asked.goal} {asked.about or ''} in {asked.days} "
    told.conversion = _rate_of(found.everybody, say, "", about, exact=exact)
    for split in found.trials:
        rates = {
            arm.way: _rate_of(arm.group, say, split.node, f"{about}{arm.way} ", exact=exact)
            for arm in split.arms
        }
        told.arms += [ToldArm(split.node, one.way, one.hold, rates[one.way]) for one in split.arms]
        if any(arm.hold for arm in split.arms):
            groups = {arm.way: _group(rates[arm.way], exact=exact) for arm in split.arms}
            held = [groups[arm.way] for arm in split.arms if arm.hold]
            written = [groups[arm.way] for arm in split.arms if not arm.hold]
            told.effects.append(ToldEffect(split.node, _effect(written, held)))


def _effect(written: Sequence[Group | None], held: Sequence[Group | None]) -> goals.Effect | None:
    one, other = _together("written", written), _together("hold", held)
    return goals.effect(one, other) if one is not None and other is not None else None


def _together(name: str, groups: Sequence[Group | None]) -> Group | None:
    known = [one for one in groups if one is not None]
    if len(known) < len(groups):
        return None
    return Group(name, sum(one.size for one in known), sum(one.did for one in known))


def _rate_of(group: Group, say: Say, node: str, about: str, *, exact: bool) -> Rate:
    of, did = say(node, f"{about}of", group.size), say(node, f"{about}came", group.did)
    return rate(group.name, of, did, exact=exact)


def rate(name: str, of: Shown, did: Shown, *, exact: bool) -> Rate:
    """Return the share of told counts, with Wilson's interval."""
    if not of.number or did.number is None or (not exact and of.number < ENOUGH):
        return Rate(of, did)
    group = Group(name, of.number, min(did.number, of.number))
    return Rate(of, did, group.share, trial.wilson(group))


def _group(found: Rate, *, exact: bool) -> Group | None:
    """The group as it may be told; of an empty one, nothing is to be hidden."""
    if found.share is None and not (exact and found.of.number == 0):
        return None
    size = found.of.number or 0
    return Group("", size, min(found.did.number or 0, size))
