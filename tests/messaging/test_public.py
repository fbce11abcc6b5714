from __future__ import annotations

import base64
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import tenancy
from accounts.models import Organisation
from audit.models import Entry
from consent.models import OptOut
from contacts.models import Event
from crypto import keyring
from messaging import dispatch
from messaging.hearing import visits
from messaging.models import Message
from messaging.protect import Onward
from messaging.transports.memory import Memory
from tests.conftest import NOON
from tests.messaging.conftest import Enqueue
from tests.messaging.test_dispatch import parsed
from tests.messaging.test_machines import FIREFOX

PERSON: dict[str, Any] = {"HTTP_USER_AGENT": FIREFOX}
ONE_CLICK = "List-Unsubscribe=One-Click"


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Client:
    """A browser of somebody without an account; it is an hour later."""
    monkeypatch.setattr(timezone, "now", lambda: NOON + timedelta(hours=1))
    return Client()


def received(enqueue: Enqueue, contact_id: int, *, portal: bool = False) -> tuple[str, str]:
    """Send one mail; return its HTML and its text."""
    memory = Memory()
    classes = frozenset({"clinical"}) if portal else frozenset()
    enqueue([contact_id], path_classes=classes)
    dispatch.run_once(
        transport=memory, now=NOON, onward=Onward.OPPORTUNISTIC if portal else Onward.ENFORCED
    )
    text, html = parsed(memory.sent[-1]).iter_parts()
    return html.get_content(), text.get_content()


def path_in(content: str, kind: str) -> str:
    found = re.search(rf"https://h\.example(/m/{kind}/[\w.\-/]+)", content)
    assert found
    return found[1]


def settle(seconds: int = 60) -> int:
    """Let so many seconds pass after the visit, and have what is due judged."""
    return visits.run_once(now=NOON + timedelta(hours=1, seconds=seconds))


# Links (TR-02, TR-05, TR-07)


def test_a_click_goes_to_what_the_author_wrote_and_is_recorded(
    enqueue: Enqueue, ada: int, outside: Client
) -> None:
    path = path_in(received(enqueue, ada)[0], "c")
    answer = outside.get(path, **PERSON)
    assert (answer.status_code, answer["Location"]) == (302, "https://harbor.example/eat?a=1&b=2")
    assert answer["Referrer-Policy"] == "no-referrer"
    settle()
    event = Event.objects.get(kind="message.clicked")
    assert (event.contact_id, event.link, event.machine) == (ada, "how to eat well", False)


@pytest.mark.parametrize("spoil", ["number", "token", "suffix"])
def test_an_altered_link_goes_nowhere(
    enqueue: Enqueue, ada: int, outside: Client, spoil: str
) -> None:
    """TR-07"""
    path = path_in(received(enqueue, ada)[0], "c")
    spoilt = {
        "number": path[:-1] + "9",
        "token": path[:20] + ("A" if path[20] != "A" else "B") + path[21:],
        "suffix": path + "?to=https://evil.example",
    }[spoil]
    answer = outside.get(spoilt, **PERSON)
    if spoil == "suffix":
        assert answer["Location"] == "https://harbor.example/eat?a=1&b=2"
    else:
        assert answer.status_code == 404
        assert "Location" not in answer


def test_no_link_can_be_read(enqueue: Enqueue, ada: int) -> None:
    """TR-02"""
    html, text = received(enqueue, ada)
    row = Message.objects.get()
    for token in re.findall(r"/m/\w/([\w\-]+)", html + text):
        plain = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        number = row.pk.to_bytes(8)  # in digits a small one would be found by chance
        for secret in (b"Ada", b"example.org", b"harbor", number, str(ada).encode()):
            assert secret not in plain


def test_an_opening_is_recorded_by_a_picture_of_ours(
    enqueue: Enqueue, ada: int, outside: Client
) -> None:
    answer = outside.get(path_in(received(enqueue, ada)[0], "o"), **PERSON)
    assert answer["Content-Type"] == "image/gif"
    settle()
    assert Event.objects.get(kind="message.opened").machine is False


def test_head_is_a_machine(enqueue: Enqueue, ada: int, outside: Client) -> None:
    """TR-05"""
    outside.head(path_in(received(enqueue, ada)[0], "c"), **PERSON)
    assert Event.objects.get(kind="message.clicked").machine is True


def test_every_link_within_a_second_is_a_machine_the_first_one_too(
    enqueue: Enqueue, ada: int, outside: Client
) -> None:
    """TR-05"""
    path = path_in(received(enqueue, ada)[0], "c")
    for number in (0, 1, 0):
        outside.get(path[:-1] + str(number), **PERSON)
    settle()
    assert (
        list(Event.objects.filter(kind="message.clicked").values_list("machine")) == [(True,)] * 3
    )


# Unsubscribing (EM-02 to EM-06, CS-03)


@pytest.mark.parametrize("method", ["get", "head"])
def test_get_changes_nothing(enqueue: Enqueue, ada: int, outside: Client, method: str) -> None:
    """EM-05"""
    answer = getattr(outside, method)(path_in(received(enqueue, ada)[1], "u"))
    assert answer.status_code == 200
    assert not OptOut.objects.exists()


