"""Events by the beginning of their name: `appointment.*`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contacts import events
from contacts.fields import DataClass
from contacts.segments import evaluate, kinds
from contacts.segments.definition import DefinitionInvalid, data_classes, in_words, parse
from contacts.segments.explain import explain
from contacts.segments.facts import Facts, Happening
from contacts.segments.flips import next_flip
from contacts.segments.live import follow
from contacts.segments.nodes import Happened
from contacts.segments.references import dependencies
from tests.conftest import NOON
from tests.contacts.segments import world
from tests.contacts.segments.live.test_follow import inside, segment, settle


def happened(kind: str, days: int = 1) -> Happening:
    return Happening(kind, NOON - timedelta(days=days))


def problems(tree: Any) -> list[tuple[str, str]]:
    with pytest.raises(DefinitionInvalid) as refused:
        parse(tree)
    return [(one.path, one.message) for one in refused.value.problems]


@pytest.mark.parametrize(
    ("name", "kind", "meant"),
    [
        ("appointment.*", "appointment.missed", True),
        ("appointment.*", "appointment", False),
        ("appointment.*", "appointments.missed", False),
        ("appoint*", "appointments.missed", True),
        ("test_*", "test_1", True),
        ("test_*", "testa1", False),
        ("form.*", "form.submitted", True),
        ("form.submitted", "form.submitted_late", False),
    ],
)
def test_a_beginning_means_every_kind_that_begins_so(name: str, kind: str, meant: bool) -> None:
    assert kinds.means(name, kind) is meant


@pytest.mark.parametrize(
    "name", ["*", ".*", "a..*", "*.missed", "a.*.b", "a.**", "A.*", "a%*", "", 5, None, "a" * 61]
)
def test_what_is_no_name_and_no_beginning_is_refused(name: Any) -> None:
    assert "appointment.*" in dict(problems({"event": name}))["$.event"]


@pytest.mark.parametrize("name", ["segment.*", "segment.e*", "segment*", "se*", "s*", "segmen*"])
def test_pr30_no_beginning_reaches_the_events_of_segments(name: str) -> None:
    """PR-30: those carry the labels of the segment that they name, and a beginning names none."""
    assert "coming into segments" in dict(problems({"event": name}))["$.event"]


@pytest.mark.parametrize("name", ["segments.*", "see.*", "survey*", "sez*"])
def test_a_beginning_that_only_looks_alike_is_asked(name: str) -> None:
    assert parse({"event": name}).root == Happened(name)


@pytest.mark.parametrize("name", ["appointment.*", "a*", "encounter.s*", "e*", "condition*", "r*"])
def test_a_beginning_that_may_mean_events_of_care_is_clinical(name: str) -> None:
    assert DataClass.CLINICAL in data_classes(parse({"event": name}))


@pytest.mark.parametrize("name", ["message.*", "message.o*", "form.*", "m*"])
def test_a_beginning_that_means_none_of_care_is_not(name: str) -> None:
    assert data_classes(parse({"event": name})) == {DataClass.ENGAGEMENT}


@pytest.mark.parametrize(
    ("name", "clinical"),
    [("message.o*", False), ("message.*", True), ("message.r*", True), ("mess*", True)],
)
def test_properties_are_clinical_where_a_beginning_reaches_peoples_own_words(
    name: str, clinical: bool
) -> None:
    where = [{"property": "x", "op": "exists"}]
    found = data_classes(parse({"event": name, "where": where}))
    assert (DataClass.CLINICAL in found) is clinical


def test_a_beginning_is_said_as_one() -> None:
    said = in_words(parse({"event": "appointment.*", "times": {"at_least": 2}}))
    assert said == "People whose events include at least 2 beginning with “appointment.”"


def test_the_window_of_a_beginning_ends_by_the_clock() -> None:
    known = Facts(events=(happened("appointment.missed"),))
    asked = parse({"event": "appointment.*", "within_days": 7})
    assert next_flip(asked, known, NOON) == NOON + timedelta(days=6, microseconds=1)


def test_a_definition_rests_on_the_beginning() -> None:
    found = dependencies(parse({"event": "appointment.*"}))
    assert found.event_kinds == {"appointment.*"}


@pytest.mark.usefixtures("at_harbor")
class TestInTheDatabase:
    def test_events_of_several_kinds_are_counted_together(self) -> None:
        ada, ben, cleo = world.add([{}, {}, {}])
        world.happen(ada, [happened("appointment.missed"), happened("appointment.attended")])
        world.happen(ben, [happened("appointment.missed"), happened("appointmentx")])
        twice = parse({"event": "appointment.*", "times": {"at_least": 2}})
        never = parse({"event": "appointment.*", "times": {"exactly": 0}})
        assert evaluate.members(twice, now=NOON).contact_ids() == [ada]
        assert evaluate.among_each([twice, never], [ada, ben, cleo], now=NOON) == [{ada}, {cleo}]

    def test_why_somebody_is_in_counts_all_kinds_that_begin_so(self) -> None:
        (ada,) = world.add([{}])
        world.happen(ada, [happened("form.a", 9), happened("form.b", 2), happened("forms.c")])
        lines = explain(
            parse({"event": "form.*"}), ada, now=NOON, granted=frozenset({"engagement"})
        )
        assert (lines[0].holds, lines[0].value) == (True, "2 times, last 2026-02-28 07:00 EST")

    def test_the_last_of_several_kinds_is_the_last_of_all(self) -> None:
        ada, ben = world.add([{}, {}])
        world.happen(ada, [happened("form.a", 9), happened("form.b", 2)])
        world.happen(ben, [happened("form.a", 9)])
        recent = parse({"event": "form.*", "which": "last", "within_days": 3})
        assert evaluate.members(recent, now=NOON).contact_ids() == [ada]

    def test_a_kind_that_comes_later_moves_who_did_it(self) -> None:
        (ada,) = world.add([{}])
        seen = segment({"event": "kiosk.*"}, "At the kiosk")
        settle()
        new = events.NewEvent(contact_id=ada, kind="kiosk.opened", occurred_at=NOON)
        events.append([new], now=NOON)
        assert follow.run_once(now=NOON)
        assert inside(seen) == [0]

    def test_a_kind_that_begins_otherwise_wakes_nobody(self) -> None:
        (ada,) = world.add([{}])
        segment({"event": "kiosk.*"}, "At the kiosk")
        settle()
        new = events.NewEvent(contact_id=ada, kind="kioskx.opened", occurred_at=NOON)
        events.append([new], now=NOON)
        assert not follow.run_once(now=NOON)
