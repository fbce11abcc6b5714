"""Refreshing members, and the events that say who came and who left."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contacts.models import ContactList, Event
from contacts.segments import catalogue, membership
from contacts.segments.models import Membership, Segment
from tests.conftest import NOON
from tests.contacts.segments import generated, world
from tests.contacts.segments.test_evaluate import BOSTON, change

pytestmark = pytest.mark.usefixtures("at_harbor")


def segment(tree: Any = BOSTON) -> Segment:
    return catalogue.save(name="Boston", tree=tree, now=NOON)


def test_the_first_refresh_tells_of_everyone_who_is_in() -> None:
    ada, _ = world.add([{"city": "Boston"}, {"city": "Quincy"}])
    boston = segment()
    assert membership.refresh(boston, now=NOON) == membership.Changed([ada], [])
    event = Event.objects.get(kind="segment.entered")
    assert (event.contact_id, event.campaign) == (ada, boston.id)


def test_a_second_refresh_tells_only_of_changes() -> None:
    ada, ben = world.add([{"city": "Boston"}, {"city": "Quincy"}])
    boston = segment()
    membership.refresh(boston, now=NOON)
    change(ada, city="Quincy")
    change(ben, city="Boston")
    assert membership.refresh(boston, now=NOON) == membership.Changed([ben], [ada])
    assert membership.refresh(boston, now=NOON) == membership.NOBODY
    assert Event.objects.filter(kind="segment.left", contact_id=ada).count() == 1


def test_a_broken_segment_keeps_its_members_and_cannot_be_sent_to() -> None:
    """Pain 15: a list is deleted that a segment asks for."""
    (ada,) = world.add([{"city": "Boston"}])
    world.make_list(generated.LISTS[0])
    world.put_on(generated.LISTS[0], ada)
    listed = segment({"list": str(generated.LISTS[0])})
    membership.refresh(listed, now=NOON)
    ContactList.objects.all().delete()
    assert membership.refresh(listed, now=NOON) == membership.NOBODY
    assert membership.members(listed).tolist() == [0]
    found = Segment.objects.get()
    assert not found.sendable
    assert "list" in found.problem


def test_se33_members_cannot_be_read_at_rest() -> None:
    world.add([{"city": "Boston"}])
    boston = segment()
    membership.refresh(boston, now=NOON)
    assert len(bytes(Membership.objects.get().payload)) > 1024
    raw = Segment.objects.filter(pk=boston.pk).values_list("name", "definition", "labels").get()
    assert all(repr(value) == "<sealed>" for value in raw)


def test_a_segment_is_evaluated_as_a_whole_when_it_is_new_and_once_a_day() -> None:
    world.add([{"city": "Boston"}])
    segment()
    assert membership.refresh_due(now=NOON) == 1
    assert membership.refresh_due(now=NOON + timedelta(hours=23)) == 0
    assert membership.refresh_due(now=NOON + timedelta(hours=26)) == 1


def test_an_edit_makes_a_segment_due_at_once() -> None:
    boston = segment()
    membership.refresh_due(now=NOON)
    catalogue.save(name="B", tree={"not": BOSTON}, now=NOON, segment_id=boston.id)
    assert membership.refresh_due(now=NOON) == 1


def test_pr30_a_label_follows_the_code_into_the_segment() -> None:
    tree = {"field": "conditions", "op": "has_code", "codes": ["66590003"]}
    assert segment({"any": [BOSTON, tree]}).labels == ["substance_use"]
    inner = segment(tree)
    assert segment({"not": {"segment": str(inner.id)}}).labels == ["substance_use"]
