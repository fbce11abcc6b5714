"""The inbox by machines: held to the same sight as staff, answered through the same gate."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta

import pytest

from accounts import staff
from accounts.models import Organisation, User
from accounts.roles import SCOPES, Permission, Role
from audit.models import Entry
from messaging import dispatch
from messaging.answers import taking
from messaging.attachments import Given
from messaging.models import Answer, Letter, Message
from messaging.transports.memory import Memory
from tests.api.conftest import Machine, Maker, problem
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue
from tests.messaging.portal.conftest import PDF

WORDS = "The new pills make me dizzy. May I halve them?"
LETTER = {"words": "Halve them, and ring us tomorrow.", "purpose": "treatment", "meant": "nothing"}


@pytest.fixture
def nora(at_harbor: Organisation) -> User:
    return staff.add("nora@harbor.example", name="Nora Ferris", role=Role.CARE, now=NOON)


@pytest.fixture
def answer(ada: int, enqueue: Enqueue, memory: Memory) -> Answer:
    enqueue([ada])
    dispatch.run_once(transport=memory, now=NOON)
    later = NOON + timedelta(hours=1)
    return taking.from_portal(Message.objects.get(), WORDS, [Given("claim.pdf", PDF)], now=later)


def test_the_list_has_no_words(machine: Machine, answer: Answer) -> None:
    said = machine.get("answers")
    assert [row["id"] for row in said.json()["answers"]] == [str(answer.id)]
    assert WORDS not in said.content.decode()


def test_reading_one_is_in_the_trail_and_counts_as_read(machine: Machine, answer: Answer) -> None:
    """TR-01"""
    said = machine.get(f"answers/{answer.id}").json()
    assert [turn["words"] for turn in said["said"]] == [WORDS]
    assert said["read_at"] is not None
    entry = Entry.objects.filter(action="message.answer_viewed").latest("id")
    assert (entry.actor_kind, entry.facts()["answer"]) == ("api_key", str(answer.id))


def test_a_file_is_taken_and_the_trail_says_so(machine: Machine, answer: Answer) -> None:
    (file,) = machine.get(f"answers/{answer.id}").json()["said"][0]["files"]
    taken = machine.get(f"answers/{answer.id}/files/{file['id']}")
    assert taken.content == PDF
    assert "claim.pdf" in taken["Content-Disposition"]
    assert Entry.objects.filter(action="message.file_opened").count() == 1


def test_an_answer_goes_through_the_outbox_once(machine: Machine, answer: Answer) -> None:
    path = f"answers/{answer.id}/letters"
    first, again = (machine.post(path, LETTER, Idempotency_Key="k-1").json() for _ in range(2))
    assert first == again
    assert first["state"] == "queued"
    assert Letter.objects.count() == 1
    assert machine.get("answers?show=done").json()["answers"][0]["id"] == str(answer.id)


def test_a_file_that_is_none_is_refused_by_place(machine: Machine, answer: Answer) -> None:
    bad = LETTER | {"attachments": [{"name": "a.exe", "content": b64encode(b"MZ\x00").decode()}]}
    body = problem(machine.post(f"answers/{answer.id}/letters", bad), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/attachments"
    assert not Letter.objects.exists()


def test_control_characters_are_refused_by_place(machine: Machine, answer: Answer) -> None:
    bad = LETTER | {"words": "Halve\x01 them."}
    body = problem(machine.post(f"answers/{answer.id}/letters", bad), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/words"


def test_words_that_may_be_a_no_are_decided_before_an_answer(
    machine: Machine, answer: Answer
) -> None:
    """TC-02"""
    path, silent = f"answers/{answer.id}", LETTER | {"meant": ""}
    assert machine.get(path).json()["may_be_a_no"]
    body = problem(machine.post(f"{path}/letters", silent), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/meant"


def test_it_is_given_to_somebody_who_may_answer(
    machine: Machine, answer: Answer, nora: User
) -> None:
    (handler,) = machine.get("answers/handlers").json()["handlers"]
    given = machine.put(f"answers/{answer.id}/assignment", {"to": handler["id"]}).json()
    assert given["assigned_to"] == str(nora.pk)
    assert machine.get("answers?show=nobody").json()["answers"] == []


def test_it_cannot_be_given_to_who_may_not_read_it(
    machine: Machine, answer: Answer, mara: User
) -> None:
    body = problem(
        machine.put(f"answers/{answer.id}/assignment", {"to": str(mara.pk)}), 422, "invalid"
    )
    assert body["errors"][0]["pointer"] == "/to"


def test_it_is_closed_once_and_taken_back(machine: Machine, answer: Answer) -> None:
    assert machine.post(f"answers/{answer.id}/closing", {}).json()["done_at"]
    problem(machine.post(f"answers/{answer.id}/closing", {}), 409, "conflict")
    assert machine.post(f"answers/{answer.id}/reopening", {}).json()["done_at"] is None


@pytest.mark.parametrize(
    "missing",
    [
        Permission.ANSWERS_HANDLE,
        Permission.CONTACTS_REVEAL_IDENTITY,
        Permission.CONTACTS_REVEAL_CLINICAL,
    ],
)
def test_a_key_without_one_of_the_scopes_reads_nothing(
    at_harbor: Organisation, machine_for: Maker, answer: Answer, missing: Permission
) -> None:
    narrow = machine_for(at_harbor, {*SCOPES} - {missing})
    for path in ("answers", f"answers/{answer.id}"):
        body = problem(narrow.get(path), 403, "scope-missing")
        assert missing.value in body["detail"]
    problem(narrow.post(f"answers/{answer.id}/letters", LETTER), 403, "scope-missing")


def test_another_organisation_finds_nothing(stranger: Machine, answer: Answer) -> None:
    """SE-01"""
    assert stranger.get("answers").json()["answers"] == []
    problem(stranger.get(f"answers/{answer.id}"), 404, "not-found")
    for act in ("closing", "reopening"):
        problem(stranger.post(f"answers/{answer.id}/{act}", {}), 404, "not-found")


def test_a_wrong_question_is_refused_by_place(machine: Machine) -> None:
    body = problem(machine.get("answers?show=all"), 422, "invalid")
    assert body["errors"][0]["pointer"] == "?show"
