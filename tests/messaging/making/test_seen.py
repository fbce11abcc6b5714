"""A draft or a version as one person would get it: values, language, conditions, and the trail."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Organisation, User
from audit.actor import Actor, acting_as
from audit.models import Entry
from contacts.models import Contact
from contacts.reveal import RevealRefused
from messaging.making import drafts, languages, seen
from messaging.models import Template
from tests.conftest import NOON
from tests.messaging.conftest import person, template
from tests.messaging.mails import BODY, FOOT, mjml

IDENTITY = {"identity", "contact_point", "demographic", "engagement"}
DIABETES = {
    "code": "44054006",
    "system": "http://snomed.info/sct",
    "display": "Diabetes",
    "status": "active",
}
ASKED = mjml(
    '<mj-text>Dear {{ contact.given_name | default("you") }},'
    " {% if when.ill %}come to the class{% else %}stay well{% endif %}</mj-text>" + BODY,
    foot=FOOT,
)


@pytest.fixture
def draft(at_harbor: Organisation) -> Template:
    Organisation.objects.filter(pk=at_harbor.pk).update(
        postal_address="1 Quay, Boston", web_origin="https://h.example"
    )
    ill = {"field": "conditions", "op": "has_code", "codes": [DIABETES["code"]]}
    asked = {"ill": {"label": "Has diabetes", "definition": ill}}
    return template(mjml=ASKED, text="", conditions=asked)


def piece(draft: Template) -> seen.Piece:
    return seen.of_draft(draft, drafts.compiled(draft))


def contact(number: str, **values: Any) -> Contact:
    return Contact.objects.get(pk=person(number, **values))


def test_a_draft_prints_a_persons_values_and_asks_their_conditions(draft: Template) -> None:
    ada, eve = contact("ada", conditions=[DIABETES]), contact("eve")
    everything = {*IDENTITY, "clinical", "coverage"}
    with acting_as(Actor("system", "test")):
        shown = [seen.by(piece(draft), one, classes=everything, now=NOON) for one in (ada, eve)]
    assert "Dear Ada, come to the class" in shown[0].said.html
    assert "Dear Eve, stay well" in shown[1].said.html
    assert shown[0].supposed == ()


def test_a_condition_beyond_the_role_is_supposed_and_named(draft: Template, mara: User) -> None:
    """PR-20: a marketer cannot ask about one person's diagnosis by writing a condition."""
    eve = contact("eve")
    narrow = template("narrow", mjml=draft.mjml.replace(BODY, ""), text="",
                      conditions=draft.conditions)  # fmt: skip
    with acting_as(Actor("staff", str(mara.pk))):
        shown = seen.by(piece(narrow), eve, classes=mara.data_classes, now=NOON)
    assert "come to the class" in shown.said.html
    assert shown.supposed == ("Has diabetes",)


def test_looking_at_a_draft_is_in_the_trail(draft: Template, mara: User) -> None:
    """TR-01"""
    eve = contact("eve")
    plain = template("plain", mjml=mjml(BODY, foot=FOOT), text="")
    with acting_as(Actor("staff", str(mara.pk))):
        seen.by(piece(plain), eve, classes=mara.data_classes, now=NOON)
    entry = Entry.objects.filter(action="template.previewed").latest("id")
    assert entry.subject == f"contact:{eve.pk}"
    assert entry.facts() == {"template": str(plain.pk), "version": 0, "classes": ["identity"]}


def test_what_the_reader_may_not_see_is_refused_and_nobody_is_opened(draft: Template) -> None:
    eve = contact("eve")
    with acting_as(Actor("api_key", "k")), pytest.raises(RevealRefused):
        seen.by(piece(draft), eve, classes={"engagement"}, now=NOON)
    assert not Entry.objects.filter(action="contact.revealed").exists()
    assert Entry.objects.get(action="template.previewed").outcome == "refused"


def test_a_draft_is_shown_in_the_language_that_the_person_prefers(at_harbor: Organisation) -> None:
    """AC-02"""
    Organisation.objects.filter(pk=at_harbor.pk).update(postal_address="1 Quay, Boston")
    hello = template("hello", purpose="treatment", text="",
                     mjml=mjml("<mj-text>Hello</mj-text>", foot=FOOT))  # fmt: skip
    row = languages.begin(hello, "es", now=NOON)
    row.mjml = row.mjml.replace("Hello", "Hola")
    languages.keep(row, now=NOON)
    people = [contact("ada", language="es-MX"), contact("eve", language="fr")]
    with acting_as(Actor("system", "test")):
        shown = [seen.by(piece(hello), one, classes=IDENTITY, now=NOON) for one in people]
    assert [one.language for one in shown] == ["es", "en"]
    assert "Hola" in shown[0].said.html
