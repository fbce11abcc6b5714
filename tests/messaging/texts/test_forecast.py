"""How many of an audience a text would reach, and what holds the others."""

from __future__ import annotations

from consent.gate import GateRequest
from messaging.models import Message
from messaging.protect import Hop, Onward
from messaging.protection import forecast
from tests.messaging.conftest import person
from tests.messaging.texts.conftest import DAY, Line, warned


def told(people: list[int], *classes: str, purpose: str = "appointment") -> forecast.Forecast:
    asked = GateRequest(0, purpose, "sms", frozenset(classes))
    return forecast.of(people, asked, hop=Hop.VERIFIED, onward=Onward.ENFORCED, now=DAY)


def test_it_counts_who_is_reached_and_says_what_holds_the_others(carried: Line, ada: int) -> None:
    """EM-16"""
    eve, may = person("eve", phone="(617) 555-0102"), person("may", email="may@example.org")
    warned(ada)
    found = told([ada, eve, may], "demographic")
    assert found.by_way == {"text": 1, "blocked": 2}
    assert found.why == {"plain_not_agreed": 1, "no_address": 1}
    assert not Message.objects.exists()


def test_what_only_the_portal_may_show_reaches_nobody(carried: Line, ada: int) -> None:
    warned(ada)
    assert told([ada], "hiv").by_way == {"blocked": 1}


def test_a_number_without_its_country_reaches_nobody(carried: Line) -> None:
    odd = person("odd", phone="5550102")
    found = told([odd])
    assert found.why == {"number_unusable": 1}


def test_what_no_gate_lets_go_is_counted_by_its_reason(carried: Line, ada: int) -> None:
    found = told([ada], "identity", purpose="marketing")
    assert found.by_way == {"blocked": 1}
    assert sum(found.why.values()) == 1


def test_of_mail_it_says_what_holds_the_others_too(carried: Line, ada: int) -> None:
    asked = GateRequest(0, "marketing", "email", frozenset({"identity"}))
    found = forecast.of([ada], asked, hop=Hop.VERIFIED, onward=Onward.ENFORCED, now=DAY)
    assert found.by_way == {"blocked": 1}
    assert sum(found.why.values()) == 1
