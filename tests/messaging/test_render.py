from __future__ import annotations

import re
from typing import Any

import pytest

from contacts.fields import FIELDS, DataClass, Field, FieldType
from messaging.filters import Locale
from messaging.render import NotRendered, Parts, values_for
from tests.messaging.mails import BODY, ORGANISATION, TEXT, UNTRACKED, rendered

CLINIC = Field(
    key="custom_clinic", label="Clinic", type=FieldType.CODED, data_class=DataClass.DEMOGRAPHIC
)
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
    "\x01",
    "\x010",
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
    """A version from before fallbacks were required says nothing half."""
    old = Parts("News", "<p>x</p>", "{{ contact.given_name }}", {})
    with pytest.raises(NotRendered) as caught:
        old.render({}, organisation=ORGANISATION, addresses=UNTRACKED)
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
    shown = "{% if a.at %}{{ a.at|weekday }} {{ a.at|date }} {{ a.at|time }}{% endif %}"
    text = TEXT + "{% for a in contact.appointments %}" + shown + "{% endfor %}"
    made = rendered(
        {"appointments": [{"at": "2026-05-04T13:05:00Z"}]},
        text=text,
        declared=["given_name", "appointments"],
    )
    assert "Monday 4 May 2026 1:05 pm" in made.text


@pytest.mark.parametrize(
    ("language", "zone", "elsewhere", "said"),
    [
        ("en", "America/New_York", False, "Monday May 4, 2026 9:05 AM"),
        ("en", "America/Denver", True, "Monday May 4, 2026 7:05 AM MDT"),
        ("es", "America/New_York", False, "lunes 4 de mayo de 2026 9:05 a.m."),
    ],
)
def test_a_date_is_written_in_the_persons_language_and_zone(
    language: str, zone: str, elsewhere: bool, said: str
) -> None:
    """AC-02"""
    field = "contact.last_visit"
    shown = f"{{{{ {field}|weekday }}}} {{{{ {field}|date }}}} {{{{ {field}|time }}}}"
    made = rendered(
        {"last_visit": "2026-05-04T13:05:00Z"},
        text=TEXT + "{% if contact.last_visit %}" + shown + "{% endif %}",
        declared=["given_name", "last_visit"],
        locale=Locale(language, zone, elsewhere),
    )
    assert said in made.text.replace("\xa0", " ")


FILTERED = [
    ("{{ contact.income|number|default('') }}", {"income": 41250}, "en", "41,250"),
    ("{{ contact.income|money|default('') }}", {"income": 41250}, "en", "$41,250.00"),
    ("{{ contact.income|number(1)|default('') }}", {"income": 4.26}, "en", "4.3"),
    ("{{ contact.income|percent|default('') }}", {"income": 0.25}, "en", "25%"),
    ("{{ contact.given_name|name|default('') }}", {"given_name": "ADA DE LA CRUZ"}, "es",
     "Ada de la Cruz"),
    ("{{ contact.given_name|name|default('') }}", {"given_name": "McDonald"}, "en", "McDonald"),
    ("{{ contact.given_name|initial|default('') }}", {"given_name": "ada"}, "en", "A."),
    ("{{ contact.given_name|possessive|default('') }}", {"given_name": "Ada"}, "en", "Ada’s"),
    ("{{ contact.household_size|plural('person', 'people')|default('') }}",
     {"household_size": 1}, "en", "person"),
    ("{{ contact.household_size|plural('osoba', 'osób', 'osoby')|default('') }}",
     {"household_size": 3}, "pl", "osoby"),
    ("{{ contact.conditions|count|default(0) }}", {"conditions": [{}, {}]}, "en", "2"),
    ("{{ contact.conditions|names|default('') }}",
     {"conditions": [{"display": "asthma"}, {"display": "", "code": "E11.9"}]}, "en",
     "asthma and E11.9"),
    ("{{ contact.conditions|default('none') }}",
     {"conditions": [{"display": "asthma"}, {"display": "gout"}]}, "es", "asthma y gout"),
    ("{{ contact.deceased|default('?') }}", {"deceased": False}, "es", "no"),
    ("{{ contact.birth_date|date('day_month')|default('?') }}", {"birth_date": "1960-04-05"}, "en",
     "April 5"),
    ("{{ contact.birth_date|date|default('?') }}", {}, "en", "?"),
    ("{% if contact.city < 'M' %}a{% else %}b{% endif %}", {}, "en", "b"),
]  # fmt: skip


@pytest.mark.parametrize(("printed", "values", "language", "said"), FILTERED)
def test_a_filter_says_it_as_people_do(
    printed: str, values: dict[str, Any], language: str, said: str
) -> None:
    fields = ("given_name", "income", "household_size", "conditions", "deceased", "birth_date")
    made = rendered(
        values,
        text=TEXT + "|" + printed,
        declared=(*fields, "city"),
        locale=Locale(language, "UTC"),
    )
    assert made.text.rpartition("|")[2].strip() == said


def test_a_coded_value_is_printed_by_its_name() -> None:
    made = rendered(
        {"custom_clinic": {"system": "local", "code": "C7", "display": "Harbor North"}},
        text=TEXT + "{{ contact.custom_clinic|default('') }}",
        declared=["given_name", "custom_clinic"],
        registry={**FIELDS, "custom_clinic": CLINIC},
    )
    assert made.text.endswith("Harbor North")


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
