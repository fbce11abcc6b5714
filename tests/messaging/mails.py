"""A small mail that compiles, for tests to spoil one thing at a time."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from messaging import templates_compile
from messaging.filters import Locale
from messaging.links import Addresses
from messaging.render import Parts, Rendered
from messaging.templates_compile import Compiled, TemplateInvalid

SUBJECT = "News from {{ organisation.name }}"
BODY = """<mj-text>Dear {{ contact.given_name | default("neighbour") }},</mj-text>
<mj-text>Read <a href="https://harbor.example/eat?a=1&amp;b=2">how to eat well</a>.</mj-text>
<mj-button href="https://harbor.example/class">Come to the class</mj-button>"""
FOOT = """<mj-text>{{ organisation.name }}, {{ organisation.postal_address }}
<a href="{{ links.unsubscribe }}">Stop these mails</a></mj-text>"""
TEXT = """Dear {{ contact.given_name | default("neighbour") }},
How to eat well: https://harbor.example/eat?a=1&b=2
Come to the class: https://harbor.example/class
{{ organisation.name }}, {{ organisation.postal_address }}
Stop these mails: {{ links.unsubscribe }}
"""
DECLARED = ("given_name", "conditions")
ORGANISATION = {"name": "Harbor Clinic", "postal_address": "1 Quay, Boston", "timezone": "UTC"}
TRACKED = Addresses(
    "https://h.example/m/u/U", "https://h.example/m/c/T/", "https://h.example/m/o/T.gif"
)
UNTRACKED = Addresses("https://h.example/m/u/U")


def mjml(body: str = BODY, *, head: str = "", foot: str = FOOT) -> str:
    return (
        f'<mjml lang="en"><mj-head>{head}</mj-head><mj-body><mj-section><mj-column>'
        f"{body}\n{foot}</mj-column></mj-section></mj-body></mjml>"
    )


def compiled(
    *,
    subject: str = SUBJECT,
    body: str = BODY,
    head: str = "",
    foot: str = FOOT,
    text: str = TEXT,
    declared: Collection[str] = DECLARED,
    **more: Any,
) -> Compiled:
    return templates_compile.compile(
        subject, mjml(body, head=head, foot=foot), text, declared, **more
    )


def complaints(**spoiled: Any) -> list[str]:
    """Return `part: message` of everything that is wrong."""
    try:
        compiled(**spoiled)
    except TemplateInvalid as error:
        return [f"{problem.part}: {problem.message}" for problem in error.problems]
    return []


def rendered(
    values: dict[str, Any] | None = None,
    *,
    addresses: Addresses = TRACKED,
    locale: Locale | None = None,
    **parts: Any,
) -> Rendered:
    made = compiled(**parts)
    destinations = {link.number: link.destination for link in made.links}
    return Parts(made.subject, made.html, made.text, destinations).render(
        values or {}, organisation=ORGANISATION, addresses=addresses, locale=locale
    )
