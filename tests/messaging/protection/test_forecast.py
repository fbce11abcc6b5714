"""By which ways an audience would be reached."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

from django.test import Client
from django.urls import reverse

from accounts.models import Organisation, User
from consent.gate import GateRequest
from contacts.segments.models import Segment
from messaging.models import Message
from messaging.protect import Hop, Onward
from messaging.protection import forecast, receivers
from messaging.protection.keys import keeping
from tests.conftest import NOON
from tests.messaging.conftest import person, sign
from tests.messaging.protection.conftest import SIX, Country
from tests.messaging.protection.test_encrypted import certificate


def test_it_counts_every_way_and_sends_nothing(country: Country, at_harbor: Organisation) -> None:
    people = [person(one, email=f"pat@{one}.example") for one in SIX]
    encrypts = person("key", email="Ada@Example.org")
    sign(*people, encrypts)
    keeping.add(encrypts, certificate()[0], source="staff", now=NOON)
    never = person("never", email="never@valid.example")

    def told(minutes: int) -> dict[str, int]:
        made = forecast.of(
            [*people, encrypts, never],
            GateRequest(0, "marketing", "email", frozenset({"clinical"})),
            hop=Hop.VERIFIED,
            onward=Onward.PER_DOMAIN,
            now=NOON + timedelta(minutes=minutes),
        )
        return {name: count for name, count in made.by_way.items() if count}

    assert told(0) == {"looked_up": 6, "smime": 1, "blocked": 1}
    receivers.run_once(world=country.world, now=NOON)
    assert told(1) == {"mail": 1, "portal": 5, "smime": 1, "blocked": 1}
    assert not Message.objects.exists()


def test_the_page_needs_sight_of_segments_and_consent(
    at_harbor: Organisation, mara: User, admin: User, sign_in_as: Callable[[User], Client]
) -> None:
    number = person("one", email="pat@valid.example")
    tree = {"field": "birth_date", "op": "age_gte", "value": 50}
    saved = sign_in_as(mara).post(
        reverse("segment-new"), {"name": "Elders", "definition": json.dumps(tree)}
    )
    assert saved.status_code == 302
    address = reverse("segment-forecast", args=[Segment.objects.get().pk])
    page = sign_in_as(mara).get(address)
    assert page.status_code == 200
    assert "Blocked" in page.content.decode()
    assert sign_in_as(admin).get(address).status_code == 403
    assert number
