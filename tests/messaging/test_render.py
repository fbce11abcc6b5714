from __future__ import annotations

import re
from typing import Any

import pytest

from messaging.render import NotRendered, values_for
from tests.messaging.mails import BODY, TEXT, UNTRACKED, rendered

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    "{% for x in y %}",
    "${7*7}",
    "=cmd|' /C calc'!A0",
    "' OR 1=1 --",
    "Zoë 🙂 שלום",
    "\ue0000\ue001",
    "zq0xq",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_is_printed_literally(value: str) -> None:
    """SE-03"""
    made = rendered({"given_name": value})
    assert f"Dear {value}," in made.text
    assert "<script>" not in made.html
    assert "onerror=alert(1)>" not in made.html
    assert "Dear 49" not in made.html


def test_a_field_without_a_value_takes_its_default() -> None:
    assert "Dear neighbour," in rendered().text


def test_printing_a_field_without_a_value_is_refused() -> None:
    with pytest.raises(NotRendered) as caught:
        rendered(text=TEXT + "{{ contact.given_name }}")
    assert caught.value.code == "merge_value_missing"


def test_a_loop_over_nothing_prints_nothing() -> None:
    body = BODY + "<mj-text>{% for c in contact.conditions %}{{ c.display }}{% endfor %}</mj-text>"
    assert rendered(body=body).html


def test_every_web_link_goes_through_the_token() -> None:
    """TR-02, TR-07"""
    html = rendered().html
    hrefs = re.findall(r'href="([^"]+)"', html)
    assert hrefs == [
        "https://h.example/m/c/T/0",
        "https://h.example/m/c/T/1",
        "https://h.example/m/u/U",
    ]


def test_without_tracking_links_are_direct_and_there_is_no_picture() -> None:
    """TR-04"""
    made = rendered(addresses=UNTRACKED)
    assert 'href="https://harbor.example/eat?a=1&amp;b=2"' in made.html
    assert "https://harbor.example/eat?a=1&b=2" in made.text
    assert "<img" not in made.html


def test_with_tracking_the_picture_is_ours() -> None:
    assert re.findall(r'<img src="([^"]+)"', rendered().html) == ["https://h.example/m/o/T.gif"]


def test_a_date_is_written_on_the_organisations_clock() -> None:
    shown = "{{ a.at|weekday }} {{ a.at|date }} {{ a.at|time }}"
    text = TEXT + "{% for a in contact.appointments %}" + shown + "{% endfor %}"
    made = rendered(
        {"appointments": [{"at": "2026-05-04T13:05:00Z"}]},
        text=text,
        declared=["given_name", "appointments"],
    )
    assert "Monday 4 May 2026 1:05 pm" in made.text


def test_only_declared_fields_and_bounded_lists_reach_the_template() -> None:
    """PR-20"""
    record: dict[str, Any] = {
        "given_name": "Ada",
        "city": "Boston",
        "conditions": [{}] * 200,
        "prefix": None,
    }
    chosen = values_for(record, ["given_name", "conditions", "prefix"])
    assert set(chosen) == {"given_name", "conditions"}
    assert len(chosen["conditions"]) == 50
