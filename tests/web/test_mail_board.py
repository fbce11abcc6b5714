"""The drawing board's doors: drafts, checks, pictures and trials."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from contacts.segments import catalogue, membership
from deploy.mailbox import Mailbox
from messaging.making import blocks, languages
from messaging.models import ContentBlock, Picture, Template, TemplateVersion
from tests.conftest import NOON
from tests.messaging.conftest import approved, person, template
from tests.messaging.mails import BODY, FOOT, mjml
from tests.messaging.pictures.test_keeping import photo
from tests.workflows.conftest import WOMEN, people

SignIn = Callable[[User], Client]


@pytest.fixture
def draft(at_harbor: Organisation) -> Template:
    Organisation.objects.filter(pk=at_harbor.pk).update(
        postal_address="1 Quay, Boston", web_origin="https://h.example"
    )
    return template("news")


def post(client: Client, draft: Template, act: str, **body: Any) -> Any:
    language = body.pop("language", "")
    told = {"subject": draft.subject, "mjml": draft.mjml} | body
    where = f"/templates/{draft.id}/board/{act}/" + (f"?language={language}" if language else "")
    return client.post(where, json.dumps(told), content_type="application/json")


def test_the_board_alone_may_lay_out_with_inline_styles(
    sign_in_as: SignIn, mara: User, draft: Template
) -> None:
    client = sign_in_as(mara)
    policy = client.get(f"/templates/{draft.id}/board/")["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe-inline" not in client.get("/templates/")["Content-Security-Policy"]


def test_a_diagnosis_in_the_subject_is_flagged_while_drawing(
    sign_in_as: SignIn, mara: User, draft: Template
) -> None:
    answer = post(sign_in_as(mara), draft, "check", subject="Your {{ contact.conditions }}")
    assert answer.json()["problems"][0]["part"] == "Subject"


def test_a_sound_draft_is_shown_as_an_invented_person_gets_it(
    sign_in_as: SignIn, mara: User, draft: Template
) -> None:
    told = post(sign_in_as(mara), draft, "check").json()
    assert told["problems"] == []
    assert "Dear Alex" in told["html"]


@pytest.mark.parametrize("letter", ["\0", "\ud800"])
def test_letters_that_no_database_keeps_are_refused(
    sign_in_as: SignIn, mara: User, draft: Template, letter: str
) -> None:
    answer = post(sign_in_as(mara), draft, "save", subject=letter, seen="")
    assert answer.status_code == 400


def test_what_is_on_the_board_is_shown_as_a_chosen_contact_and_not_saved(
    sign_in_as: SignIn, mara: User, draft: Template
) -> None:
    person("ada")
    typed = mjml('<mj-text>Hi {{ contact.given_name | default("you") }}!</mj-text>', foot=FOOT)
    told = post(sign_in_as(mara), draft, "preview", mjml=typed, number="ada").json()
    assert "Hi Ada!" in told["looks"]["dark"]
    assert "Dear Ada," in told["text"]
    draft.refresh_from_db()
    assert draft.mjml != typed


def test_a_number_that_nobody_has_is_told_in_words(
    sign_in_as: SignIn, mara: User, draft: Template
) -> None:
    answer = post(sign_in_as(mara), draft, "preview", number="nobody")
    assert answer.status_code == 422
    assert "record number" in answer.json()["detail"]


def test_a_designer_cannot_look_as_a_contact(
    sign_in_as: SignIn, at_harbor: Organisation, draft: Template
) -> None:
    person("ada")
    dan = staff.add("dan@harbor.example", name="Dan Roe", role=Role.DESIGNER, now=NOON)
    answer = post(sign_in_as(dan), draft, "preview", number="ada")
    assert answer.json() == {"detail": "Your role may not look contacts up."}


def test_a_translation_is_drawn_checked_and_saved_beside_the_main_words(
    sign_in_as: SignIn, mara: User, draft: Template
) -> None:
    """AC-02"""
    row = languages.begin(draft, "es", now=NOON)
    new = mjml("<mj-text>Hola</mj-text>" + BODY, foot=FOOT).replace('lang="en"', 'lang="es"')
    client, asked = sign_in_as(mara), {"subject": "Noticias", "mjml": new}
    assert post(client, draft, "check", language="es", **asked).json()["problems"] == []
    seen = row.changed_at.isoformat()
    assert post(client, draft, "save", language="es", seen=seen, **asked).status_code == 200
    row.refresh_from_db()
    draft.refresh_from_db()
    assert (row.subject, row.mjml) == ("Noticias", new)
    assert draft.subject != "Noticias"


def test_the_board_of_a_translation_says_that_it_lags_and_what_the_fallback_is(
    sign_in_as: SignIn, mara: User, draft: Template
) -> None:
    """AC-02"""
    languages.begin(draft, "es", now=NOON)
    Template.objects.filter(pk=draft.pk).update(subject="Other news")
    page = sign_in_as(mara).get(f"/templates/{draft.id}/board/?language=es").content.decode()
    assert "Who prefers another gets English." in page
    assert "The English words changed since Spanish was held against them." in page


def test_a_block_of_the_board_is_saved_and_published_under_a_name(
    sign_in_as: SignIn, mara: User, draft: Template
) -> None:
    piece = '<mj-text>Dear {{ contact.given_name | default("you") }},</mj-text>'
    told = post(sign_in_as(mara), draft, "blocks", name="Our greeting", mjml=piece)
    assert (told.status_code, told.json()["slug"]) == (201, "our-greeting")
    assert blocks.published()["our-greeting"].declared == ("given_name",)


def test_a_block_that_cannot_stand_alone_is_refused_and_not_kept(
    sign_in_as: SignIn, mara: User, draft: Template
) -> None:
    piece = "<mj-text>{% if when.ill %}Come{% endif %}</mj-text>"
    answer = post(sign_in_as(mara), draft, "blocks", name="Asks", mjml=piece)
    assert answer.status_code == 422
    assert "cannot stand alone" in answer.json()["detail"]
    assert not ContentBlock.objects.exists()


def test_a_template_is_copied_with_its_languages_and_no_version(
    sign_in_as: SignIn, mara: User, draft: Template
) -> None:
    languages.begin(draft, "es", now=NOON)
    sign_in_as(mara).post(f"/templates/{draft.id}/copies/")
    made = Template.objects.get(name="Copy of News")
    assert (made.mjml, made.declared) == (draft.mjml, draft.declared)
    assert [one.language for one in made.translations.all()] == ["es"]
    assert not made.versions.exists()


def test_who_only_reads_neither_copies_nor_shares(
    sign_in_as: SignIn, at_harbor: Organisation, draft: Template
) -> None:
    ann = staff.add("ann@harbor.example", name="Ann Lee", role=Role.ANALYST, now=NOON)
    client = sign_in_as(ann)
    assert client.post(f"/templates/{draft.id}/copies/").status_code == 403
    assert post(client, draft, "blocks", name="x", mjml="<mj-text>x</mj-text>").status_code == 403


def test_a_language_that_the_template_lacks_cannot_be_drawn(
    sign_in_as: SignIn, mara: User, draft: Template
) -> None:
    client = sign_in_as(mara)
    assert client.get(f"/templates/{draft.id}/board/?language=fr").status_code == 404


def test_another_organisations_contact_is_nobody(
    sign_in_as: SignIn, ivy: User, mara: User, draft: Template
) -> None:
    """SE-01"""
    with tenancy.acting_for(ivy.organisation_id):
        person("far")
    answer = post(sign_in_as(mara), draft, "preview", number="far")
    assert answer.status_code == 422


def test_saving_keeps_the_draft(sign_in_as: SignIn, mara: User, draft: Template) -> None:
    new = mjml("<mj-text>Hello</mj-text>" + BODY, foot=FOOT)
    answer = post(sign_in_as(mara), draft, "save", mjml=new, seen=draft.changed_at.isoformat())
    draft.refresh_from_db()
    assert (answer.status_code, draft.mjml) == (200, new)


def test_what_another_saved_meanwhile_is_not_overwritten(
    sign_in_as: SignIn, mara: User, draft: Template
) -> None:
    client, seen = sign_in_as(mara), draft.changed_at.isoformat()
    post(client, draft, "save", seen=seen)
    assert post(client, draft, "save", seen=seen, subject="Late").status_code == 409


def test_a_picture_needs_words(sign_in_as: SignIn, mara: User, draft: Template) -> None:
    upload = SimpleUploadedFile("a.jpg", photo(), "image/jpeg")
    answer = sign_in_as(mara).post(f"/templates/{draft.id}/board/pictures/", {"picture": upload})
    assert (answer.status_code, Picture.objects.count()) == (422, 0)


def test_a_picture_comes_back_with_its_address(
    sign_in_as: SignIn, mara: User, draft: Template
) -> None:
    upload = SimpleUploadedFile("a.jpg", photo(), "image/jpeg")
    answer = sign_in_as(mara).post(
        f"/templates/{draft.id}/board/pictures/", {"picture": upload, "alt": "A doctor"}
    )
    assert answer.json()["src"].startswith("https://h.example/m/i/")


def test_a_mail_with_our_picture_compiles(sign_in_as: SignIn, mara: User, draft: Template) -> None:
    client = sign_in_as(mara)
    upload = SimpleUploadedFile("a.jpg", photo(), "image/jpeg")
    src = client.post(
        f"/templates/{draft.id}/board/pictures/", {"picture": upload, "alt": "A doctor"}
    ).json()["src"]
    new = mjml(f'<mj-image src="{src}" alt="A doctor" />' + BODY, foot=FOOT)
    assert post(client, draft, "check", mjml=new).json()["problems"] == []


def test_a_trial_reaches_oneself_with_nobodys_values(
    sign_in_as: SignIn, mara: User, draft: Template, mailbox: Mailbox, settings: Any
) -> None:
    settings.SMTP_HOST, settings.SMTP_PORT = "localhost", mailbox.port
    settings.SMTP_CA_FILE = str(mailbox.ca_file)
    settings.SMTP_USER = settings.SMTP_PASSWORD = ""
    sign_in_as(mara).post(f"/templates/{draft.id}/board/test/")
    (letter,) = mailbox.letters()
    assert letter.recipient == "mara@harbor.example"
    assert "[Test]" in letter.subject


ACTS = ("save", "check", "pictures", "test")


@pytest.mark.parametrize("act", ACTS)
def test_an_approver_draws_nothing(
    sign_in_as: SignIn, harbor: Organisation, draft: Template, act: str
) -> None:
    with tenancy.acting_for(harbor.pk):
        nora = staff.add("nora@harbor.example", name="Nora", role=Role.APPROVER, now=NOON)
    assert post(sign_in_as(nora), draft, act).status_code == 403


@pytest.mark.parametrize("act", ACTS)
def test_another_organisation_finds_no_draft_of_ours(
    sign_in_as: SignIn, hill: Organisation, draft: Template, act: str
) -> None:
    with tenancy.acting_for(hill.pk):
        max_ = staff.add("max@hill.example", name="Max", role=Role.MARKETER, now=NOON)
    assert post(sign_in_as(max_), draft, act).status_code == 404


@pytest.fixture
def version(draft: Template) -> TemplateVersion:
    draft.mjml = mjml('<mj-image src="https://h.example/m/i/x.png" alt="A doctor" />' + BODY,
                      foot=FOOT)  # fmt: skip
    draft.save()
    return approved(draft)


def body(client: Client, version: TemplateVersion, look: str) -> str:
    path = f"/templates/{version.template_id}/versions/{version.number}/body/?look={look}"
    return client.get(path).content.decode()


def test_before_pictures_load_their_words_stand_there(
    sign_in_as: SignIn, mara: User, version: TemplateVersion
) -> None:
    html = body(sign_in_as(mara), version, "plain")
    assert "m/i/x.png" not in html
    assert 'alt="A doctor"' in html


def test_on_a_dark_screen_colours_turn_round(
    sign_in_as: SignIn, mara: User, version: TemplateVersion
) -> None:
    client = sign_in_as(mara)
    assert "invert(1)" in body(client, version, "dark")
    assert "invert(1)" not in body(client, version, "")


def test_somebody_of_a_segment_is_drawn_for_who_may_know_it(
    sign_in_as: SignIn, mara: User, omar: User, version: TemplateVersion
) -> None:
    people("ada", gender="female", conditions=[])
    women = catalogue.save(name="Women", tree=WOMEN, now=NOON)
    membership.refresh(women, now=NOON)
    path = f"/templates/{version.template_id}/versions/{version.number}/"
    answer = sign_in_as(mara).post(path, {"segment": str(women.pk)})
    assert "?contact=" in answer["Location"]


def test_nobody_is_drawn_from_a_segment_that_says_more_than_the_role_may_know(
    sign_in_as: SignIn, mara: User, version: TemplateVersion
) -> None:
    """Who is drawn is known to be in it: a marketer learns no diagnosis that way."""
    tree = {"field": "conditions", "op": "has_code", "codes": ["E11.9"]}
    sick = catalogue.save(name="Sick", tree=tree, now=NOON)
    path = f"/templates/{version.template_id}/versions/{version.number}/"
    client = sign_in_as(mara)
    assert "?contact=" not in client.post(path, {"segment": str(sick.pk)})["Location"]
    assert "Sick" not in client.get(path).content.decode()
