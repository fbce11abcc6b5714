from __future__ import annotations

import time

import pytest

from messaging.environment import HTML
from messaging.sandbox import Reading, check
from tests.messaging.mails import BODY, TEXT, complaints

ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ contact.__init__.__globals__ }}",
    "{{ contact.given_name.__class__ }}",
    "{{ contact['given_name'] }}",
    "{{ contact|attr('__class__') }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ request.application }}",
    "{{ config }}",
    "{{ range(10) }}",
    "{{ namespace() }}",
    "{{ contact.given_name.upper() }}",
    "{{ 'a' * 10 ** 9 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ 'a' ~ 'b' }}",
    "{% for i in range(10 ** 9) %}{% endfor %}",
    "{% for i in 'aaaa' %}{% endfor %}",
    "{% for a in contact.conditions %}{% for b in contact.conditions %}x{% endfor %}{% endfor %}",
    "{% for a in contact.conditions recursive %}{{ loop(a) }}{% endfor %}",
    "{% set x = 1 %}",
    "{% macro m() %}{{ m() }}{% endmacro %}",
    "{% include 'a' %}",
    "{% import 'os' as os %}",
    "{% extends 'a' %}",
    "{% block a %}{% endblock %}",
    "{% call m() %}{% endcall %}",
    "{% raw %}{{ contact }}{% endraw %}",
    "{% filter upper %}x{% endfilter %}",
    "{{ contact }}",
    "{{ contact.given_name|pprint }}",
    "{{ contact.given_name|map('upper') }}",
    "{{ [1, 2] }}",
    "{{ {'a': 1} }}",
    "{{ -1 }}",
    "{{ " + "(" * 3000,
    "{% if " + "not " * 3000 + "contact.given_name %}{% endif %}",
]


@pytest.mark.parametrize("escape", ESCAPES, ids=range(len(ESCAPES)))
def test_an_escape_is_refused_at_once(escape: str) -> None:
    """SE-03"""
    began = time.process_time()
    assert complaints(body=f"{BODY}<mj-text>{escape}</mj-text>", text=TEXT)
    assert time.process_time() - began < 1


def test_a_template_that_does_not_parse_says_where() -> None:
    reading = Reading("text", (), ())
    check("one\n{{ contact.", reading)
    assert [each.line for each in reading.problems] == [2]


def test_the_second_wall_stands_without_the_first() -> None:
    """SE-03: what the check should never let through, the environment refuses too."""
    with pytest.raises(Exception, match=r"unsafe|undefined|not callable|no attribute"):
        HTML.from_string("{{ ''.__class__.__mro__ }}").render()


def test_conditions_loops_and_filters_of_every_day_pass() -> None:
    reading = Reading("text", ("given_name", "appointments"), ("given_name", "appointments"))
    check(
        "{% if contact.given_name is defined and contact.given_name != 'x' %}"
        "{{ contact.given_name|trim|default('you') }}{% else %}-{% endif %}"
        "{% for a in contact.appointments %}{{ a.at|date|default('?') }}{% endfor %}",
        reading,
    )
    assert reading.problems == []
    assert reading.fields == {"given_name", "appointments"}


@pytest.mark.parametrize("name", ["values", "items", "keys", "get", "copy"])
def test_a_condition_may_be_called_like_a_method(name: str) -> None:
    """`when.values` asks the condition of that name. A method in its place would always hold, and
    everybody would read what is for a few."""
    asks = HTML.from_string("{% if when." + name + " %}ill{% else %}well{% endif %}")
    assert asks.render(when={name: False}) == "well"
    assert asks.render(when={name: True}) == "ill"


@pytest.mark.parametrize("said", [r"\ud800", r"\x00", r"\x01", r"\ue0000\ue001", r"\r\nBcc: x"])
def test_no_text_in_quotes_spells_what_nobody_can_type(said: str) -> None:
    (only,) = complaints(
        body=BODY + '<mj-text>{{ contact.given_name | default("' + said + '") }}</mj-text>'
    )
    assert "control character" in only


WAYS_OUT = [
    '{% if contact.conditions %}<a href="{{ links.unsubscribe }}">Stop</a>{% endif %}',
    '{% for one in contact.conditions %}<a href="{{ links.unsubscribe }}">Stop</a>{% endfor %}',
    "{{ links.unsubscribe if contact.conditions else contact.given_name | default('x') }}",
]


@pytest.mark.parametrize("way", WAYS_OUT)
def test_everybody_can_unsubscribe(way: str) -> None:
    """EM-27, CS-05: not only those for whom a condition holds."""
    foot = "<mj-text>{{ organisation.postal_address }} " + way + "</mj-text>"
    assert any("everybody needs it" in one for one in complaints(foot=foot, text=""))


def test_a_way_out_in_every_branch_is_enough() -> None:
    foot = (
        '<mj-text>{{ organisation.postal_address }} {% if contact.conditions %}<a href="{{ '
        'links.unsubscribe }}">Stop</a>{% else %}<a href="{{ links.unsubscribe }}">No more</a>'
        "{% endif %}</mj-text>"
    )
    assert complaints(foot=foot, text="") == []


@pytest.mark.parametrize("changed", ["| upper", "| truncate(9)", '| default("links.x")'])
def test_the_address_to_unsubscribe_stands_as_it_is(changed: str) -> None:
    foot = '<mj-text><a href="{{ links.unsubscribe ' + changed + ' }}">Stop</a></mj-text>'
    assert any("as it stands" in one for one in complaints(foot=foot, text="", purpose="treatment"))
