from __future__ import annotations

import pytest

from messaging.making.including import Block, included, named
from messaging.templates_compile import Shared, TemplateInvalid
from tests.messaging.mails import BODY, compiled, complaints

FOOTER = Block(
    "footer",
    3,
    "<mj-text>\n{{ organisation.name }}, {{ organisation.postal_address }}\n"
    '<a href="{{ links.unsubscribe }}">Stop these mails</a></mj-text>',
)
PERSONAL = Block("hello", 1, '<mj-text>Hi {{ contact.city | default("") }}</mj-text>', ("city",))
LAYOUT = Block(
    "clinic",
    2,
    "<mjml><mj-body><mj-section><mj-column><mj-text>Harbor</mj-text></mj-column></mj-section>\n"
    "<mj-slot /></mj-body></mjml>",
)
SHARED = Shared({}, {one.slug: one for one in (FOOTER, PERSONAL, LAYOUT)})


def test_a_block_stands_where_it_is_included() -> None:
    made = compiled(foot='<mj-include path="footer" />', shared=SHARED)
    assert "Stop these mails" in made.html
    assert [(one.slug, one.number) for one in made.blocks] == [("footer", 3)]


def test_a_block_brings_the_fields_that_it_declares() -> None:
    body = BODY + '<mj-include path="hello" />'
    assert "contact_point" in compiled(body=body, shared=SHARED).data_classes


def test_a_block_that_does_not_exist_is_named_with_its_line() -> None:
    with pytest.raises(TemplateInvalid) as caught:
        compiled(body=BODY + '\n<mj-include path="header" />', shared=SHARED)
    (only,) = caught.value.problems
    assert (only.part, only.line) == ("mjml", 4)
    assert "no block 'header'; there is clinic, footer, hello" in only.message


def test_every_line_keeps_its_number() -> None:
    source = '<mjml>\n<mj-include path="footer"/>\n{{ contact.city }}'
    assert included(source, SHARED.blocks).mjml.splitlines()[2] == "{{ contact.city }}"


def test_a_layout_stands_around_the_mail() -> None:
    body = "<mj-section><mj-column><mj-text>Hello</mj-text></mj-column></mj-section>"
    whole = included(f'<mj-layout path="clinic">{body}</mj-layout>', SHARED.blocks)
    assert whole.mjml.startswith("<mjml>")
    assert body in whole.mjml
    assert "slot" not in whole.mjml


def test_blocks_that_include_each_other_are_refused() -> None:
    round_ = {
        "a": Block("a", 1, '<mj-include path="b" />'),
        "b": Block("b", 1, '<mj-include path="a" /><mj-include path="a" />'),
    }
    found = included('<mj-include path="a" />', round_)
    assert any("deep" in one.message for one in found.problems)


def test_an_include_that_is_no_block_is_refused() -> None:
    """TR-01: MJML's own include would read a file."""
    assert any("includes" in each for each in complaints(
        body=BODY + '<mj-include path="/etc/passwd" />', shared=SHARED
    ))  # fmt: skip


def test_the_names_of_included_blocks_are_found() -> None:
    assert named("<mj-include path='x' /><mj-layout path=\"y\"></mj-layout>") == {"x", "y"}
