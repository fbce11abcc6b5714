"""What a batch is told of its people: languages, clocks and conditions, at dispatch."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Organisation
from audit.models import Entry
from contacts.segments import catalogue
from contacts.segments.models import Segment
from messaging import dispatch, evidence, versions
from messaging.models import Message, Template, TemplateVersion, Translation
from messaging.protect import Onward
from messaging.templates_compile import TemplateInvalid
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import SOURCE, approved, person, sign, template
from tests.messaging.mails import BODY, FOOT, TEXT, mjml

from messaging import outbox  # isort: skip

OLDER = {
    "label": "Over 65",
    "definition": {"field": "birth_date", "op": "before", "value": "1961-01-01"},
}
FEET = "{% if when.older %}<mj-text>Mind your step.</mj-text>{% endif %}"
AUTO = ""


def order(version: TemplateVersion, *people: int) -> None:
    outbox.enqueue(
        [
            outbox.Order(
                contact_id=number,
                template_version=version.id,
                purpose=version.purpose,
                source=SOURCE,
                step="one",
                visit=1,
                occurrence="",
                due_at=NOON,
            )
            for number in people
        ],
        now=NOON,
    )


def sent(version: TemplateVersion, *people: int) -> dict[int, str]:
    """Dispatch a version to these people; return what each mail said in plain text."""
    order(version, *people)
    dispatch.run_once(transport=Memory(), now=NOON, onward=Onward.ENFORCED)
    return {row.contact_id: evidence.said(row).text for row in Message.objects.filter(state="sent")}


def with_condition(**more: Any) -> Template:
    made = template("steps", mjml=mjml(BODY + FEET, foot=FOOT), text=AUTO, **more)
    made.conditions = {"older": OLDER}
    made.save()
    return made


@pytest.fixture
def harbor(at_harbor: Organisation) -> Organisation:
    Organisation.objects.filter(pk=at_harbor.pk).update(
        postal_address="1 Quay", web_origin="https://h.example", timezone="America/New_York"
    )
    return at_harbor


def somebody(number: str, **values: object) -> int:
    made = person(number, email=f"{number}@example.org", **values)
    sign(made)
    return made


def test_a_conditional_block_is_shown_to_whom_its_condition_holds_for(harbor: Organisation) -> None:
    old, young = somebody("old"), somebody("young", birth_date="1990-01-01")
    said = sent(approved(with_condition()), old, young)
    assert "Mind your step." in said[old]
    assert "Mind your step." not in said[young]


def test_a_condition_is_asked_once_a_batch_not_once_a_person(harbor: Organisation) -> None:
    version = approved(with_condition())
    counted = []
    for size in (1, 2, 6):
        people = [somebody(f"p{size}x{n}") for n in range(size)]
        order(version, *people)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            dispatch.run_once(transport=Memory(), now=NOON, onward=Onward.ENFORCED)
        counted.append(len(asked))
    assert counted[1] == counted[2]  # the first one loads the version too


def test_what_a_condition_reads_counts_among_the_messages_classes(harbor: Organisation) -> None:
    """W8"""
    version = approved(with_condition())
    assert set(version.data_classes) == {"identity"}
    sick = with_condition_of_sickness()
    assert set(approved(sick).data_classes) >= {"identity", "clinical"}


def with_condition_of_sickness() -> Template:
    made = template("sick", mjml=mjml(BODY + FEET, foot=FOOT), text=AUTO)
    made.conditions = {"older": {"label": "Seen", "definition": {"event": "encounter.finished"}}}
    made.save()
    return made


def test_dispatch_decrypts_only_what_is_printed(harbor: Organisation) -> None:
    """PR-20"""
    version = approved(with_condition_of_sickness())
    sent(version, somebody("ada"))
    entry = Entry.objects.filter(action="contact.revealed").latest("id")
    assert "clinical" not in str(entry.detail)


def test_a_broken_condition_holds_the_message_back(harbor: Organisation) -> None:
    """W6: what is broken is never taken for everybody, nor for nobody."""
    segment = catalogue.save(name="Old", tree=OLDER["definition"], now=NOON)
    draft = with_condition()
    draft.conditions = {"older": {"label": "Old", "definition": {"segment": str(segment.id)}}}
    draft.save()
    version = approved(draft)
    Segment.objects.update(archived_at=NOON)
    assert sent(version, somebody("ada")) == {}
    assert Message.objects.get().refusal_code == "condition_broken"


def bilingual() -> Template:
    made = template("news", text=AUTO)
    Translation.objects.create(
        template=made,
        language="es",
        subject="Noticias",
        mjml=mjml(BODY, foot=FOOT).replace('lang="en"', 'lang="es"').replace("Dear", "Hola"),
        changed_at=NOON,
    )
    return made


@pytest.mark.parametrize(
    ("language", "greeting"), [("es", "Hola"), ("es-MX", "Hola"), ("pl", "Dear"), (None, "Dear")]
)
def test_the_preferred_language_chooses_and_the_templates_own_is_the_fallback(
    harbor: Organisation, language: str | None, greeting: str
) -> None:
    """AC-02"""
    version = approved(bilingual())
    someone = somebody("ada", **({"language": language} if language else {}))
    assert sent(version, someone)[someone].startswith(greeting)


def test_every_language_is_compiled_or_none(harbor: Organisation) -> None:
    """AC-02"""
    draft = bilingual()
    draft.translations.update(mjml=mjml("<mj-text>{{ contact.shoe }}</mj-text>"))
    with pytest.raises(TemplateInvalid) as caught:
        versions.save(draft, now=NOON)
    assert {each.language for each in caught.value.problems} == {"es"}


def test_another_language_makes_another_version(harbor: Organisation) -> None:
    draft = bilingual()
    first = versions.save(draft, now=NOON)
    draft.translations.update(subject="Novedades")
    assert versions.save(draft, now=NOON).number == first.number + 1


def test_times_are_on_the_persons_clock(harbor: Organisation) -> None:
    shown = "{% if contact.last_visit %}{{ contact.last_visit | time }}{% endif %}"
    draft = template("when", text=TEXT + shown)
    draft.declared = ["given_name", "last_visit"]
    draft.save()
    visit = {"encounters": [{"status": "finished", "at": (NOON - timedelta(days=2)).isoformat()}]}
    away, home = somebody("away", state="CO", **visit), somebody("home", **visit)
    said = sent(approved(draft), away, home)
    assert said[away].rstrip().endswith(("MDT", "MST"))
    assert not said[home].rstrip().endswith(("EDT", "EST"))


def test_what_was_kept_before_there_were_locales_opens_still() -> None:
    import msgpack

    from messaging import compose

    raw = msgpack.packb([1, "a@b.example", {}, {}, ["u", "", "", ""], "mail", 0, 0])
    kept = compose.unpacked(raw)
    assert (kept.locale, kept.when) == (None, frozenset())


def test_subjects_are_in_the_persons_language(harbor: Organisation) -> None:
    version = approved(bilingual())
    order(version, somebody("ada", language="es"))
    memory = Memory()
    dispatch.run_once(transport=memory, now=NOON, onward=Onward.ENFORCED)
    row = Message.objects.get()
    assert evidence.said(row).subject == "Noticias"
