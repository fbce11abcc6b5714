"""The report on a workflow: who got which message, who answered how, where people left, and what
it brought about beside those held out. By segment and over time, as a page and as files."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from audit import trail
from contacts.segments import catalogue
from contacts.segments.definition import DefinitionInvalid
from contacts.segments.models import Segment
from marketing.reports import goals, people
from marketing.reports.cohort import Cohort
from marketing.web import (
    canvas,
    segment_sight,
    workflow_figures,
    workflow_report_told,
    workflow_tables,
    workflows,
)
from marketing.web.timeline import EVENTS, words
from marketing.web.workflow_report_told import Asked, Rate, Told, ToldEffect
from workflows import audience
from workflows.models import Workflow, WorkflowVersion

SINCE = [("", "Ever"), ("30", "In the last 30 days"), ("90", "In the last 90 days"),
         ("365", "In the last year")]  # fmt: skip
UNITS = [("week", "Week"), ("day", "Day"), ("month", "Month")]
GOALS = tuple(
    kind for kind in EVENTS if not kind.startswith(("message.", "segment.", "list.", "contact."))
)
HEIGHT = 100


class ReportForm(forms.Form):
    """What is counted. Everything may be left out."""

    version = forms.ChoiceField(required=False)
    since = forms.ChoiceField(required=False, choices=SINCE, label="Entered")
    segment = forms.ChoiceField(required=False)
    goal = forms.ChoiceField(required=False)
    days = forms.ChoiceField(
        required=False,
        choices=[(str(one), f"{one} days") for one in goals.WITHIN],
        initial="30",
        label="Reached within",
    )
    unit = forms.ChoiceField(required=False, choices=UNITS, label="Over time by")

    def __init__(self, data: QueryDict, found: Workflow, granted: Collection[str]) -> None:
        super().__init__({"days": "30", **data.dict()})
        self.versions = list(found.versions.all())
        version = next((one for one in self.versions if one.id == found.live_id), None)
        self.chosen = version or next(iter(self.versions), None)
        numbers = [("", f"{self.chosen.number if self.chosen else ''}, the live one"),
                   *((str(one.number), str(one.number)) for one in self.versions)]  # fmt: skip
        self._choose("version", numbers)
        clinical = "clinical" in granted
        segments = [one for one in Segment.objects.filter(archived_at=None)
                    if clinical or not one.labels]  # fmt: skip
        self.segments = {str(one.id): one for one in segments}
        titled = [(str(one.id), catalogue.titled(one, clinical=clinical)) for one in segments]
        self._choose("segment", [("", "Everybody"), *sorted(titled, key=lambda one: one[1])])
        self._choose("goal", [("", "Its own"), *((one, words(one)) for one in GOALS)])

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        number = given.get("version")
        if number:
            self.chosen = next(one for one in self.versions if str(one.number) == number)
        return given


@dataclass(frozen=True)
class Reading:
    """A report that was asked for and told."""

    asked: Asked
    told: Told


def asked_of(form: ReportForm, *, now: datetime, zone: ZoneInfo) -> Asked:
    """Return what the valid form asks for. DefinitionInvalid: its segment cannot be counted."""
    given, version = form.cleaned_data, form.chosen
    assert version is not None
    segment = form.segments.get(given["segment"])
    goal, about = given["goal"], None
    own = goals.of_graph(Cohort(version))
    if not goal and own:
        goal, about = own[0].event, own[0].segment
    return Asked(
        version,
        since=_since(given["since"], now=now, zone=zone),
        segment=segment.id if segment else None,
        segment_classes=frozenset(segment_sight.classes_of(segment)) if segment else frozenset(),
        members=audience.members(segment.id, now=now) if segment else None,
        goal=goal,
        about=about,
        days=int(given["days"] or 30),
        unit=given["unit"] or "week",
    )


def _since(days: str, *, now: datetime, zone: ZoneInfo) -> datetime | None:
    """From the beginning of a day, so that one question stands for all of it."""
    if not days:
        return None
    return datetime.combine(now.astimezone(zone).date() - timedelta(days=int(days)), time(), zone)


def read(asked: Asked, *, granted: Collection[str], asker: object, zone: ZoneInfo) -> Reading:
    """Count and tell; that it was read is in the trail."""
    teller = workflow_figures.teller_to(
        asked.classes, granted, asker, asked.question, free=not asked.at_will
    )
    told = workflow_report_told.tell(asked, teller, zone=zone)
    trail.record(
        "report.viewed",
        subject=f"workflow:{asked.version.workflow_id}",
        detail={"report": "workflow", "count": len(told.messages)},
    )
    return Reading(asked, told)


@require_safe
@requires(Permission.WORKFLOWS_VIEW)
def report(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """The page; refused choices are named beside their fields."""
    found, user = workflows.by_id(workflow_id), staff_of(request)
    form = ReportForm(request.GET, found, user.data_classes)
    context: dict[str, Any] = {"workflow": found, "form": form, "as_of": timezone.now()}
    if form.chosen is not None and (reading := _reading(form, user)) is not None:
        context |= _shown(reading, user) | {"chosen": request.GET.urlencode()}
    return render(request, "workflows/report.html", context, status=422 if form.errors else 200)


def _reading(form: ReportForm, user: User) -> Reading | None:
    if not form.is_valid():
        return None
    zone = user.organisation.zone
    try:
        asked = asked_of(form, now=timezone.now(), zone=zone)
    except DefinitionInvalid:
        form.add_error("segment", "It is broken or not approved: nobody can be counted by it.")
        return None
    return read(asked, granted=user.data_classes, asker=user.pk, zone=zone)


def read_for(request: HttpRequest, workflow_id: UUID) -> Reading:
    """The same for a file; 404 where there is nothing to report or a choice is none."""
    form = ReportForm(request.GET, workflows.by_id(workflow_id), staff_of(request).data_classes)
    reading = _reading(form, staff_of(request)) if form.chosen is not None else None
    if reading is None:
        raise Http404
    return reading


def narrowed(asked: Asked) -> Cohort:
    """Of whom the report speaks: also those whom the chosen segment leaves."""
    return Cohort(asked.version, asked.since, asked.members)


def titles_of(version: WorkflowVersion, granted: Collection[str]) -> dict[str, str]:
    """What the steps are called, by their names in the graph."""
    named = canvas.names_for(granted)
    steps = Cohort(version).graph.steps
    return {node: canvas.title(step, named) for node, step in steps.items()}


def _shown(reading: Reading, user: User) -> dict[str, Any]:
    asked, told = reading.asked, reading.told
    titles = titles_of(asked.version, user.data_classes)
    return {
        "version": asked.version,
        "told": told,
        "titles": titles,
        "goal": words(asked.goal) if asked.goal else "",
        "days": asked.days,
        "chart": _chart(told),
        "arms": [
            {"line": one, "title": titles.get(one.node, one.node), "name": canvas.way(one.way)}
            for one in told.arms
        ],
        "effects": [_effect(one, titles) for one in told.effects],
        "steps": [
            {
                "line": one,
                "title": titles.get(one.node, one.node),
                "why": _why(one.reasons),
                "lost": f"{one.lost:.1%}" if one.lost is not None else "–",
                "bar": round(100 * (one.lost or 0)),
                "median": workflow_figures.lasted(one.spell.median) if one.spell else "–",
                "p90": workflow_figures.lasted(one.spell.p90) if one.spell else "–",
            }
            for one in told.steps
        ],
        "messages_told": [
            {
                "line": one,
                "title": titles.get(one.step, one.step),
                "opened": _percent(one.opened),
                "clicked": _percent(one.clicked),
            }
            for one in told.messages
        ],
        "may_name": user.may(Permission.CONTACTS_REVEAL_IDENTITY),
        "may_see_people": may_see_people(asked.version, user),
        "may_export": user.may(Permission.MESSAGES_VIEW),
    }


def _effect(one: ToldEffect, titles: dict[str, str]) -> dict[str, Any]:
    """In percentage points, with a sign."""
    points = {}
    if one.effect:
        low, high = one.effect.interval.low, one.effect.interval.high
        numbers = {"gap": one.effect.gap, "low": low, "high": high}
        points = {name: f"{100 * number:+.1f}" for name, number in numbers.items()}
    return {"title": titles.get(one.node, one.node), "clear": one.clear, **points}


def _percent(rate: Rate) -> str:
    return "" if rate.share is None else f"{rate.share:.0%}"


def _why(reasons: Any) -> list[tuple[str, str]]:
    return [(workflow_tables.why_left(code)[1], str(count)) for code, count in reasons.items()]


def may_see_people(version: WorkflowVersion, user: User) -> bool:
    """Who got what says what the steps asked: it is shown person by person to no other role."""
    permitted = user.may(Permission.CONTACTS_VIEW) and user.may(Permission.MESSAGES_VIEW)
    return permitted and workflow_figures.classes_of(version) <= user.data_classes


def _chart(told: Told) -> dict[str, Any]:
    """Bars within bars: of those who entered, how many were reached, answered, came to the goal."""
    parts = ("entered", "reached", "engaged", "came")
    numbers = [[getattr(one, part).number or 0 for part in parts] for one in told.periods]
    top = max((max(row) for row in numbers), default=0)
    bars = [
        {
            "part": part,
            "x": place * 10 + 1 + inset,
            "width": 8 - 2 * inset,
            "height": round(HEIGHT * min(count, row[0]) / top),
            "y": HEIGHT - round(HEIGHT * min(count, row[0]) / top),
        }
        for place, row in enumerate(numbers)
        for inset, (part, count) in enumerate(zip(parts, row, strict=True))
        if top
    ]
    return {"bars": bars, "width": max(len(numbers), 8) * 10, "top": top}


@require_safe
@requires(Permission.MESSAGES_VIEW)
def report_people(request: HttpRequest, workflow_id: UUID, number: int) -> HttpResponse:
    """The people behind one figure, a page at a time."""
    found, user = workflows.by_id(workflow_id), staff_of(request)
    version = next((one for one in found.versions.all() if one.number == number), None)
    who, step = request.GET.get("who", ""), request.GET.get("step", "")
    after = request.GET.get("after", "0")
    if version is None or who not in people.WHO or not after.isdecimal() or len(after) > 18:
        raise Http404
    if not may_see_people(version, user):
        raise PermissionDenied
    rows = people.page(Cohort(version), who=who, step=step, after=int(after))
    titles = titles_of(version, user.data_classes)
    if step and step not in titles:
        raise Http404
    trail.record("contact.listed", detail={"count": len(rows), "page": "workflow_report"})
    more = f"?who={who}&step={step}&after={rows[-1].id}" if len(rows) == people.PAGE else ""
    context = {
        "workflow": found,
        "version": version,
        "rows": [_person(one, titles, user) for one in rows],
        "who": people.WHO[who].words,
        "step": titles.get(step, ""),
        "tabs": [
            {"label": said.label, "here": one == who,
             "address": f"?who={one}&step={step}"}
            for one, said in people.WHO.items()
        ],
        "next": more,
        "first": f"?who={who}&step={step}" if int(after) else "",
    }  # fmt: skip
    return render(request, "workflows/report_people.html", context)


def _person(one: people.Person, titles: dict[str, str], user: User) -> dict[str, Any]:
    return {
        "person": one,
        "short": one.public_id.hex[-8:],
        "where": titles.get(one.node, one.node),
        "why": workflow_tables.why_left(one.outcome)[1] if one.state == "stopped" else "",
        "got": [
            {
                "title": titles.get(got.message.step, got.message.step),
                "state": got.message.get_state_display(),
                "address": reverse("message", args=[got.message.public_id]),
                "did": [(words(f"message.{name}"), at) for name, at in got.people.items()],
                "programs": sorted(words(f"message.{name}") for name in got.programs),
            }
            for got in one.got
            if set(got.message.classes) <= user.data_classes
        ],
        "beyond": sum(not set(got.message.classes) <= user.data_classes for got in one.got),
    }
