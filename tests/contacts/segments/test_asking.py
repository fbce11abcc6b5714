"""A count gives way to a newer question of the same page, and ends at its limit."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from accounts.models import Organisation
from contacts.models import Contact
from contacts.segments import asking, columns, evaluate
from contacts.segments.definition import parse
from crypto.seal import SealBroken
from tests.conftest import NOON
from tests.contacts.segments import world
from tests.ground.server import OwnDatabase

BOSTON = parse({"field": "city", "op": "equals", "value": "Boston"})


@pytest.fixture
def own(committed_db: OwnDatabase) -> Iterator[OwnDatabase]:
    yield committed_db


def holding(turn: asking.Turn, begun: threading.Event, told: list[str]) -> None:
    """Ask a question that takes ten seconds."""
    try:
        with asking.giving_way(turn), transaction.atomic():
            turn()
            begun.set()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(10)")
        told.append("answered")
    except asking.Overtaken:
        told.append("overtaken")
    except asking.TooSlow:
        told.append("too slow")
    finally:
        connection.close()


def test_a_newer_question_cancels_the_statement_of_the_older_one(own: OwnDatabase) -> None:
    begun, told = threading.Event(), list[str]()
    older = asking.Turn.of("mara", "page", 1)
    thread = threading.Thread(target=holding, args=(older, begun, told))
    thread.start()
    assert begun.wait(20)
    newer = asking.Turn.of("mara", "page", 2)
    for _ in range(50):
        with transaction.atomic():
            newer.looked = None
            newer()
        thread.join(0.2)
        if not thread.is_alive():
            break
    assert told == ["overtaken"]


def test_an_older_question_that_comes_late_gives_way_at_once(own: OwnDatabase) -> None:
    begun, told = threading.Event(), list[str]()
    newer = asking.Turn.of("mara", "page", 5, limit=3.0)
    thread = threading.Thread(target=holding, args=(newer, begun, told))
    thread.start()
    assert begun.wait(20)
    with pytest.raises(asking.Overtaken), transaction.atomic():
        asking.Turn.of("mara", "page", 4)()
    thread.join()


def test_another_page_is_left_in_peace(own: OwnDatabase) -> None:
    begun, told = threading.Event(), list[str]()
    first = asking.Turn.of("mara", "one page", 1, limit=1.5)
    thread = threading.Thread(target=holding, args=(first, begun, told))
    thread.start()
    assert begun.wait(20)
    with transaction.atomic():
        asking.Turn.of("mara", "another page", 9)()
    thread.join()
    assert told == ["too slow"]


def test_a_turn_past_its_limit_ends_between_statements() -> None:
    turn = asking.Turn.of("mara", "page", 1, limit=0.0)
    with pytest.raises(asking.TooSlow):
        turn()


def test_a_count_looks_for_newer_questions_while_blocks_come(at_harbor: Organisation) -> None:
    """With a million people it always does: the connection must be free between blocks."""
    world.add([{"city": "Boston"}, {"city": "Quincy"}])
    columns.compact(now=NOON, at_least=1)
    turn = asking.Turn.of("mara", "page", 1)
    looked: list[float] = []

    def look() -> None:
        turn.looked = None if turn.looked is None else 0.0
        turn()
        looked.append(turn.looked or 0.0)

    with transaction.atomic(), asking.giving_way(turn):
        assert evaluate.preview(BOSTON, now=NOON, turn=look).total == 1
    assert len(looked) > 1


def test_a_count_that_gives_way_leaves_its_connection_usable(at_harbor: Organisation) -> None:
    world.add([{"city": "Boston"}])
    columns.compact(now=NOON, at_least=1)
    turns = iter([False, True])

    def turn() -> None:
        if next(turns):
            raise asking.Overtaken

    with pytest.raises(asking.Overtaken):
        evaluate.preview(BOSTON, now=NOON, turn=turn)
    assert evaluate.members(BOSTON, now=NOON).count == 1


def test_a_record_that_does_not_open_leaves_the_connection_usable(
    at_harbor: Organisation,
) -> None:
    ids = world.add([{"city": "Boston"}] * 300)
    row = Contact.objects.get(pk=ids[1])
    Contact.objects.filter(pk=ids[0]).update(contact_point=row.contact_point)
    with pytest.raises(SealBroken), transaction.atomic():
        evaluate.members(BOSTON, now=NOON)
    assert Contact.objects.count() == 300
