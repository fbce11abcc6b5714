"""Blocks as rows: published, pinned, leaned on."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.db.utils import DatabaseError

from accounts.models import Organisation
from messaging import versions
from messaging.making import blocks
from messaging.models import BlockVersion, ContentBlock, TemplateVersion
from messaging.templates_compile import TemplateInvalid
from tests.conftest import NOON
from tests.messaging.conftest import template
from tests.messaging.mails import BODY, FOOT, mjml

INCLUDED = '<mj-include path="footer" />'


@pytest.fixture(autouse=True)
def _harbor(at_harbor: Organisation) -> None:
    """Everything here happens at Harbor."""


def block(mjml: str = FOOT, *, slug: str = "footer", kind: str = "footer") -> ContentBlock:
    return ContentBlock.objects.create(
        slug=slug, name=slug.title(), kind=kind, mjml=mjml, created_at=NOON, changed_at=NOON
    )


def with_footer() -> TemplateVersion:
    return versions.save(template(mjml=mjml(BODY, foot=INCLUDED), text=""), now=NOON)


def test_a_template_holds_the_version_that_was_published_when_it_was_made() -> None:
    blocks.publish(block(), now=NOON)
    assert with_footer().blocks == [{"slug": "footer", "number": 1}]


def test_publishing_a_block_changes_no_version_that_exists() -> None:
    footer = block()
    blocks.publish(footer, now=NOON)
    version = with_footer()
    before = version.html
    footer.mjml = FOOT.replace("Stop these mails", "No more")
    footer.save()
    blocks.publish(footer, now=NOON)
    version.refresh_from_db()
    assert version.html == before
    again = versions.save(version.template, now=NOON)
    assert (again.number, again.blocks[0]["number"]) == (2, 2)
    assert "No more" in again.html


def test_a_block_that_says_the_same_makes_no_version() -> None:
    footer = block()
    assert blocks.publish(footer, now=NOON) == blocks.publish(footer, now=NOON)


@pytest.mark.parametrize(
    "spoilt",
    [
        "<mj-text>{{ contact.city }}</mj-text>",
        '<mj-image src="https://evil.example/p.gif" alt="" />',
        "<mj-section><mj-column><mj-text>x</mj-text></mj-column>",
        '<mj-text><a href="https://a.example/{{ contact.given_name }}">x</a></mj-text>',
    ],
)
def test_a_block_that_no_mail_could_hold_is_not_published(spoilt: str) -> None:
    """EM-07, TR-01"""
    with pytest.raises(TemplateInvalid):
        blocks.publish(block(spoilt), now=NOON)
    assert not BlockVersion.objects.exists()


@pytest.mark.parametrize("around", ["section", "column", "text"])
def test_a_block_may_be_a_section_a_column_or_less(around: str) -> None:
    inner = "<mj-text>Words</mj-text>"
    if around != "text":
        inner = f"<mj-column>{inner}</mj-column>"
    if around == "section":
        inner = f"<mj-section>{inner}</mj-section>"
    assert blocks.publish(block(inner), now=NOON).number == 1


def test_a_layout_needs_one_slot() -> None:
    with pytest.raises(TemplateInvalid):
        blocks.publish(block("<mjml><mj-body></mj-body></mjml>", kind="layout"), now=NOON)


def test_who_leans_on_a_block_is_shown() -> None:
    footer = block()
    blocks.publish(footer, now=NOON)
    version = with_footer()
    versions.save(template("other"), now=NOON)
    (only,) = blocks.dependants(footer)
    assert (only.template, only.in_draft, only.holds) == (version.template, True, 1)


def test_the_database_refuses_to_change_a_published_block() -> None:
    blocks.publish(block(), now=NOON)
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        BlockVersion.objects.update(mjml="other")
