"""What lives on a segment is named before the segment is taken away."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from accounts.models import User
from contacts.segments import catalogue
from contacts.segments.models import Segment
from tests.conftest import NOON
from tests.workflows.conftest import WOMEN, Publish
from workflows import usage


def test_a_workflow_that_lets_people_in_by_a_segment_is_found(publish: Publish) -> None:
    women = catalogue.save(name="Women", tree=WOMEN, now=NOON)
    workflow = publish(trigger={"kind": "segment", "segment": str(women.id)})
    assert usage.of_segment(women.id) == [workflow]


def test_a_segment_that_nothing_asks_for_is_free(publish: Publish) -> None:
    women = catalogue.save(name="Women", tree=WOMEN, now=NOON)
    publish()
    assert usage.of_segment(women.id) == []


def test_a_segment_that_a_live_workflow_asks_for_stays(
    publish: Publish, mara: User, sign_in_as: Callable[[User], Client]
) -> None:
    women = catalogue.save(name="Women", tree=WOMEN, now=NOON)
    publish(trigger={"kind": "segment", "segment": str(women.id)})
    page = sign_in_as(mara).post(f"/segments/{women.id}/archive/", follow=True)
    assert "Live workflows ask for it: Series" in page.content.decode()
    assert Segment.objects.get(pk=women.id).archived_at is None
