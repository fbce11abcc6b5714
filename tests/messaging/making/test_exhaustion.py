"""No draft keeps the server busy: each kind of overload is told within a second (SE-03)."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from messaging.making.imported import NotTakenOver, imported
from messaging.render import LONGEST_RENDERED, NotRendered, Parts
from tests.messaging.mails import BODY, ORGANISATION, UNTRACKED, complaints

SIZE = 240_000


def filled(piece: str) -> str:
    return piece * (SIZE // len(piece))


BODIES = {
    "beginnings": filled("<"),
    "comments": filled("<!--"),
    "tags": filled("<a "),
    "tags in one": filled("<a ") + ">",
    "endings": filled("</x") + ">",
    "instructions": filled("<?") + ">",
    "declarations": filled("<!") + ">",
    "quotes": "<a " + filled('a=" ') + ">",
    "blanks": "<a href" + filled(" ") + "x>",
    "layouts": filled('<mj-layout path="a">'),
    "includes": filled('<mj-include path="'),
    "style sheets": filled("<style>"),
    "depth": "<mj-text>" + "<b>" * 30_000 + "</b>" * 30_000 + "</mj-text>",
    "ampersands": filled("&#"),
    "an address": "<mj-text>" + filled("a.") + "</mj-text>",
    "an at": "<mj-text>" + filled("a@") + "</mj-text>",
    "links": "<mj-text>" + '<a href="https://h.example/">x</a>' * 6_000 + "</mj-text>",
}
TAGS = {
    "a number": "{{ contact.given_name | default(" + "1" * 5_000 + ") }}",
    "digits": "{{ contact.household_size | number(900000000) }}",
    "filters": "{{ contact.given_name" + "|trim" * 40_000 + " }}",
    "nots": "{{ " + "not " * 50_000 + "contact.given_name }}",
    "brackets": "{{ " + "(" * 100_000 + " }}",
    "ands": "{% if " + " and ".join(["contact.given_name"] * 8_000) + " %}x{% endif %}",
    "texts": "{{ " + '"a" ' * 50_000 + " }}",
    "comparisons": "{% if contact.given_name " + "== 1 " * 30_000 + " %}x{% endif %}",
    "conditions": "{% if contact.given_name %}" * 200 + "{% endif %}" * 200,
}


def asked(body: str) -> float:
    began = time.process_time()
    complaints(body=body, text="", purpose="treatment", declared=("given_name", "household_size"))
    return time.process_time() - began


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_is_judged_at_once(kind: str) -> None:
    assert asked(BODIES[kind]) < 2


@pytest.mark.parametrize("kind", TAGS)
def test_a_merge_tag_is_refused_at_once(kind: str) -> None:
    began = time.process_time()
    body = f"{BODY}<mj-text>{TAGS[kind]}</mj-text>"
    assert complaints(body=body, text="", purpose="treatment",
                      declared=("given_name", "household_size"))  # fmt: skip
    assert time.process_time() - began < 1


PIECES = ["{{", "{%", "*|", "<%", "<style>", "<style", "<b>", "<b></i>", "<div>", "<!--", "&"]


@pytest.mark.parametrize("piece", PIECES)
def test_a_mail_from_elsewhere_is_taken_over_at_once_or_refused(piece: str) -> None:
    began = time.process_time()
    with suppress(NotTakenOver):
        imported(filled(piece))
    assert time.process_time() - began < 2


@pytest.mark.parametrize("source", ["<div>" * 3_000, "</div>" * 3_000 + "<div>" * 3_000])
def test_what_opens_and_never_closes_is_no_mail(source: str) -> None:
    with pytest.raises(NotTakenOver):
        imported(source)


def test_a_mail_that_grows_beyond_measure_is_not_sent() -> None:
    loop = "{% for item in contact.conditions %}" + "x" * 50_000 + "{% endfor %}"
    parts = Parts("x", f"<p>{loop}</p>", "x", {})
    held = {"conditions": [{"display": "d"}] * (LONGEST_RENDERED // 50_000 + 1)}
    with pytest.raises(NotRendered, match="merged_too_long"):
        parts.render(held, organisation=ORGANISATION, addresses=UNTRACKED)
