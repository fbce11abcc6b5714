"""The report on a workflow as files: its figures as the page tells them, and the people behind."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from audit import trail
from contacts.exporting import cell
from contacts.fields import DataClass
from contacts.reveal import reveal
from marketing.reports import people
from marketing.reports.people import Got, Person
from marketing.web import shown, workflow_reports
from marketing.web.workflow_report_told import Rate, Told, ToldMessage, ToldStep, ToldTotals

MOST_PEOPLE = 50_000
AT_A_TIME = 1_000
FIGURES = ("table", "of", "what", "value")
PEOPLE = (
    "person", "entered_at", "state", "step", "outcome", "ended_at", "message", "message_step",
    "message_state", "refusal", "route", "sent_at", "opened_at", "clicked_at", "answered_at",
    "unsubscribed_at", "bounced_at", "opened_by_program_at", "clicked_by_program_at",
)  # fmt: skip
DID = ("opened", "clicked", "replied", "unsubscribed", "bounced")


@require_safe
@requires(Permission.MESSAGES_VIEW)
def figures(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """The page's figures, told as the page tells them."""
    reading = workflow_reports.read_for(request, workflow_id)
    lines = list(figure_lines(reading.told))
    trail.record(
        "report.exported",
        subject=f"workflow:{workflow_id}",
        detail={"report": "workflow", "count": len(lines), "format": "csv"},
    )
    return _file("workflow-report.csv", [FIGURES, *lines])


def figure_lines(told: Told) -> Iterator[Sequence[str]]:
    """Return a line for each figure: which table, of what, which count or share, and its value."""
    yield from _totals("totals", [told.totals])
    yield from _totals("segments", told.segments)
    yield from _totals("over time", told.periods)
    for message in told.messages:
        yield from _message_figures(message)
    for step in told.steps:
        yield from _step_figures(step)
    if told.conversion:
        yield from _rate("goal", "everybody", told.conversion)
    for arm in told.arms:
        name = f"{arm.node} {arm.way}{' (hold-out)' if arm.hold else ''}"
        yield from _rate("goal", name, arm.rate)
    for one in told.effects:
        if one.effect:
            low, high = one.effect.interval.low, one.effect.interval.high
            numbers = {"difference": one.effect.gap, "low": low, "high": high}
            yield from (("effect", one.node, name, f"{n:.4f}") for name, n in numbers.items())


def _message_figures(message: ToldMessage) -> Iterator[Sequence[str]]:
    by_programs = {f"{name} by programs": count for name, count in message.programs.items()}
    for name, count in {**message.states, **message.people, **by_programs}.items():
        yield "messages", message.step, name, str(count)
    for link, count in message.links.items():
        yield "links", message.step, cell(link), str(count)


def _step_figures(step: ToldStep) -> Iterator[Sequence[str]]:
    counts = {"came": step.arrived, "went on": step.passed, "here": step.inside, "left": step.left}
    yield from (("steps", step.node, name, str(count)) for name, count in counts.items())
    yield from (("left", step.node, why, str(count)) for why, count in step.reasons.items())
    if step.spell:
        yield "steps", step.node, "median seconds", f"{step.spell.median:.0f}"
        yield "steps", step.node, "p90 seconds", f"{step.spell.p90:.0f}"


def _totals(table: str, rows: Iterable[ToldTotals]) -> Iterator[Sequence[str]]:
    for row in rows:
        of = row.day.isoformat() if row.day else row.label
        for name in ("entered", "reached", "engaged", "came"):
            yield table, of, name, str(getattr(row, name))


def _rate(table: str, of: str, rate: Rate) -> Iterator[Sequence[str]]:
    yield table, of, "people", str(rate.of)
    yield table, of, "came to the goal", str(rate.did)
    if rate.share is not None and rate.interval is not None:
        yield table, of, "share", f"{rate.share:.4f}"
        yield table, of, "low", f"{rate.interval.low:.4f}"
        yield table, of, "high", f"{rate.interval.high:.4f}"


@require_POST
@requires(Permission.MESSAGES_VIEW)
def persons(request: HttpRequest, workflow_id: UUID) -> HttpResponse:
    """Everybody, a line for each message; with names only where the role reveals them."""
    reading = workflow_reports.read_for(request, workflow_id)
    user, version = staff_of(request), reading.asked.version
    if not workflow_reports.may_see_people(version, user):
        raise PermissionDenied
    named = "names" in request.POST
    if named and not user.may(Permission.CONTACTS_REVEAL_IDENTITY):
        raise PermissionDenied
    cohort = workflow_reports.narrowed(reading.asked)
    rows: list[Sequence[str]] = [(*PEOPLE, *(("name",) if named else ()))]
    count, after = 0, 0
    while count < MOST_PEOPLE and (some := people.page(cohort, after=after, limit=AT_A_TIME)):
        rows += _lines(some, user.data_classes, named=named)
        count, after = count + len(some), some[-1].id
    classes = sorted(kind.value for kind in _opened(named=named))
    trail.record(
        "contact.exported",
        detail={"count": count, "classes": classes, "format": "csv", "purpose": "report"},
    )
    return _file("workflow-people.csv", rows)


def _opened(*, named: bool) -> list[DataClass]:
    return [DataClass.ENGAGEMENT, *([DataClass.IDENTITY] if named else [])]


def _lines(
    some: Sequence[Person], granted: frozenset[str], *, named: bool
) -> Iterator[Sequence[str]]:
    names = _names(some) if named else {}
    for person in some:
        last = [names.get(person.contact_id, "")] if named else []
        got: list[Got | None] = [one for one in person.got if set(one.message.classes) <= granted]
        for one in got or [None]:
            yield [cell(text) for text in [*_person(person), *_message(one), *last]]


def _names(some: Sequence[Person]) -> dict[int, str]:
    """Each name that is opened is an entry in the trail."""
    found = reveal([one.contact_id for one in some], [DataClass.IDENTITY], purpose="report")
    return {id_: shown.name(values) for id_, values in found.items()}


def _person(one: Person) -> list[str]:
    return [str(one.public_id), _at(one.entered_at), one.state, one.node, one.outcome,
            _at(one.ended_at)]  # fmt: skip


def _message(got: Got | None) -> list[str]:
    if got is None:
        return [""] * (len(PEOPLE) - 6)
    one = got.message
    did = [_at(got.people.get(name)) for name in DID]
    programs = [_at(got.programs.get(name)) for name in DID[:2]]
    return [str(one.public_id), one.step, one.state, one.refusal_code, one.route,
            _at(one.sent_at), *did, *programs]  # fmt: skip


def _at(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""


def _file(name: str, rows: Iterable[Sequence[Any]]) -> HttpResponse:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    answer = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer
