"""What people write back: taken in sealed, read by those who may, answered through the gate."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from django.test import Client
from django.urls import reverse

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from audit.models import Entry
from consent import ledger
from consent.models import OptOut, Reply
from contacts import erase
from contacts.models import Event
from messaging import attachments, dispatch, evidence
from messaging.answers import letters, reading
from messaging.models import Answer, Attachment, Letter, Message
from messaging.protect import Onward
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue
from tests.messaging.portal.conftest import PDF, Visitor
from tests.messaging.test_dispatch import parsed
from tests.messaging.test_public import path_in

SignedIn = Callable[[User], Client]
WORDS = "The new pills make me dizzy. May I halve them?"


@pytest.fixture
def nora(at_harbor: Organisation) -> User:
    """Care staff, who may read what people write."""
    return staff.add("nora@harbor.example", name="Nora Ferris", role=Role.CARE, now=NOON)


@pytest.fixture
def inside(ada_waits: Visitor) -> Visitor:
    ada_waits.enter()
    return ada_waits


def named(name: str, content: bytes) -> BytesIO:
    made = BytesIO(content)
    made.name = name
    return made


def reply(who: Visitor, words: str = WORDS, *files: BytesIO) -> int:
    answer = who.client.post(who.path + "/message", {"words": words, "files": list(files)})
    return answer.status_code


def test_a_reply_is_kept_sealed_and_told_to_workflows(inside: Visitor, ada: int) -> None:
    assert reply(inside) == 303
    row = Answer.objects.get()
    assert (row.way, row.contact_id, row.read_at) == ("portal", ada, None)
    assert b"dizzy" not in bytes(row.words)
    event = Event.objects.get(kind="message.replied")
    assert event.source == "portal" and b"dizzy" not in bytes(event.properties or b"")
    entry = Entry.objects.get(action="message.answered")
    assert (entry.actor_kind, entry.facts()) == ("patient", {"channel": "portal"})
    assert WORDS in inside.message().replace("&#x27;", "'")


def test_the_day_of_a_reply_is_written_as_the_page_speaks(inside: Visitor) -> None:
    """AC-02"""
    reply(inside)
    assert ">March 2, 2026<" in inside.message()
    spanish = inside.client.get(inside.path + "/message?lang=es").content.decode()
    assert ">2 de marzo de 2026<" in spanish


def test_files_come_with_it_told_by_their_content(inside: Visitor) -> None:
    assert reply(inside, WORDS, named("scan.exe", PDF)) == 303
    row = Attachment.objects.get()
    assert (row.media_type, row.answer_id) == ("application/pdf", Answer.objects.get().id)
    assert "scan.pdf" in inside.message()
    assert attachments.of_message(row.message_id) == [], "it is no file of the message itself"


@pytest.mark.parametrize(
    ("words", "files"),
    [
        ("", []),
        ("x" * 10_001, []),
        ("see", [named("page.html", b"<html><script>1</script>")]),
        ("see", [named(f"{place}.txt", b"hello") for place in range(6)]),
        ("see", [named("a.svg", b"<svg onload=alert(1)>")]),
        ("see", [named("a.pdf", b"%PDF-" + b"0" * 10 * 1024 * 1024)]),
    ],
)
def test_what_cannot_be_taken_is_said_and_what_was_written_stays(
    inside: Visitor, words: str, files: list[BytesIO]
) -> None:
    for one in files:
        one.seek(0)
    assert reply(inside, words, *files) == 422
    assert not Answer.objects.exists()
    assert not Attachment.objects.exists()


def test_replies_are_rationed(inside: Visitor) -> None:
    statuses = [reply(inside, f"note {place}") for place in range(11)]
    assert statuses == [303] * 10 + [422]


def test_without_a_pass_nobody_replies(ada_waits: Visitor) -> None:
    assert reply(ada_waits) == 303
    assert not Answer.objects.exists()


def test_a_clear_no_counts_at_once(inside: Visitor) -> None:
    """CS-08"""
    reply(inside, "STOP")
    assert OptOut.objects.filter(keyword=True, lifted_at=None).exists()


def test_what_may_be_a_no_waits_for_the_consent_room(inside: Visitor) -> None:
    reply(inside)
    assert Reply.objects.filter(decided_at=None).count() == 1


def test_words_of_any_length_fit_the_event(inside: Visitor) -> None:
    assert reply(inside, "ñ" * 10_000) == 303
    assert Event.objects.filter(kind="message.replied").count() == 1


def test_the_words_go_with_the_person(inside: Visitor, ada: int) -> None:
    reply(inside)
    erase.erase(ada, now=NOON)
    assert bytes(Answer.objects.get().words) == b""
    assert [one.words for one in reading.of_message(Message.objects.get())] == [""]


# The inbox


def test_staff_who_may_read_it_find_it_and_each_look_is_in_the_trail(
    inside: Visitor, nora: User, sign_in_as: SignedIn
) -> None:
    reply(inside, WORDS, named("scan.pdf", PDF))
    client, row = sign_in_as(nora), Answer.objects.get()
    listed = client.get(reverse("inbox")).content.decode()
    assert "Unread" in listed and "dizzy" not in listed
    page = client.get(reverse("inbox-one", args=[row.id])).content.decode()
    assert "dizzy" in page and "scan.pdf" in page
    assert Entry.objects.get(action="message.answer_viewed").facts() == {"answer": str(row.id)}
    number = Attachment.objects.get().pk
    given = client.get(reverse("inbox-file", args=[row.id, number]))
    assert given.content == PDF and given["Content-Disposition"].startswith("attachment")
    assert "Unread" not in client.get(reverse("inbox")).content.decode()


def test_replies_by_mail_stand_there_too(
    enqueue: Enqueue, ada: int, nora: User, sign_in_as: SignedIn
) -> None:
    from tests.messaging.test_answers import write

    enqueue([ada])
    dispatch.run_once(transport=Memory(), now=NOON, onward=Onward.ENFORCED)
    write(Message.objects.get(), WORDS)
    assert Answer.objects.get().way == "mail"
    assert "E-mail" in sign_in_as(nora).get(reverse("inbox")).content.decode()


@pytest.mark.parametrize("role", [one for one in Role if one not in (Role.CARE, Role.COMPLIANCE)])
def test_other_roles_do_not_come_in(
    inside: Visitor, at_harbor: Organisation, sign_in_as: SignedIn, role: Role
) -> None:
    reply(inside)
    other = staff.add("other@harbor.example", name="Other", role=role, now=NOON)
    client, row = sign_in_as(other), Answer.objects.get()
    assert client.get(reverse("inbox")).status_code == 403
    assert client.get(reverse("inbox-one", args=[row.id])).status_code == 403
    assert client.post(reverse("inbox-one", args=[row.id]), {"words": "hm"}).status_code == 403


def test_another_organisation_finds_nothing(
    inside: Visitor, ivy: User, sign_in_as: SignedIn
) -> None:
    reply(inside, WORDS, named("scan.pdf", PDF))
    row, number = Answer.objects.get(), Attachment.objects.get().pk
    with tenancy.acting_for(ivy.organisation_id):
        User.objects.filter(pk=ivy.pk).update(role=Role.CARE)
    ivy.role = Role.CARE
    client = sign_in_as(ivy)
    for name, more in (("inbox-one", []), ("inbox-file", [number])):
        assert client.get(reverse(name, args=[row.id, *more])).status_code == 404
    for name in ("inbox-assign", "inbox-done"):
        assert client.post(reverse(name, args=[row.id])).status_code == 404


def test_it_can_be_given_to_a_colleague_and_done(
    inside: Visitor, nora: User, omar: User, sign_in_as: SignedIn
) -> None:
    reply(inside)
    client, row = sign_in_as(nora), Answer.objects.get()
    client.post(reverse("inbox-assign", args=[row.id]), {"to": str(omar.pk)})
    assert "Omar" in client.get(reverse("inbox")).content.decode()
    assert "Nobody waits" in client.get(reverse("inbox") + "?show=mine").content.decode()
    client.post(reverse("inbox-done", args=[row.id]))
    row.refresh_from_db()
    assert row.done_by == str(nora.pk)
    client.post(reverse("inbox-done", args=[row.id]), {"act": "reopen"})
    row.refresh_from_db()
    assert row.done_at is None


def test_it_cannot_be_given_to_who_may_not_read_it(
    inside: Visitor, nora: User, mara: User, sign_in_as: SignedIn
) -> None:
    reply(inside)
    row = Answer.objects.get()
    sign_in_as(nora).post(reverse("inbox-assign", args=[row.id]), {"to": str(mara.pk)})
    row.refresh_from_db()
    assert row.assigned_to == ""


# The answer back


def written(client: Client, row: Answer, words: str = "Please do not. We call you.") -> object:
    return client.post(
        reverse("inbox-one", args=[row.id]), {"words": words, "purpose": "treatment"}
    )


def test_the_answer_goes_through_the_outbox_and_comes_to_the_portal(
    inside: Visitor, nora: User, sign_in_as: SignedIn
) -> None:
    reply(inside, "thanks")
    client, row = sign_in_as(nora), Answer.objects.get()
    assert written(client, row).status_code == 302  # type: ignore[attr-defined]
    letter = Letter.objects.get()
    assert b"call you" not in bytes(letter.words)
    row.refresh_from_db()
    assert row.done_at is not None
    memory = Memory()
    dispatch.run_once(transport=memory, now=inside.clock.now, onward=Onward.OPPORTUNISTIC)
    (notice,) = memory.sent
    assert b"call you" not in notice.data
    inside.path = path_in(next(parsed(notice).iter_parts()).get_content(), "p")
    inside.clock.forward(minutes=2)
    inside.enter()
    assert "Harbor Clinic answers you" in inside.message()
    assert "You wrote" in inside.message() and "thanks" in inside.message()
    assert "Please do not." in inside.client.get(inside.path + "/body").content.decode()


def test_who_answers_a_question_says_first_whether_it_is_a_no_and_then_it_goes_at_once(
    inside: Visitor, nora: User, sign_in_as: SignedIn
) -> None:
    """While the consent room waits for a reader, an answer of ours would wait with the rest."""
    reply(inside)
    client, row = sign_in_as(nora), Answer.objects.get()
    address = reverse("inbox-one", args=[row.id])
    assert "ask us to stop?" in client.get(address).content.decode()
    assert written(client, row).status_code == 422  # type: ignore[attr-defined]
    given = {"words": "No. We call you.", "purpose": "treatment", "meant": "nothing"}
    assert client.post(address, given).status_code == 302
    assert Reply.objects.get().decided_by == str(nora.pk)
    done = dispatch.run_once(transport=Memory(), now=inside.clock.now, onward=Onward.OPPORTUNISTIC)
    assert done.sent == 1


def test_a_no_that_who_answers_sees_in_it_counts_and_nothing_is_sent(
    inside: Visitor, nora: User, sign_in_as: SignedIn
) -> None:
    reply(inside)
    address = reverse("inbox-one", args=[Answer.objects.get().id])
    given = {"words": "As you wish.", "purpose": "treatment", "meant": "everything"}
    assert sign_in_as(nora).post(address, given).status_code == 422
    assert OptOut.objects.filter(lifted_at=None).exists()
    assert not Letter.objects.exists()


def test_what_staff_write_is_printed_literally(
    inside: Visitor, nora: User, sign_in_as: SignedIn
) -> None:
    """SE-03"""
    reply(inside, "thanks")
    written(sign_in_as(nora), Answer.objects.get(), "{{ 7*7 }} <script>alert(1)</script>\n\nBye")
    memory = Memory()
    dispatch.run_once(transport=memory, now=inside.clock.now, onward=Onward.ENFORCED)
    text, html = (part.get_content() for part in parsed(memory.sent[0]).iter_parts())
    assert "{{ 7*7 }} <script>" in text
    assert "{{ 7*7 }} &lt;script&gt;" in html and "49" not in text


def test_the_gate_is_asked_and_its_no_is_told_with_what_would_change_it(
    inside: Visitor, nora: User, ada: int, sign_in_as: SignedIn
) -> None:
    reply(inside, "thanks")
    ledger.opt_out(ada, received_by="phone", now=NOON)
    row = Answer.objects.get()
    page = written(sign_in_as(nora), row)
    assert page.status_code == 422  # type: ignore[attr-defined]
    assert "Not sent:" in page.content.decode()  # type: ignore[attr-defined]
    assert "We call you." in page.content.decode(), "what was written stays"  # type: ignore[attr-defined]
    assert not Letter.objects.exists()
    assert Message.objects.get(source=letters.SOURCE).state == "refused"
    row.refresh_from_db()
    assert row.done_at is None


def test_a_letter_is_never_marketing(inside: Visitor, nora: User, sign_in_as: SignedIn) -> None:
    reply(inside, "thanks")
    row = Answer.objects.get()
    client = sign_in_as(nora)
    for purpose in ("marketing", "research", ""):
        given = {"words": "Buy!", "purpose": purpose}
        assert client.post(reverse("inbox-one", args=[row.id]), given).status_code == 422
    assert not Letter.objects.exists()


def test_it_is_protected_as_what_it_answers(
    inside: Visitor, nora: User, sign_in_as: SignedIn
) -> None:
    """A reply to what may only stand on the portal is answered there and nowhere else."""
    Message.objects.update(classes=["clinical", "hiv", "identity"])
    reply(inside, "thanks")
    written(sign_in_as(nora), Answer.objects.get())
    dispatch.run_once(transport=Memory(), now=inside.clock.now, onward=Onward.ENFORCED)
    letter = Message.objects.get(source=letters.SOURCE)
    assert (letter.state, letter.route) == ("sent", "portal")
    assert "Please do not." in evidence.said(letter).text


def test_the_page_around_letters_is_made_once_and_offered_to_nobody(
    inside: Visitor, nora: User, mara: User, sign_in_as: SignedIn
) -> None:
    reply(inside, "thanks")
    written(sign_in_as(nora), Answer.objects.get())
    written(sign_in_as(nora), Answer.objects.get())
    assert letters.version(now=NOON).number == 1
    page = sign_in_as(mara).get(reverse("templates")).content.decode()
    assert "Letter from staff" not in page
