"""Recipes that anybody may start from: read from `starters.toml`, made into drafts.

What is made is the draft of a workflow and a draft of each message that it sends: written on,
reviewed and approved by people before anything goes out. A segment, a form or an endpoint is chosen
on the canvas.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction

from messaging.making import naming
from workflows import publishing
from workflows.models import Workflow

FILE = Path(__file__).with_name("starters.toml")

_MJML = """<mjml lang="en">
  <mj-head>
    <mj-title>{heading}</mj-title>
    <mj-preview>{preview}</mj-preview>
    <mj-attributes>
      <mj-all font-family="Helvetica, Arial, sans-serif" />
      <mj-text font-size="17px" line-height="1.6" color="#1f2a37" />
    </mj-attributes>
  </mj-head>
  <mj-body background-color="#eef3f1">
    <mj-section background-color="#ffffff">
      <mj-column>
        <mj-text font-size="24px" line-height="1.3"><h1>{heading}</h1></mj-text>
        <mj-text>Dear {{{{ contact.given_name | default("neighbor") }}}},</mj-text>
{paragraphs}
      </mj-column>
    </mj-section>
    <mj-section>
      <mj-column>
        <mj-text font-size="14px">{{{{ organisation.name }}}},
          {{{{ organisation.postal_address }}}}<br />
          <a href="{{{{ links.unsubscribe }}}}">Stop these mails</a></mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>"""


@dataclass(frozen=True, slots=True)
class Letter:
    """The words of a message that a recipe sends."""

    key: str
    purpose: str
    subject: str
    heading: str
    text: Sequence[str]

    def mjml(self) -> str:
        paragraphs = "\n".join(
            f"        <mj-text>{escape(one, quote=False)}</mj-text>" for one in self.text
        )
        return _MJML.format(
            heading=escape(self.heading, quote=False),
            preview=escape(self.text[0], quote=False),
            paragraphs=paragraphs,
        )


@dataclass(frozen=True, slots=True)
class Starter:
    slug: str
    title: str
    reaches: str
    consent: str
    why: str
    needs: str
    graph: Mapping[str, Any]
    letters: Sequence[Letter]

    @property
    def purposes(self) -> list[str]:
        return sorted({one.purpose for one in self.letters})

    @property
    def steps(self) -> list[str]:
        """The kinds of its steps in the order in which they are written, for a small picture."""
        return [str(node["kind"]) for node in self.graph["nodes"]]

    @property
    def asks_segment(self) -> bool:
        return self.graph["trigger"]["kind"] in ("segment", "schedule")

    @property
    def asks_form(self) -> bool:
        return bool(self.graph["trigger"]["kind"] == "form")

    @property
    def asks_endpoint(self) -> bool:
        return "webhook" in self.steps

    @property
    def asks(self) -> list[str]:
        """What somebody has to choose on the canvas, for it is each organisation's own."""
        asked = {
            "its segment": self.asks_segment,
            "its form": self.asks_form,
            "its endpoint": self.asks_endpoint,
        }
        return [words for words, wanted in asked.items() if wanted]


@lru_cache(maxsize=1)
def every() -> tuple[Starter, ...]:
    raw = tomllib.loads(FILE.read_text("utf-8"))
    return tuple(_read(slug, said) for slug, said in raw.items())


def one(slug: str) -> Starter | None:
    return next((each for each in every() if each.slug == slug), None)


def _read(slug: str, said: Mapping[str, Any]) -> Starter:
    letters = [
        Letter(key, words["purpose"], words["subject"], words["heading"], tuple(words["text"]))
        for key, words in said["messages"].items()
    ]
    return Starter(
        slug,
        said["title"],
        said["reaches"],
        said["consent"],
        said["why"],
        said["needs"],
        json.loads(said["graph"]),
        tuple(letters),
    )


@transaction.atomic
def begin(starter: Starter, *, now: datetime) -> Workflow:
    """Make the drafts of the workflow and of its messages; a second start makes a second set."""
    slug = naming.free(starter.slug, Workflow.objects.all())
    number = slug.removeprefix(starter.slug).strip("-")
    name = f"{starter.title} {number}".strip()
    ids = {
        letter.key: _template(letter, slug=slug, name=name, now=now) for letter in starter.letters
    }
    nodes = [
        {**node, "template": str(ids[node["template"]])} if "template" in node else node
        for node in starter.graph["nodes"]
    ]
    return publishing.create(name, slug=slug, draft={**starter.graph, "nodes": nodes}, now=now)


def _template(letter: Letter, *, slug: str, name: str, now: datetime) -> UUID:
    made = naming.begin(
        slug=f"{slug}-{letter.key}",
        name=f"{name}: {letter.heading}"[:120],
        purpose=letter.purpose,
        subject=letter.subject,
        mjml=letter.mjml(),
        declared=["given_name"],
        now=now,
    )
    return made.id
