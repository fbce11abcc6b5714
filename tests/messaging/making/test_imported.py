"""HTML mails made elsewhere: taken over, every link once and leading back, nothing hostile kept."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from pathlib import Path

import pytest

from messaging import templates_compile
from messaging.links import Addresses
from messaging.making.imported import imported, links
from messaging.render import Parts
from messaging.templates_compile import LINK, TemplateInvalid
from tests.intake.builders import DATA

MAILS = sorted(DATA.glob("html-templates/**/*.html"))
HOSTILE = DATA / "hostile-input"
TRACKED = Addresses("https://h.example/u", "https://h.example/m/c/T/", "https://h.example/o.gif")


def built(html: str) -> templates_compile.Compiled:
    made = imported(html)
    return templates_compile.compile("A mail", made.mjml, "", (), purpose="treatment")


def test_a_mail_keeps_its_words_layout_and_links() -> None:
    made = built(
        '<table><tr><td>Hi <a href="https://a.example/?x=1&amp;y=2">you</a></td></tr></table>'
    )
    assert ">Hi <a href=" in made.html
    assert [link.destination for link in made.links] == ["https://a.example/?x=1&y=2"]


@pytest.mark.parametrize(
    ("html", "gone"),
    [
        ("<script>x</script>Hi", "<script"),
        ('<img src="https://t.example/p.gif" alt="Bowl">', "t.example"),
        ('<p style="background:url(https://t.example/x)">Hi</p>', "t.example"),
        ('<a href="javascript:alert(1)">Hi</a>', "javascript"),
        ('<form action="https://t.example"><input></form>Hi', "t.example"),
        ('<style>@import "https://t.example/x.css";</style>Hi', "t.example"),
        ("<p onclick='x()'>Hi</p>", "onclick"),
        ('<a href="https://a.example/{{ id }}">Hi</a>', "a.example"),
    ],
)
def test_what_a_mail_may_not_hold_is_left_out(html: str, gone: str) -> None:
    """TR-01"""
    assert gone not in built(html).html


def test_what_was_left_out_is_told() -> None:
    made = imported('<img src="https://t.example/p.gif" alt="A bowl"><a href="/x">y</a>')
    assert made.left_out == ("A picture: https://t.example/p.gif", "A link's address: /x")
    assert "A bowl" in made.mjml


def test_merge_tags_of_other_products_become_words() -> None:
    html = built("Hi {{ name }} *|FNAME|* {% if x %} {{#each a}}").html
    assert "Hi [name] [FNAME] [x] [a]" in html


def test_no_private_letter_forges_a_link() -> None:
    assert "\ue000" not in imported("\ue0007\ue001").mjml


@pytest.mark.skipif(not MAILS, reason="the collection of HTML mails is not on this machine")
@pytest.mark.parametrize("mail", MAILS, ids=lambda mail: mail.parent.name + "/" + mail.name)
def test_every_link_is_rewritten_once_and_leads_back(mail: Path) -> None:
    """TR-02, TR-07"""
    source = imported(mail.read_text(encoding="utf-8", errors="replace"))
    made = templates_compile.compile("A mail", source.mjml, "", (), purpose="treatment")
    wanted = Counter(href for href in links(source.mjml) if href.startswith("http"))
    by_number = {str(link.number): link.destination for link in made.links}
    assert Counter(by_number[n] for n in LINK.findall(made.html)) == wanted
    parts = Parts(made.subject, made.html, made.text, {x.number: x.destination for x in made.links})
    said = parts.render({}, organisation={"timezone": "UTC"}, addresses=TRACKED).html
    followed = re.findall(r'href="https://h\.example/m/c/T/(\d+)"', said)
    assert Counter(by_number[n] for n in followed) == wanted
    assert not [href for href in links(said) if href in wanted]


def _hostile(name: str) -> list[str]:
    path = HOSTILE / f"{name}.json"
    if not path.exists():
        return []
    found = json.loads(path.read_text())
    rows = found if isinstance(found, list) else [x for each in found.values() for x in each]
    return [row if isinstance(row, str) else str(row.get("payload", row)) for row in rows]


INJECTIONS = _hostile("template-injection")
SCRIPTS = [*_hostile("xss"), *_hostile("html-sanitise")]
FIELD = Parts("x", "<p>{{ contact.given_name }}</p>", "{{ contact.given_name }}", {})


@pytest.mark.skipif(not INJECTIONS, reason="the collection of hostile input is not on this machine")
def test_an_injection_in_a_body_is_refused_or_is_only_text() -> None:
    """SE-03: within a second each."""
    for payload in INJECTIONS:
        began = time.process_time()
        mjml = f"<mjml><mj-body><mj-raw>{payload}</mj-raw></mj-body></mjml>"
        try:
            made = templates_compile.compile("x", mjml, "x", (), purpose="treatment")
        except TemplateInvalid:
            pass
        else:
            assert made.fields_read == frozenset()
            parts = Parts(made.subject, made.html, made.text, {})
            said = parts.render({}, organisation={"timezone": "UTC"}, addresses=TRACKED).html
            assert "7777777" not in said
            assert "uid=" not in said
        assert time.process_time() - began < 1


@pytest.mark.skipif(not INJECTIONS, reason="the collection of hostile input is not on this machine")
def test_an_injection_as_a_value_is_printed_literally() -> None:
    """SE-03"""
    for payload in [*INJECTIONS, *SCRIPTS, *_hostile("naughty-strings")]:
        said = FIELD.render(
            {"given_name": payload}, organisation={"timezone": "UTC"}, addresses=TRACKED
        )
        if "\x01" not in payload:
            assert said.text == payload
        assert "<" not in said.html.removeprefix("<p>").partition("</p>")[0]


@pytest.mark.skipif(not SCRIPTS, reason="the collection of hostile input is not on this machine")
def test_no_script_outlives_taking_a_mail_over() -> None:
    """TR-01"""
    for payload in SCRIPTS:
        made = imported(payload).mjml.lower()
        assert not re.search(r"<(script|iframe|object|embed|svg|math|form|meta|link|base)\b", made)
        assert not re.search(r"<[^>]*\son\w+\s*=", made)
        assert not re.search(r'href="\s*(javascript|data|vbscript):', made)
