"""The preference page behind the token of a mail."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import tenancy
from accounts.models import Organisation
from audit.models import Entry as Told
from consent import gate
from consent.choices import preferences, topics
from consent.gate import GateRequest, Hold, Permit, Use
from consent.models import Choice, Entry, OptOut, Topic
from contacts import records, reveal
from contacts.fields import DataClass
from contacts.points import address_for
from crypto import keyring
from messaging import dispatch
from messaging.protect import Onward
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue
from tests.messaging.test_public import outside, path_in, received

__all__ = ["outside"]
LATER = NOON + timedelta(hours=1)
KEEP = {
    "act": "save",
    "topic": ["heart"],
    "channel": ["email", "sms"],
    "frequency": "every",
    "language": "en",
    "measured": "on",
}


@pytest.fixture
def heart(at_harbor: Organisation) -> Topic:
    words = {"en": {"name": "Heart health"}, "es": {"name": "Salud del corazón"}}
    return topics.add("heart", words, now=NOON)


@pytest.fixture
def page(enqueue: Enqueue, ada: int, heart: Topic) -> str:
    return path_in(received(enqueue, ada)[1], "u") + "/choices"


def asked(contact_id: int, purpose: str = "appointment", topic: str = "", **more: object) -> str:
    request = GateRequest(contact_id, purpose, topic=topic)
    (answer,) = gate.ask([request], now=LATER, **more)  # type: ignore[arg-type]
    return "permit" if isinstance(answer, Permit) else answer.code


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(ada: int, outside: Client, page: str, method: str) -> None:
    """EM-05, CS-03"""
    for query in ("", "?act=stop", "?lang=es"):
        assert getattr(outside, method)(page + query).status_code == 200
    assert not OptOut.objects.exists()
    assert not Choice.objects.exists()


def test_the_page_names_topics_and_never_the_person(outside: Client, page: str) -> None:
    """CS-03"""
    said = outside.get(page).content.decode()
    assert "Heart health" in said
    assert "Ada" not in said
    assert "example.org" not in said


def test_a_topic_that_is_unticked_is_refused_at_once_and_ticked_again_lifted(
    ada: int, outside: Client, page: str
) -> None:
    """CS-01, CA-70"""
    outside.post(page, KEEP | {"topic": []})
    assert asked(ada, topic="heart") == "opted_out"
    assert asked(ada) == "permit"
    outside.post(page, KEEP)
    assert asked(ada, topic="heart") == "permit"


def test_what_is_queued_in_a_workflow_or_a_blast_is_not_sent_after_everything_is_off(
    ada: int, enqueue: Enqueue, outside: Client, page: str
) -> None:
    """CS-01"""
    enqueue([ada], step="first")
    enqueue([ada], step="second")
    assert outside.post(page, {"act": "stop"}).status_code == 200
    memory = Memory()
    done = dispatch.run_once(transport=memory, now=LATER, onward=Onward.ENFORCED)
    assert (done.refused, memory.sent) == (2, [])


def test_one_press_stops_everything_without_a_cookie_or_a_question(
    ada: int, page: str, outside: Client
) -> None:
    """CS-03"""
    answer = Client(enforce_csrf_checks=True).post(page, {"act": "stop"})
    assert answer.status_code == 200
    assert not answer.cookies
    assert asked(ada) == "opted_out"


def test_giving_and_taking_back_take_as_many_steps(ada: int, outside: Client, page: str) -> None:
    """GD-02"""
    outside.post(page, {"act": "stop"})
    assert asked(ada) == "opted_out"
    outside.post(page, {"act": "start"})
    assert asked(ada) == "permit"


def test_a_pause_ends_by_itself(ada: int, outside: Client, page: str) -> None:
    outside.post(page, {"act": "pause", "pause": "14"})
    assert asked(ada) == "opted_out"
    (after,) = gate.ask([GateRequest(ada, "appointment")], now=LATER + timedelta(days=15))
    assert isinstance(after, Permit)


def test_ending_a_pause_lifts_no_refusal(ada: int, outside: Client, page: str) -> None:
    outside.post(page, {"act": "stop"})
    outside.post(page, {"act": "pause", "pause": "14"})
    outside.post(page, {"act": "resume"})
    assert asked(ada) == "opted_out"


def test_once_a_week_holds_the_second_optional_message_and_no_reminder(
    ada: int, outside: Client, page: str
) -> None:
    outside.post(page, KEEP | {"frequency": "weekly"})
    got = {ada: (Use("operations", "email", NOON),)}
    (held,) = gate.ask([GateRequest(ada, "operations")], now=LATER, used=got)
    assert isinstance(held, Hold)
    assert held.until == NOON + timedelta(days=7)
    assert asked(ada, used=got) == "permit"


def test_the_senders_count_what_was_sent_where_a_person_chose_how_often(
    ada: int, outside: Client, page: str, enqueue: Enqueue
) -> None:
    outside.post(page, KEEP | {"frequency": "monthly"})
    enqueue([ada], step="second")
    memory = Memory()
    dispatch.run_once(transport=memory, now=LATER, onward=Onward.ENFORCED)
    assert memory.sent == []


def test_a_channel_that_is_unticked_is_refused(ada: int, outside: Client, page: str) -> None:
    outside.post(page, KEEP | {"channel": ["sms"]})
    assert asked(ada) == "opted_out"


def test_tracking_off_means_no_picture_and_direct_links(
    ada: int, outside: Client, page: str, enqueue: Enqueue
) -> None:
    """TR-04"""
    outside.post(page, {name: value for name, value in KEEP.items() if name != "measured"})
    enqueue([ada], step="next")
    memory = Memory()
    dispatch.run_once(transport=memory, now=LATER, onward=Onward.ENFORCED)
    said = memory.sent[-1].data
    assert b"/m/o/" not in said and b"/m/c/" not in said
    assert asked(ada) == "permit"


def test_the_language_goes_to_the_record_and_turns_the_page(
    ada: int, outside: Client, page: str
) -> None:
    """AC-02"""
    outside.post(page, KEEP | {"language": "es"})
    known = reveal.reveal([ada], [DataClass.DEMOGRAPHIC], purpose="test")
    assert known[ada]["language"] == "es"
    said = outside.get(page).content.decode()
    assert '<html lang="es">' in said
    assert "Salud del corazón" in said


def test_the_browser_may_ask_for_spanish(outside: Client, page: str) -> None:
    """AC-02"""
    said = outside.get(page, HTTP_ACCEPT_LANGUAGE="es-MX,en;q=0.5").content.decode()
    assert "Lo que le enviamos" in said


def elsewhere(outside: Client, page: str, year: str) -> int:
    born = {"act": "address", "month": "4", "day": "5", "year": year}
    return outside.post(page, born | {"address": "new@example.org"}).status_code


def address(contact_id: int) -> str:
    return address_for([contact_id], channel="email", now=LATER)[contact_id].value


def test_another_address_is_used_after_the_date_of_birth(
    ada: int, outside: Client, page: str
) -> None:
    assert elsewhere(outside, page, "1960") == 200
    assert address(ada) == "new@example.org"


def test_the_link_alone_moves_nobodys_mail_and_guessing_is_slowed_down(
    ada: int, outside: Client, page: str
) -> None:
    answers = [elsewhere(outside, page, str(1961 + at)) for at in range(6)]
    assert set(answers) == {422}
    assert elsewhere(outside, page, "1960") == 422
    assert address(ada) == "Ada@Example.org"


def test_a_link_of_400_days_ago_works_after_three_rotations(
    ada: int, outside: Client, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CS-04"""
    for days in (100, 200, 300):
        keyring.rotate_installation(now=NOON + timedelta(days=days))
        keyring.rotate(tenancy.current(), now=NOON + timedelta(days=days))
    late = NOON + timedelta(days=400)
    monkeypatch.setattr(timezone, "now", lambda: late)
    from contacts import events

    events.ensure_partitions(now=late)
    assert outside.post(page, {"act": "stop"}).status_code == 200
    assert asked(ada) == "opted_out"
    assert outside.post(page.removesuffix("/choices")).status_code == 200


