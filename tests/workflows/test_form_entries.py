"""People come in by completing a form, and leave with the segment that they must be in."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from consent import completed
from consent.signing import designing
from contacts import events
from tests.conftest import NOON
from tests.workflows.conftest import people
from tests.workflows.test_steps_in_depth import LONG, Draw, ada, draw, go, places
from workflows import runner, triggers
from workflows.models import Enrolment
from workflows.problems import GraphInvalid

__all__ = ["ada", "draw"]
pytestmark = pytest.mark.usefixtures("committed_db")
DAY = timedelta(days=1)


@pytest.fixture
def form(ada: int) -> UUID:
    return designing.create("Agreement", now=NOON).id


def test_who_completes_the_form_comes_in_and_nobody_by_another(
    draw: Draw, ada: int, form: UUID
) -> None:
    other = designing.create("Another", now=NOON).id
    (ben,) = people("ben")
    draw(LONG, trigger={"kind": "form", "form": str(form)})
    completed.tell(ada, form, now=NOON)
    completed.tell(ben, other, now=NOON)
    assert triggers.run_once(now=NOON).entered == 1
    assert Enrolment.objects.get().contact_id == ada


def test_each_time_again_if_it_says_so(draw: Draw, ada: int, form: UUID) -> None:
    draw(LONG, trigger={"kind": "form", "form": str(form), "again": "each"})
    for day in range(2):
        completed.tell(ada, form, now=NOON + day * DAY)
        triggers.run_once(now=NOON + day * DAY)
    assert Enrolment.objects.count() == 2


def test_a_form_that_is_not_there_does_not_go_live(draw: Draw, ada: int) -> None:
    with pytest.raises(GraphInvalid, match="no such form"):
        draw(LONG, trigger={"kind": "form", "form": str(UUID(int=5))})


def test_who_leaves_the_segment_leaves_whatever_let_them_in(
    draw: Draw, ada: int, women: str
) -> None:
    workflow = draw(LONG, trigger={"kind": "api", "while": women})
    (eve,) = people("eve", gender="female")
    go(workflow, ada, eve)
    left = events.NewEvent(
        contact_id=ada, kind="segment.left", occurred_at=NOON + DAY, campaign=UUID(women)
    )
    events.append([left], now=NOON + DAY)
    triggers.run_once(now=NOON + DAY)
    runner.run_once(now=NOON + DAY)
    assert places() == ["stopped:segment.left", "long"]