def test_the_page_has_a_button_and_the_organisations_name(
    enqueue: Enqueue, ada: int, outside: Client
) -> None:
    page = outside.get(path_in(received(enqueue, ada)[1], "u")).content.decode()
    assert '<button class="button primary" type="submit">Stop these mails</button>' in page
    assert "Harbor Clinic" in page
    assert "Ada" not in page


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (ONE_CLICK, "application/x-www-form-urlencoded"),
        (
            '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
            "One-Click\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
        ("", "application/x-www-form-urlencoded"),
        ("garbage", "multipart/form-data"),
        ("{}", "application/json"),
        ("x" * 3_000_000, "application/x-www-form-urlencoded"),
    ],
)
def test_post_unsubscribes_whatever_its_body(
    enqueue: Enqueue, ada: int, body: str, kind: str, outside: Client
) -> None:
    """EM-04: no cookie, no login, no redirect."""
    strict = Client(enforce_csrf_checks=True)
    answer = strict.post(path_in(received(enqueue, ada)[1], "u"), body, content_type=kind)
    assert answer.status_code == 200
    assert OptOut.objects.filter(contact_id=ada, purpose="marketing").exists()
    assert not answer.cookies


def test_after_it_nothing_of_the_kind_is_sent(enqueue: Enqueue, ada: int, outside: Client) -> None:
    """CS-01"""
    path = path_in(received(enqueue, ada)[1], "u")
    enqueue([ada], step="next")
    outside.post(path, ONE_CLICK, content_type="application/x-www-form-urlencoded")
    memory = Memory()
    assert dispatch.run_once(transport=memory, now=NOON, onward=Onward.ENFORCED).refused == 1
    assert enqueue([ada], step="after")[0].refusal_code == "opted_out"


def test_it_is_an_event_and_in_the_trail_as_the_patients_doing(
    enqueue: Enqueue, ada: int, outside: Client
) -> None:
    outside.post(path_in(received(enqueue, ada)[1], "u"), {"from": "page"})
    assert Event.objects.filter(kind="message.unsubscribed", contact_id=ada).count() == 1
    assert Entry.objects.get(action="message.unsubscribed").actor_kind == "patient"


def test_twice_is_once(enqueue: Enqueue, ada: int, outside: Client) -> None:
    path = path_in(received(enqueue, ada)[1], "u")
    outside.post(path)
    assert outside.post(path).status_code == 200
    assert OptOut.objects.values("address_hash").distinct().count() == OptOut.objects.count()


def test_a_programs_post_after_the_page_adds_no_line(
    enqueue: Enqueue, ada: int, outside: Client
) -> None:
    """RFC 8058: the trail has both requests, the person's timeline the one act."""
    path = path_in(received(enqueue, ada)[1], "u")
    outside.post(path, {"from": "page"})
    outside.post(path, ONE_CLICK, content_type="application/x-www-form-urlencoded")
    assert Event.objects.filter(kind="message.unsubscribed", contact_id=ada).count() == 1
    assert Entry.objects.filter(action="message.unsubscribed").count() == 2


def test_a_no_after_a_yes_is_a_line_of_its_own(enqueue: Enqueue, ada: int, outside: Client) -> None:
    path = path_in(received(enqueue, ada)[1], "u")
    outside.post(path)
    OptOut.objects.update(lifted_at=NOON)
    outside.post(path)
    assert Event.objects.filter(kind="message.unsubscribed", contact_id=ada).count() == 2


@pytest.mark.parametrize("place", [0, 10, -1])
def test_a_flipped_character_is_404_for_get_and_post(
    enqueue: Enqueue, ada: int, outside: Client, place: int
) -> None:
    """EM-06"""
    path = path_in(received(enqueue, ada)[1], "u")
    token = path.removeprefix("/m/u/")
    flipped = list(token)
    flipped[place] = "A" if flipped[place] != "A" else "B"
    spoilt = "/m/u/" + "".join(flipped)
    assert outside.get(spoilt).status_code == outside.post(spoilt).status_code == 404
    assert not OptOut.objects.exists()


def test_a_link_of_400_days_works_after_a_rotation(
    enqueue: Enqueue, ada: int, outside: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CS-04, EM-06"""
    path = path_in(received(enqueue, ada)[1], "u")
    keyring.rotate(tenancy.current(), now=NOON + timedelta(days=200))
    late = datetime.fromtimestamp((NOON + timedelta(days=400)).timestamp(), tz=NOON.tzinfo)
    monkeypatch.setattr(timezone, "now", lambda: late)
    from contacts import events

    events.ensure_partitions(now=late)
    assert outside.post(path).status_code == 200
    assert OptOut.objects.filter(contact_id=ada).exists()


def test_measuring_can_be_stopped_by_itself(enqueue: Enqueue, ada: int, outside: Client) -> None:
    """TR-04"""
    path = path_in(received(enqueue, ada)[1], "u")
    assert outside.post(path + "/tracking").status_code == 200
    assert enqueue([ada], step="next")[0].state == "queued"
    assert OptOut.objects.get().topic == "tracking"


def test_every_page_works_without_scripts_and_loads_nothing_foreign(
    enqueue: Enqueue, ada: int, outside: Client, at_harbor: Organisation
) -> None:
    """TR-01"""
    _, text = received(enqueue, ada, portal=True)
    for kind in ("u", "p"):
        page = outside.get(path_in(text, kind)).content.decode()
        assert "<script" not in page
        assert not re.search(r'(src|href)="(?!/|#|\?|mailto:)', page)
