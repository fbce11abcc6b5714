"""What staff see of templates and messages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Organisation, User
from audit.models import Entry
from contacts import custom_fields
from contacts.models import Contact
from messaging import dispatch
from messaging.models import Message, Template, TemplateVersion
from messaging.protect import Onward
from messaging.transports.base import Fate, Outcome
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue, template
from tests.messaging.mails import SUBJECT, TEXT, mjml

SignedIn = Callable[[User], Client]
DRAFT = {
    "name": "News",
    "subject": SUBJECT,
    "mjml": mjml(),
    "text": TEXT,
    "declared": ["given_name"],
}


def text(client: Client, route: str, *args: object) -> str:
    answer = client.get(reverse(route, args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_says_which_version_waits(
    sign_in_as: SignedIn, mara: User, version: TemplateVersion
) -> None:
    page = text(sign_in_as(mara), "templates")
    assert "News" in page
    assert "Approved" in page


def test_a_new_template_begins_with_one_that_compiles(
    sign_in_as: SignedIn, mara: User, at_harbor: Organisation
) -> None:
    client = sign_in_as(mara)
    client.post(reverse("templates"), {"name": "Spring", "purpose": "marketing"})
    made = Template.objects.get(slug="spring")
    assert "No problems" in text(client, "template", made.id)


def test_problems_are_shown_while_typing_and_nothing_is_saved(
    sign_in_as: SignedIn, mara: User, at_harbor: Organisation
) -> None:
    draft = template()
    spoilt = DRAFT | {"subject": "For {{ contact.given_name }}"}
    answer = sign_in_as(mara).post(reverse("template-problems", args=[draft.id]), spoilt)
    assert "Subject, line 1" in answer.content.decode()
    draft.refresh_from_db()
    assert draft.subject == SUBJECT


def test_a_version_is_made_from_a_draft_without_problems(
    sign_in_as: SignedIn, mara: User, at_harbor: Organisation
) -> None:
    draft = template()
    sign_in_as(mara).post(reverse("template", args=[draft.id]), DRAFT | {"act": "version"})
    version = TemplateVersion.objects.get()
    assert (version.number, version.author_id) == (1, str(mara.pk))


def test_a_draft_with_problems_is_kept_but_makes_no_version(
    sign_in_as: SignedIn, mara: User, at_harbor: Organisation
) -> None:
    draft = template()
    spoilt = DRAFT | {"act": "version", "text": "{{ contact.shoe }}"}
    sign_in_as(mara).post(reverse("template", args=[draft.id]), spoilt)
    draft.refresh_from_db()
    assert draft.text == "{{ contact.shoe }}"
    assert not TemplateVersion.objects.exists()


def test_an_approver_approves_and_the_author_cannot(
    sign_in_as: SignedIn, mara: User, approver: User, at_harbor: Organisation
) -> None:
    draft = template()
    client = sign_in_as(mara)
    client.post(reverse("template", args=[draft.id]), DRAFT | {"act": "version"})
    address = reverse("template-approve", args=[draft.id, 1])
    assert client.post(address).status_code == 403
    assert not hasattr(TemplateVersion.objects.get(), "approval")
    sign_in_as(approver).post(address)
    assert TemplateVersion.objects.get().approval.approver_id == str(approver.pk)


def test_a_preview_as_a_contact_is_in_the_trail(
    sign_in_as: SignedIn, mara: User, version: TemplateVersion, ada: int
) -> None:
    client = sign_in_as(mara)
    address = reverse("template-preview", args=[version.template_id, version.number])
    there = client.post(address, {"number": "ada"})
    public_id = Contact.objects.get(id=ada).public_id
    assert there["Location"] == f"{address}?contact={public_id}"
    assert "Dear Ada," in client.get(there["Location"]).content.decode()
    entry = Entry.objects.filter(action="template.previewed").latest("id")
    assert (entry.subject, entry.actor_id) == (f"contact:{ada}", str(mara.pk))


def test_a_preview_shows_the_mail_in_a_frame_that_can_do_nothing(
    sign_in_as: SignedIn, mara: User, version: TemplateVersion
) -> None:
    answer = sign_in_as(mara).get(
        reverse("template-body", args=[version.template_id, version.number])
    )
    policy = answer["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert "Dear neighbour," in answer.content.decode()


def test_a_sent_message_says_why_it_was_permitted(
    sign_in_as: SignedIn, mara: User, enqueue: Enqueue, ada: int
) -> None:
    enqueue([ada])
    dispatch.run_once(transport=Memory(), now=NOON, onward=Onward.ENFORCED)
    row = Message.objects.get()
    page = text(sign_in_as(mara), "message", row.public_id)
    assert "Sent, because it was permitted" in page
    assert "signed authorization" in page
    assert row.message_id_header.strip("<>") in page
    assert "Ada" not in page


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((Fate.REJECTED, "550 5.1.1", ""), "refused it for good"),
        ((Fate.DEFERRED, "451", ""), "not now"),
        ((Fate.NOT_TRIED, "", "connect_failed"), "could not be reached"),
        ((Fate.UNCLEAR, "", "connection_lost"), "may have been delivered"),
    ],
)
def test_a_message_that_was_not_sent_says_why(
    sign_in_as: SignedIn,
    mara: User,
    enqueue: Enqueue,
    ada: int,
    answer: tuple[Fate, str, str],
    sentence: str,
) -> None:
    enqueue([ada])
    memory = Memory(answer=lambda mail: Outcome(mail.number, *answer))
    dispatch.run_once(transport=memory, now=NOON, onward=Onward.ENFORCED)
    assert sentence in text(sign_in_as(mara), "message", Message.objects.get().public_id)


def test_a_refused_message_teaches(
    sign_in_as: SignedIn, mara: User, enqueue: Enqueue, cleo: int
) -> None:
    enqueue([cleo])
    page = text(sign_in_as(mara), "message", Message.objects.get().public_id)
    assert "Not sent, because it was not permitted" in page
    assert "Offer the person the authorization form." in page


def test_the_list_of_messages_pages_by_key_and_filters(
    sign_in_as: SignedIn, mara: User, enqueue: Enqueue, ada: int, ben: int
) -> None:
    enqueue([ada, ben])
    client = sign_in_as(mara)
    assert text(client, "messages").count("<tr>") == 3
    refused = client.get(reverse("messages"), {"state": "refused"}).content.decode()
    assert refused.count("<tr>") == 2


def test_reading_what_it_said_needs_a_role_that_may(
    sign_in_as: SignedIn, mara: User, omar: User, enqueue: Enqueue, ada: int
) -> None:
    """SE-02"""
    enqueue([ada], path_classes=frozenset({"clinical"}))
    dispatch.run_once(transport=Memory(), now=NOON, onward=Onward.ENFORCED)
    address = reverse("message-said", args=[Message.objects.get().public_id])
    assert sign_in_as(mara).get(address).status_code == 404
    answer = sign_in_as(omar).get(address)
    assert "Dear Ada," in answer.content.decode()
    assert Entry.objects.filter(action="message.viewed", actor_id=str(omar.pk)).exists()


def test_another_organisation_sees_nothing(
    sign_in_as: SignedIn, ivy: User, enqueue: Enqueue, ada: int
) -> None:
    """SE-01"""
    enqueue([ada])
    address = reverse("message", args=[Message.objects.get().public_id])
    assert sign_in_as(ivy).get(address).status_code in (403, 404)


@pytest.mark.parametrize(("classes", "joined"), [(frozenset[str](), 1), ({"clinical"}, 0)])
def test_a_person_is_joined_to_a_message_only_where_the_role_may_know_what_it_betrays(
    sign_in_as: SignedIn,
    mara: User,
    enqueue: Enqueue,
    ada: int,
    classes: frozenset[str],
    joined: int,
) -> None:
    """SE-02: the name of a message tells what its reader has; its class here is the path's."""
    enqueue([ada], path_classes=frozenset(classes))
    client, row = sign_in_as(mara), Message.objects.get()
    person = Contact.objects.get(pk=ada)
    link = reverse("contact", args=[person.public_id])
    assert text(client, "messages").count(link) == joined
    assert text(client, "message", row.public_id).count(link) == joined
    page = text(client, "contact", person.public_id)
    assert page.count(reverse("message", args=[row.public_id])) == joined
    assert page.count("News") == joined


def test_pr40_messages_beyond_a_role_are_not_listed_to_be_counted(
    enqueue: Enqueue, ada: int, mara: User, omar: User, sign_in_as: SignedIn
) -> None:
    enqueue([ada], path_classes=frozenset({"clinical"}))
    listed = text(sign_in_as(mara), "messages")
    assert (
        "are not listed" in listed
        and "/messages/" + str(Message.objects.get().public_id) not in listed
    )
    assert str(Message.objects.get().public_id) in text(sign_in_as(omar), "messages")


def test_pr30_a_template_offers_no_labelled_field_to_a_marketer_and_keeps_one_it_has(
    at_harbor: Organisation, mara: User, omar: User, sign_in_as: SignedIn
) -> None:
    key = custom_fields.add(
        label="Viral load", type_="text", data_class="demographic", labels=["hiv"], now=NOON
    ).key
    plain, using = template("plain"), template("using")
    using.declared = [key]
    using.save()
    client = sign_in_as(mara)
    assert "iral" not in client.get(reverse("template", args=[plain.pk])).content.decode()
    page = client.get(reverse("template", args=[using.pk])).content.decode()
    assert "A restricted field" in page and "Viral load" not in page