def test_every_change_is_the_patients_in_ledger_and_trail(
    ada: int, outside: Client, page: str
) -> None:
    outside.post(page, KEEP | {"topic": [], "frequency": "weekly"})
    acts = Entry.objects.filter(contact_id=ada, received_by="preferences")
    assert {(one.kind, one.topic, one.actor_kind) for one in acts} == {
        ("opted_out", "heart", "patient"),
        ("chose", "frequency.weekly", "patient"),
        ("chose", "language.en", "patient"),
    }
    assert Told.objects.filter(action="consent.chosen", actor_kind="patient").count() == 2


def test_saving_the_same_twice_changes_nothing(ada: int, outside: Client, page: str) -> None:
    outside.post(page, KEEP | {"topic": []})
    before = Entry.objects.count()
    outside.post(page, KEEP | {"topic": []})
    assert Entry.objects.count() == before


def test_choices_count_for_whoever_comes_back_from_another_source(
    ada: int, outside: Client, page: str
) -> None:
    """CS-02"""
    outside.post(page, {"act": "stop"})
    change = records.Change(source="crm", record_number="9", values={"email": "ada@example.org"})
    (again,) = records.upsert([change], now=LATER).contact_ids
    assert again != ada
    assert asked(again) == "opted_out"


def test_the_unsubscribe_page_leads_to_the_choices(outside: Client, page: str) -> None:
    assert page in outside.get(page.removesuffix("/choices")).content.decode()


def test_preferences_that_nobody_offers_are_refused(ada: int) -> None:
    with pytest.raises(Exception, match="frequency"):
        preferences.choose(
            ada, preferences.Preferences(frequency="hourly"), received_by="test", now=NOON
        )
