"""From the designer of forms, by the patient's own page, to the proof."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import staff
from accounts.models import Organisation, User
from accounts.roles import Role
from audit.models import Entry
from consent.models import Authorization
from consent.notices import keeping
from consent.notices.models import Notice
from consent.signing import designing, signing
from consent.signing.models import Copy, Form, Signature, SigningRequest
from contacts.models import Contact
from tests.conftest import NOON
from tests.consent.conftest import person
from tests.consent.test_signing import SOUND, SPANISH, WHOLE, form

SignedIn = Callable[[User], Client]
CODES = {"purposes": ["marketing"], "covers": ["identity"], "ends": "years", "years": "2"}


@pytest.fixture
def eve(at_harbor: Organisation) -> Contact:
    return Contact.objects.get(pk=person("eve", birth_date="1960-04-05"))


@pytest.fixture
def both(at_harbor: Organisation) -> Form:
    return form(replace(SOUND, words={"en": WHOLE, "es": SPANISH}))


def words(language: str, **more: str) -> dict[str, str]:
    return {f"{language}-{key}": value for key, value in (asdict(WHOLE) | more).items()}


def link_for(client: Client, contact: Contact, made: Form) -> str:
    answer = client.post(reverse("consent-ask", args=[contact.public_id]), {"form": str(made.id)})
    found = re.search(r"(/m/s/[^\s\"<]+)", answer.content.decode())
    assert found
    return found[1]


def body(**more: Any) -> dict[str, Any]:
    born = {"month": "4", "day": "5", "year": "1960"}
    return born | {"name": "Eve Example", "who": "self", "agree": "yes", "lang": "en"} | more


def test_a_form_is_written_completed_and_published(
    sign_in_as: SignedIn, omar: User, at_harbor: Organisation
) -> None:
    """PR-05, PR-06"""
    client = sign_in_as(omar)
    answer = client.post(reverse("forms"), {"name": "Education"})
    page = client.get(answer.headers["Location"]).content.decode()
    assert "what information is used" in page
    assert "Save and publish" not in page
    made = Form.objects.get()
    address = reverse("form", args=[made.id])
    client.post(address, CODES | words("en"))
    assert "Save and publish version 1" in client.get(address).content.decode()
    client.post(address, CODES | words("en") | {"act": "publish"})
    assert [one.language for one in designing.published(Form.objects.get())] == ["en"]


def test_a_language_is_added_with_its_standard_statements(
    sign_in_as: SignedIn, omar: User, at_harbor: Organisation
) -> None:
    """AC-02"""
    made = form()
    address = reverse("form", args=[made.id])
    sign_in_as(omar).post(address, CODES | words("en") | {"add": "es"})
    assert "Puede retirar" in sign_in_as(omar).get(address).content.decode()


def test_two_forms_do_not_share_a_name(
    sign_in_as: SignedIn, omar: User, at_harbor: Organisation
) -> None:
    client = sign_in_as(omar)
    client.post(reverse("forms"), {"name": "Education"})
    assert client.post(reverse("forms"), {"name": "Education"}).status_code == 422


def test_who_may_only_look_writes_no_form_and_asks_for_no_signature(
    sign_in_as: SignedIn, mara: User, eve: Contact, both: Form
) -> None:
    client = sign_in_as(mara)
    assert client.get(reverse("forms")).status_code == 200
    assert client.post(reverse("forms"), {"name": "Mine"}).status_code == 403
    asked = client.post(reverse("consent-ask", args=[eve.public_id]), {"form": str(both.id)})
    assert asked.status_code == 403
    assert not SigningRequest.objects.exists()


def test_another_organisation_finds_neither_form_nor_proof(
    sign_in_as: SignedIn, ivy: User, eve: Contact, both: Form
) -> None:
    """SE-01"""
    client = sign_in_as(ivy)
    for address in (
        reverse("form", args=[both.id]),
        reverse("consent-person", args=[eve.public_id]),
    ):
        assert client.get(address).status_code in (403, 404)


def test_reading_the_page_signs_nothing(
    sign_in_as: SignedIn, omar: User, eve: Contact, both: Form
) -> None:
    """W14: a scanner that follows the link, with GET or HEAD, changes nothing."""
    link, stranger = link_for(sign_in_as(omar), eve, both), Client()
    page = stranger.get(link)
    stranger.head(link)
    assert "health education" in page.content.decode()
    assert not page.cookies
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert not Authorization.objects.exists()
    assert SigningRequest.objects.get().attempts == 0


def test_the_page_speaks_the_persons_language(
    sign_in_as: SignedIn, omar: User, eve: Contact, both: Form
) -> None:
    """AC-02: the browser asks for Spanish, and the signed form records Spanish."""
    link = link_for(sign_in_as(omar), eve, both)
    page = Client().get(link, headers={"accept-language": "es-MX,es;q=0.9"}).content.decode()
    assert '<html lang="es">' in page and "Firmar" in page
    Client().post(link, body(lang="es"))
    version = Authorization.objects.get().form_version
    assert version is not None and version.language == "es"


def test_a_person_signs_and_takes_a_copy(
    sign_in_as: SignedIn, omar: User, eve: Contact, both: Form
) -> None:
    """PR-13, PR-15"""
    link = link_for(sign_in_as(omar), eve, both)
    done = Client().post(link, body(drawing="[[[10, 20], [30, 40]]]"))
    copy = re.search(r"/m/s/copy/[^\s\"]+", done.content.decode())
    assert copy
    assert Client().get(copy[0]).status_code == 405
    file = Client().post(copy[0])
    assert file.content.startswith(b"%PDF-")
    assert Copy.objects.count() == 1
    evidence = Signature.objects.get().evidence
    assert evidence["name"] == "Eve Example"
    assert evidence["strokes"] == [[[10, 20], [30, 40]]]


@pytest.mark.parametrize(
    ("slip", "field"),
    [
        ({"name": ""}, "id_name"),
        ({"agree": ""}, "id_agree"),
        ({"who": "other"}, "id_authority"),
        ({"drawing": "nonsense"}, "id_drawing"),
        ({"year": "1961"}, "id_born"),
        ({"month": "x"}, "id_born"),
    ],
)
def test_a_slip_is_named_at_its_field_and_nothing_is_signed(
    sign_in_as: SignedIn, omar: User, eve: Contact, both: Form, slip: dict[str, str], field: str
) -> None:
    link = link_for(sign_in_as(omar), eve, both)
    answer = Client().post(link, body(**slip))
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.content.decode()
    assert not Authorization.objects.exists()


def test_only_a_wrong_date_of_birth_costs_an_attempt_and_five_close_the_link(
    sign_in_as: SignedIn, omar: User, eve: Contact, both: Form
) -> None:
    link = link_for(sign_in_as(omar), eve, both)
    Client().post(link, body(name="", year="1961"))
    assert SigningRequest.objects.get().attempts == 0
    for _ in range(SigningRequest.MOST_ATTEMPTS):
        last = Client().post(link, body(year="1961"))
    assert "too often" in last.content.decode()
    Client().post(link, body())
    assert not Authorization.objects.exists()


def test_declining_signs_nothing_and_says_that_nothing_changes(
    sign_in_as: SignedIn, omar: User, eve: Contact, both: Form
) -> None:
    """PR-12"""
    link = link_for(sign_in_as(omar), eve, both)
    assert "Nothing changes for you" in Client().post(link, {"act": "decline"}).content.decode()
    assert "chose not to sign" in Client().get(link).content.decode()
    assert not Authorization.objects.exists()


def test_a_made_up_link_is_not_found(at_harbor: Organisation) -> None:
    assert Client().get("/m/s/nothing").status_code == 404
    assert Client().post("/m/s/copy/nothing").status_code == 404


def signed(client: Client, contact: Contact, made: Form) -> str:
    Client().post(link_for(client, contact, made), body())
    return reverse("authorization", args=[contact.public_id, Authorization.objects.get().id])


def test_the_proof_answers_what_was_signed_and_what_it_said(
    sign_in_as: SignedIn, omar: User, eve: Contact, both: Form
) -> None:
    """PR-15, GD-02"""
    client = sign_in_as(omar)
    page = client.get(signed(client, eve, both)).content.decode()
    version = Authorization.objects.get().form_version
    assert version is not None
    for told in ("Eve Example", "health education", version.checksum, "checked now", "marketing"):
        assert told in page
    assert "none given yet" in page


def test_who_signed_is_hidden_from_a_role_without_identity(
    sign_in_as: SignedIn, omar: User, at_harbor: Organisation, eve: Contact, both: Form
) -> None:
    analyst = staff.add("an@harbor.example", name="Anton", role=Role.ANALYST, now=NOON)
    address = signed(sign_in_as(omar), eve, both)
    client = sign_in_as(analyst)
    assert "Eve Example" not in client.get(address).content.decode()
    assert client.get(f"{address}pdf/").status_code == 404


def test_a_paper_is_recorded_with_its_scan_and_can_be_read_again(
    sign_in_as: SignedIn, omar: User, eve: Contact, both: Form
) -> None:
    client, scan = sign_in_as(omar), b"%PDF-1.7 signed by hand"
    given = {
        "version": str(designing.in_language(both, "en").id),
        "name": "Eve Example",
        "signed_on": (timezone.now() - timedelta(days=4)).date().isoformat(),
    }
    address = reverse("consent-paper", args=[eve.public_id])
    answer = client.post(address, given | {"scan": SimpleUploadedFile("a.pdf", scan)})
    assert answer.status_code == 302
    assert client.get(f"{answer.headers['Location']}scan/").content == scan
    wrong = client.post(address, given | {"scan": SimpleUploadedFile("a.pdf", b"MZ program")})
    assert wrong.status_code == 422 and Authorization.objects.count() == 1


def test_a_defect_is_recorded_with_its_kind(
    sign_in_as: SignedIn, omar: User, eve: Contact, both: Form
) -> None:
    """PR-10"""
    client = sign_in_as(omar)
    address = signed(client, eve, both)
    client.post(f"{address}defect/", {"kind": "known_false"})
    page = client.get(address).content.decode()
    assert "not valid" in page and "known to be false" in page
    assert Authorization.objects.get().revoked_at is not None


def test_a_handed_copy_is_on_record(
    sign_in_as: SignedIn, omar: User, eve: Contact, both: Form
) -> None:
    """PR-13"""
    client = sign_in_as(omar)
    address = signed(client, eve, both)
    client.post(f"{address}copy/")
    assert signing.without_copy([Authorization.objects.get().id]) == set()


def test_looking_and_taking_the_file_are_in_the_trail(
    sign_in_as: SignedIn, omar: User, eve: Contact, both: Form
) -> None:
    client = sign_in_as(omar)
    address = signed(client, eve, both)
    client.get(address)
    assert client.get(f"{address}pdf/").content.startswith(b"%PDF-")
    acts = set(Entry.objects.filter(actor_id=str(omar.pk)).values_list("action", flat=True))
    assert {"consent.viewed", "consent.exported", "signing.asked"} <= acts


@pytest.fixture
def notice(at_harbor: Organisation) -> Notice:
    day = timezone.now().date()
    old = day - timedelta(days=400)
    keeping.publish("The old words.", language="en", effective_on=old, now=NOON)
    today = day - timedelta(days=1)
    return keeping.publish("How we use what we know.", language="en", effective_on=today, now=NOON)


def test_the_form_links_the_notice_in_force_and_the_proof_says_which(
    sign_in_as: SignedIn, omar: User, eve: Contact, both: Form, notice: Notice, client: Client
) -> None:
    """PR-39"""
    link = link_for(sign_in_as(omar), eve, both)
    page = client.get(link).content.decode()
    linked = re.search(r'href="(/m/n/[^"]+)"', page)
    assert linked
    assert "How we use what we know." in client.get(linked[1]).content.decode()
    client.post(link, body(notice=str(notice.id)))
    assert Signature.objects.get().evidence["notice"] == str(notice.id)


def test_a_form_links_no_notice_where_there_is_none(
    sign_in_as: SignedIn, omar: User, eve: Contact, both: Form, client: Client
) -> None:
    link = link_for(sign_in_as(omar), eve, both)
    assert "/m/n/" not in client.get(link).content.decode()
    client.post(link, body(notice="not-a-number"))
    assert Signature.objects.get().evidence["notice"] == ""


def test_a_link_for_something_else_opens_no_notice(notice: Notice, client: Client) -> None:
    assert client.get("/m/n/AAAA").status_code == 404
