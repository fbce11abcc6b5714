"""Members that follow each change: only the segments concerned, each person told of once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from contacts import erase, events, lists
from contacts.amending import amend
from contacts.models import ContactList, Event
from contacts.segments import catalogue, evaluate, membership
from contacts.segments.live import follow, index, touches
from contacts.segments.live.models import Feed, Following, SegmentCount, Touch
from contacts.segments.models import Segment
from tests.conftest import NOON
from tests.contacts.segments import generated, world
from tests.contacts.segments.test_evaluate import BOSTON

pytestmark = pytest.mark.usefixtures("at_harbor")

CLICKED = {"event": "message.clicked"}


def segment(tree: Any = BOSTON, name: str = "Boston") -> Segment:
    made = catalogue.save(name=name, tree=tree, now=NOON)
    membership.refresh(made, now=NOON)
    return made


def change(contact_id: int, **values: Any) -> None:
    amend({contact_id: values}, source="test", now=NOON)


def settle() -> None:
    while follow.run_once(now=NOON):
        pass


def inside(found: Segment) -> list[int]:
    return [int(one) for one in membership.members(found)]


def told(kind: str, found: Segment) -> list[int]:
    rows = Event.objects.filter(kind=kind, campaign=found.id).order_by("id")
    return list(rows.values_list("contact_id", flat=True))


def test_a_new_contact_enters_by_the_next_look() -> None:
    boston = segment()
    (ada,) = world.add([{"city": "Boston"}])
    settle()
    assert inside(boston) == [0]
    assert told("segment.entered", boston) == [ada]


def test_a_changed_field_takes_out_who_no_longer_fits() -> None:
    (ada,) = world.add([{"city": "Boston"}])
    boston = segment()
    change(ada, city="Quincy")
    settle()
    assert inside(boston) == []
    assert told("segment.left", boston) == [ada]


def test_only_segments_that_rest_on_the_field_are_worked_out() -> None:
    (ada,) = world.add([{"city": "Boston"}])
    boston, _ = segment(), segment({"field": "gender", "op": "exists"}, "Known")
    settle()
    change(ada, city="Quincy")
    with mock.patch.object(evaluate, "among_each", wraps=evaluate.among_each) as asked:
        settle()
    (definitions, _), _ = asked.call_args
    assert definitions == [catalogue.definition_of(boston)]


def test_an_event_moves_who_did_it() -> None:
    (ada,) = world.add([{"city": "Boston"}])
    clicked = segment(CLICKED, "Clicked")
    settle()
    events.append(
        [events.NewEvent(contact_id=ada, kind="message.clicked", occurred_at=NOON)], now=NOON
    )
    settle()
    assert inside(clicked) == [0]


def test_an_event_moves_the_segments_that_ask_its_beginning_beside_those_that_ask_its_name() -> (
    None
):
    (ada,) = world.add([{"city": "Boston"}])
    named, begun = segment(CLICKED, "Clicked"), segment({"event": "message.*"}, "Any message")
    other = segment({"event": "appointment.*"}, "Any appointment")
    settle()
    events.append(
        [events.NewEvent(contact_id=ada, kind="message.clicked", occurred_at=NOON)], now=NOON
    )
    settle()
    assert [inside(one) for one in (named, begun, other)] == [[0], [0], []]


def test_time_takes_out_who_came_in_by_a_beginning() -> None:
    (ada,) = world.add([{"city": "Boston"}])
    recent = segment({"event": "message.*", "within_days": 7}, "Lately")
    happened = NOON - timedelta(days=7) + timedelta(minutes=30)
    events.append(
        [events.NewEvent(contact_id=ada, kind="message.sent", occurred_at=happened)], now=NOON
    )
    settle()
    assert inside(recent) == [0]
    later = NOON + timedelta(minutes=31)
    while follow.run_once(now=later):
        pass
    assert inside(recent) == []


def test_joining_and_leaving_a_list_moves_the_member() -> None:
    (ada,) = world.add([{"city": "Boston"}])
    made = lists.create("A list", now=NOON)
    listed = segment({"list": str(made.id)}, "Listed")
    lists.add(made.id, [ada], now=NOON)
    settle()
    assert inside(listed) == [0]
    lists.remove(made.id, [ada], now=NOON)
    settle()
    assert inside(listed) == []


def test_a_segment_that_names_another_follows_what_moves_that_one() -> None:
    (ada,) = world.add([{"city": "Boston"}])
    boston = segment()
    elsewhere = segment({"not": {"segment": str(boston.id)}}, "Elsewhere")
    change(ada, city="Quincy")
    settle()
    assert inside(elsewhere) == [0]


def test_an_erased_person_is_out_of_every_segment_at_once() -> None:
    """SE-06: no membership outlives the person."""
    (ada,) = world.add([{"city": "Boston"}])
    boston = segment()
    erase.erase(ada, now=NOON)
    assert inside(boston) == []
    settle()
    assert told("segment.left", boston) == [ada]


def test_what_was_followed_is_not_followed_again() -> None:
    segment()
    world.add([{"city": "Boston"}])
    settle()
    assert follow.run_once(now=NOON) == 0


def test_a_touch_has_its_contact_worked_out() -> None:
    (ada,) = world.add([{"city": "Boston"}])
    boston = segment()
    settle()
    assert follow.run_once(now=NOON) == 0
    touches.touch([ada], "record", now=NOON)
    assert follow.run_once(now=NOON) == 1
    assert not Touch.objects.filter(taken=False).exists()
    assert inside(boston) == [0]


def test_a_storm_of_changes_becomes_one_whole_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "STORM", 3)
    boston = segment()
    ids = world.add([{"city": "Boston"}] * 4)
    with mock.patch.object(evaluate, "among_each") as asked:
        settle()
    assert not asked.called
    assert told("segment.entered", boston) == []
    assert membership.refresh_due(now=NOON) == 1
    settle()
    assert told("segment.entered", boston) == ids
    assert inside(boston) == [0, 1, 2, 3]


def test_the_day_and_the_count_keep_up() -> None:
    boston = segment()
    ada, _ = world.add([{"city": "Boston"}, {"city": "Boston"}])
    settle()
    change(ada, city="Quincy")
    settle()
    day = SegmentCount.objects.get(segment=boston)
    assert (day.entered, day.left, day.count) == (2, 1, 1)
    assert Segment.objects.get().count == 1


def test_a_deleted_list_breaks_its_segment_by_the_next_look() -> None:
    """Pain 15: members stay, and nothing is sent."""
    (ada,) = world.add([{"city": "Boston"}])
    world.make_list(generated.LISTS[0])
    world.put_on(generated.LISTS[0], ada)
    listed = segment({"list": str(generated.LISTS[0])}, "Listed")
    settle()
    ContactList.objects.all().delete()
    follow.run_once(now=NOON)
    found = Segment.objects.get(pk=listed.pk)
    assert not found.sendable
    assert inside(listed) == [0]
    assert Following.objects.get(pk=listed.pk).frozen_at == NOON


def test_archiving_breaks_what_refers_to_it_at_once() -> None:
    boston = segment()
    elsewhere = segment({"not": {"segment": str(boston.id)}}, "Elsewhere")
    catalogue.archive(boston, now=NOON)
    assert not Segment.objects.get(pk=elsewhere.pk).sendable


def test_a_repaired_segment_catches_up() -> None:
    (ada,) = world.add([{"city": "Boston"}])
    world.make_list(generated.LISTS[0])
    listed = segment({"list": str(generated.LISTS[0])}, "Listed")
    settle()
    ContactList.objects.all().delete()
    settle()
    world.make_list(generated.LISTS[0])
    world.put_on(generated.LISTS[0], ada)
    settle()
    assert Segment.objects.get(pk=listed.pk).sendable
    membership.refresh_due(now=NOON)
    assert inside(listed) == [0]
    assert Following.objects.get(pk=listed.pk).frozen_at is None


def test_pr30_labels_follow_when_the_other_segment_changes() -> None:
    drugs = {"field": "conditions", "op": "has_code", "codes": ["66590003"]}
    boston = segment()
    elsewhere = segment({"not": {"segment": str(boston.id)}}, "Elsewhere")
    assert Segment.objects.get(pk=elsewhere.pk).labels == []
    catalogue.save(name="Boston", tree=drugs, now=NOON, segment_id=boston.id)
    assert Segment.objects.get(pk=elsewhere.pk).labels == ["substance_use"]


def test_an_edit_makes_those_that_name_the_segment_due() -> None:
    world.add([{"city": "Quincy"}])
    boston = segment()
    elsewhere = segment({"all": [{"segment": str(boston.id)}]}, "Elsewhere")
    catalogue.save(name="Boston", tree={"not": BOSTON}, now=NOON, segment_id=boston.id)
    membership.refresh_due(now=NOON)
    assert inside(elsewhere) == [0]


def test_a_second_edit_counts_while_the_first_is_evaluated() -> None:
    boston = segment()
    Following.objects.filter(pk=boston.pk).update(wanted=7)
    membership.refresh(boston, now=NOON)
    assert Following.objects.get(pk=boston.pk).done == 7


def test_members_are_true_of_the_last_look() -> None:
    boston = segment()
    later = NOON + timedelta(seconds=30)
    follow.run_once(now=later)
    assert membership.as_of(boston) == later


def test_an_import_is_told_once_for_each_person_after_it_ended() -> None:
    boston = segment()
    ids = world.add([{"city": "Boston"}] * 5)
    settle()
    membership.refresh_due(now=NOON + timedelta(hours=30))
    settle()
    assert sorted(told("segment.entered", boston)) == ids


def test_the_index_knows_a_changed_definition() -> None:
    boston = segment()
    _, before = index.current()
    catalogue.save(name="Boston", tree=CLICKED, now=NOON, segment_id=boston.id)
    _, after = index.current()
    assert before.of_fields(["city"]) == {boston.id}
    assert after.of_event("message.clicked", None) == {boston.id}
    assert after.of_fields(["city"]) == set()


def test_hd_another_organisation_has_its_own_feed(hill: Any) -> None:
    from accounts import tenancy

    segment()
    settle()
    with tenancy.acting_for(hill.pk):
        follow.run_once(now=NOON)
        assert Feed.objects.count() == 1


def test_a_change_of_one_moves_the_others_of_the_household() -> None:
    ada, ben = world.add([{"city": "Quincy"}, {"city": "Quincy"}])
    world.live_together(ada, ben)
    housed = segment({"household": BOSTON}, "With someone in Boston")
    change(ben, city="Boston")
    settle()
    assert told("segment.entered", housed) == [ada]
