"""The page of replies that wait, and the topics of Settings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts import staff
from accounts.models import Organisation, User
from accounts.roles import Role
from audit.models import Entry
from consent.choices import replies
from consent.models import OptOut, Reply, Topic
from tests.conftest import NOON
from tests.consent.conftest import person

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]


@pytest.fixture
def waiting(at_harbor: Organisation) -> Reply:
    person("ada")
    now = timezone.now()
    taken = replies.take(
        "please leave me alone",
        address="ada@patients.example",
        channel="email",
        received_at=now,
        now=now,
    )
    assert taken.reply_id
    return Reply.objects.get(id=taken.reply_id)


def test_an_officer_reads_it_decides_and_the_trail_knows(
    waiting: Reply, omar: User, sign_in_as: SignedIn
) -> None:
    """TC-02"""
    client = sign_in_as(omar)
    assert b"please leave me alone" in client.get("/consent/replies/").content
    assert Entry.objects.filter(action="reply.read").exists()
    client.post(f"/consent/replies/{waiting.id}/", {"decision": "stop"})
    assert OptOut.objects.filter(received_at__isnull=False, channel="email").exists()
    assert b"Nothing to read" in client.get("/consent/replies/").content


def test_home_tells_the_officer(waiting: Reply, omar: User, sign_in_as: SignedIn) -> None:
    assert b"reply waits to be read" in sign_in_as(omar).get("/").content


def test_the_page_of_sign_up_forms_says_what_one_needs(
    at_harbor: Organisation, omar: User, mara: User, sign_in_as: SignedIn
) -> None:
    said = sign_in_as(omar).get("/forms/sign-up/").content.decode()
    assert "No sign-up form yet" in said and "Make a form" in said
    assert "Make a form" not in sign_in_as(mara).get("/forms/sign-up/").content.decode()
    assert sign_in_as(mara).post("/forms/sign-up/").status_code == 403


def test_a_marketer_reads_no_replies(waiting: Reply, mara: User, sign_in_as: SignedIn) -> None:
    assert sign_in_as(mara).get("/consent/replies/").status_code == 403


def test_an_administrator_adds_words_and_archives_a_topic(
    at_harbor: Organisation, sign_in_as: SignedIn
) -> None:
    nia = staff.add("nia@harbor.example", name="Nia", role=Role.ADMINISTRATOR, now=NOON)
    client = sign_in_as(nia)
    client.post("/settings/topics/", {"key": "heart", "name_en": "Heart health"})
    topic = Topic.objects.get()
    client.post(f"/settings/topics/{topic.id}/", {"name_en": "Your heart", "name_es": "Corazón"})
    topic.refresh_from_db()
    assert (topic.name("en"), topic.name("es")) == ("Your heart", "Corazón")
    client.post(f"/settings/topics/{topic.id}/archive/")
    assert b"archived" in client.get("/settings/topics/").content


@pytest.mark.parametrize("key", ["tracking", "Heart Health", ""])
def test_a_key_that_cannot_be_one_is_refused(
    at_harbor: Organisation, sign_in_as: SignedIn, key: str
) -> None:
    nia = staff.add("nia@harbor.example", name="Nia", role=Role.ADMINISTRATOR, now=NOON)
    answer = sign_in_as(nia).post("/settings/topics/", {"key": key, "name_en": "Heart"})
    assert answer.status_code == 422
    assert not Topic.objects.exists()
