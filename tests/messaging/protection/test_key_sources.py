"""Keys of people by API, from the portal, and which of them stands; the organisation's own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    load_pem_private_key,
    pkcs12,
)
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import tenancy
from accounts.models import Organisation, User
from accounts.roles import Permission
from audit.models import Entry
from contacts.models import Contact
from marketing.web import attention, watches
from messaging import dispatch
from messaging.models import Message, RecipientKey, SigningKey
from messaging.protect import Onward
from messaging.protection.keys import importing, keeping, signing
from messaging.protection.keys.importing import SignerRefused
from messaging.protection.keys.reading import KeyRefused
from messaging.transports.memory import Memory
from tests.api.conftest import Machine, Maker, problem
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue
from tests.messaging.portal.conftest import Visitor, ada_waits, clock, visitor  # noqa: F401
from tests.messaging.protection.test_encrypted import certificate

SignedIn = Callable[[User], Client]
OURS = "care@harbor.example"
PASSWORD = "correct horse"


# By API


def test_a_machine_puts_a_key_in_reads_it_and_takes_it_away(
    ada: int, machine: Machine, at_harbor: Organisation
) -> None:
    public, _ = certificate(ends=timezone.now() + timedelta(days=30))
    path = f"contacts/{Contact.objects.get(pk=ada).public_id}/keys"
    made = machine.post(path, {"key": public.decode()})
    assert made.status_code == 201
    assert (made.json()["kind"], made.json()["known_from"]) == ("smime", "Added by API")
    (row,) = machine.get(path).json()["keys"]
    assert row["address"] == "ada@example.org"
    assert machine.delete(f"{path}/{row['id']}").status_code == 204
    assert machine.get(path).json() == {"keys": []}
    problem(machine.delete(f"{path}/{row['id']}"), 404, "not-found")
    with tenancy.acting_for(at_harbor.pk):
        assert Entry.objects.filter(action="recipient_key.viewed").count() == 2


def test_a_key_that_cannot_be_used_is_refused_with_the_reason(ada: int, machine: Machine) -> None:
    path = f"contacts/{Contact.objects.get(pk=ada).public_id}/keys"
    answer = problem(machine.post(path, {"key": "hello"}), 422, "invalid")
    assert answer["errors"][0]["pointer"] == "/key"
    assert "neither a certificate" in answer["errors"][0]["detail"]


def test_without_the_scope_no_key_is_added_and_no_address_read(
    ada: int, machine: Machine, at_harbor: Organisation, machine_for: Maker
) -> None:
    public, _ = certificate(ends=timezone.now() + timedelta(days=30))
    path = f"contacts/{Contact.objects.get(pk=ada).public_id}/keys"
    machine.post(path, {"key": public.decode()})
    reader = machine_for(at_harbor, [Permission.CONTACTS_VIEW])
    problem(reader.post(path, {"key": public.decode()}), 403, "scope-missing")
    (row,) = reader.get(path).json()["keys"]
    assert row["address"] is None
    problem(reader.delete(f"{path}/{row['id']}"), 403, "scope-missing")


def test_another_organisation_reads_adds_and_removes_nothing(
    ada: int, machine: Machine, stranger: Machine
) -> None:
    public, _ = certificate(ends=timezone.now() + timedelta(days=30))
    path = f"contacts/{Contact.objects.get(pk=ada).public_id}/keys"
    number = machine.post(path, {"key": public.decode()}).json()["id"]
    assert stranger.get(path).status_code == 404
    assert stranger.post(path, {"key": public.decode()}).status_code == 404
    assert stranger.delete(f"{path}/{number}").status_code == 404


# By the person


def give(who: Visitor, raw: bytes) -> str:
    made = BytesIO(raw)
    made.name = "key.pem"
    answer = who.client.post(who.path + "/key", {"act": "add", "file": made})
    return str(answer.content.decode())


def test_a_person_gives_a_key_and_the_next_message_is_encrypted_to_it(
    ada_waits: Visitor,  # noqa: F811
    enqueue: Enqueue,
    ada: int,
) -> None:
    ada_waits.enter()
    assert "Kept." in give(ada_waits, certificate()[0])
    row = RecipientKey.objects.get()
    assert (row.source, row.contact_id) == ("portal", ada)
    assert Entry.objects.get(action="recipient_key.added").actor_kind == "patient"
    enqueue([ada], step="next", path_classes=frozenset({"clinical"}))
    dispatch.run_once(transport=Memory(), now=NOON, onward=Onward.OPPORTUNISTIC)
    assert Message.objects.get(step="next").route == "smime"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"hello", "cannot be used"),
        (b"-----BEGIN PRIVATE KEY-----", "private key"),
        (certificate(address="eve@example.org")[0], "another e-mail address"),
        (certificate(ends=NOON - timedelta(days=1))[0], "has expired"),
    ],
)
def test_what_cannot_be_used_is_said_plainly(
    ada_waits: Visitor,  # noqa: F811
    raw: bytes,
    said: str,
) -> None:
    ada_waits.enter()
    assert said in give(ada_waits, raw)
    assert not RecipientKey.objects.exists()


def test_a_person_takes_the_key_away(ada_waits: Visitor) -> None:  # noqa: F811
    ada_waits.enter()
    give(ada_waits, certificate()[0])
    number = RecipientKey.objects.get().pk
    ada_waits.client.post(ada_waits.path + "/key", {"act": "remove", "key": str(number)})
    ada_waits.client.post(ada_waits.path + "/key", {"act": "remove", "key": "x"})
    assert RecipientKey.objects.get().removed_at is not None


def test_nobody_gives_a_key_before_the_identity_step(ada_waits: Visitor) -> None:  # noqa: F811
    give(ada_waits, certificate()[0])
    assert not RecipientKey.objects.exists()


# Which stands


@pytest.mark.parametrize(
    ("standing", "newer", "replaced"),
    [
        ("portal", "portal", True),
        ("portal", "staff", False),
        ("portal", "api", False),
        ("portal", "mail", False),
        ("staff", "portal", True),
        ("staff", "mail", False),
        ("api", "staff", True),
        ("mail", "mail", True),
        ("mail", "api", True),
    ],
)
def test_a_persons_own_key_wins_and_one_found_on_mail_yields(
    ada: int, standing: str, newer: str, *, replaced: bool
) -> None:
    keeping.add(ada, certificate()[0], source=standing, now=NOON)
    if replaced:
        keeping.add(ada, certificate()[0], source=newer, now=NOON)
    else:
        with pytest.raises(KeyRefused) as refused:
            keeping.add(ada, certificate()[0], source=newer, now=NOON)
        assert refused.value.code == "stands"
    assert RecipientKey.objects.get(removed_at=None).source == (newer if replaced else standing)


def test_what_has_ended_keeps_nobody_out(ada: int) -> None:
    ends = NOON + timedelta(days=1)
    keeping.add(ada, certificate(ends=ends)[0], source="portal", now=NOON)
    keeping.add(ada, certificate()[0], source="mail", now=ends)
    assert RecipientKey.objects.get(removed_at=None).source == "mail"


# The organisation's own


def bundle(
    *, address: str = OURS, ends: datetime = NOON + timedelta(days=300), server: bool = False
) -> bytes:
    public, private = certificate(
        address=address, ends=ends, server=server, issuer="Mail Authority"
    )
    key = load_pem_private_key(private, None)
    return pkcs12.serialize_key_and_certificates(
        b"ours",
        key,  # type: ignore[arg-type]
        x509.load_pem_x509_certificate(public),
        None,
        BestAvailableEncryption(PASSWORD.encode()),
    )


def brought(client: Client, raw: bytes, password: str = PASSWORD) -> str:
    made = BytesIO(raw)
    made.name = "ours.p12"
    given = {"file": made, "password": password}
    return str(client.post(reverse("signing"), given, follow=True).content.decode())


@pytest.fixture
def ours(at_harbor: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOON)
    Organisation.objects.filter(pk=at_harbor.pk).update(mail_from=OURS)


def test_a_certificate_is_brought_shown_and_replaces_the_one_before(
    ours: None, omar: User, sign_in_as: SignedIn
) -> None:
    client = sign_in_as(omar)
    assert "Nothing signs yet" in client.get(reverse("signing")).content.decode()
    signing.current("smime", name="Harbor", address=OURS, now=NOON)
    page = brought(client, bundle())
    row = SigningKey.objects.get(retired_at=None)
    assert row.fingerprint[:32] in page and "Out of use" in page
    assert "PRIVATE" not in page
    assert [
        one.action for one in Entry.objects.filter(action__startswith="signing_key").order_by("id")
    ] == ["signing_key.added", "signing_key.retired", "signing_key.added"]
    public = client.get(reverse("signing-public", args=[row.pk])).content
    assert b"BEGIN CERTIFICATE" in public and b"PRIVATE" not in public


def test_mail_is_signed_with_what_was_brought(
    ours: None, enqueue: Enqueue, ada: int, omar: User, sign_in_as: SignedIn
) -> None:
    brought(sign_in_as(omar), bundle())
    keeping.add(ada, certificate()[0], source="staff", now=NOON)
    enqueue([ada], path_classes=frozenset({"clinical"}))
    dispatch.run_once(transport=Memory(), now=NOON, onward=Onward.OPPORTUNISTIC)
    assert Message.objects.get().route == "smime"
    assert SigningKey.objects.count() == 1, "none was made beside it"


def test_the_private_part_is_sealed(ours: None, omar: User, sign_in_as: SignedIn) -> None:
    brought(sign_in_as(omar), bundle())
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select private from messaging_signingkey")
        assert b"PRIVATE KEY" not in bytes(cursor.fetchone()[0])


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"address": "else@hill.example"}, "names none of the addresses"),
        ({"ends": NOON - timedelta(days=1)}, "has expired"),
        ({"server": True}, "not made out for e-mail"),
    ],
)
def test_what_cannot_sign_as_us_is_refused(made: dict[str, object], said: str) -> None:
    with pytest.raises(SignerRefused, match=said):
        importing.read(bundle(**made), PASSWORD, senders={OURS}, now=NOON)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "password"), [(b"hello", PASSWORD), (bundle(), "wrong"), (b"", "")]
)
def test_a_file_that_does_not_open_says_why_without_a_word_of_it(raw: bytes, password: str) -> None:
    with pytest.raises(SignerRefused, match="cannot be opened"):
        importing.read(raw, password, senders={OURS}, now=NOON)


def test_an_end_that_is_near_is_warned_of(ours: None, omar: User, sign_in_as: SignedIn) -> None:
    client = sign_in_as(omar)
    assert "Ends in 12 days" in brought(client, bundle(ends=NOON + timedelta(days=12, hours=1)))
    watches.ready()
    told = [one.title for one in attention.matters(omar, now=NOON)]
    assert "days until the signing certificate ends" in told


def test_who_may_not_change_protection_brings_nothing(
    ours: None, mara: User, sign_in_as: SignedIn
) -> None:
    client = sign_in_as(mara)
    assert client.get(reverse("signing")).status_code == 403
    brought(client, bundle())
    client.post(reverse("signing-own"), {"kind": "smime"})
    assert not SigningKey.objects.exists()


def test_another_organisations_public_part_is_not_there(
    ours: None, omar: User, ivy: User, sign_in_as: SignedIn
) -> None:
    brought(sign_in_as(omar), bundle())
    number = SigningKey.objects.get().pk
    with tenancy.acting_for(ivy.organisation_id):
        User.objects.filter(pk=ivy.pk).update(role="compliance")
    client = sign_in_as(ivy)
    assert client.get(reverse("signing-public", args=[number])).status_code == 404
    client.post(reverse("signing-own"), {"kind": "smime"})
    assert SigningKey.objects.get().retired_at is None
