"""The topics of an organisation: what templates may be about, in its patients' languages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from audit import actions, trail
from consent.ledger import ConsentInvalid
from consent.models import Topic

KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
RESERVED = frozenset({"tracking"})
"""Taken: the choice not to be measured is kept as a topic of this name."""
LONGEST = {"name": 80, "about": 300}

for _action in ("topic.added", "topic.changed", "topic.archived", "topic.restored"):
    actions.register(_action, ("topic", "languages"))

Words = Mapping[str, Mapping[str, str]]


def current() -> list[Topic]:
    """Return the topics that are offered, in the organisation's order."""
    return list(Topic.objects.filter(archived_at=None).order_by("position", "key"))


@transaction.atomic
def add(key: str, words: Words, *, now: datetime) -> Topic:
    if not KEY.fullmatch(key) or key in RESERVED:
        raise ConsentInvalid("key: use small letters, figures, - and _; tracking is taken")
    if Topic.objects.filter(key=key).exists():
        raise ConsentInvalid("key: there is a topic of this key; restore it if it is archived")
    last = Topic.objects.aggregate(last=Max("position"))["last"]
    row = Topic.objects.create(key=key, words=_clean(words), position=(last or 0) + 1, added_at=now)
    _note("added", row)
    return row


@transaction.atomic
def change(row: Topic, words: Words) -> None:
    """Say it in other words; the key, by which people's refusals know it, stays."""
    row.words = _clean(words)
    row.save(update_fields=["words"])
    _note("changed", row)


@transaction.atomic
def archive(row: Topic, *, now: datetime) -> None:
    """Offer it no more. What people refused stays refused."""
    row.archived_at = now
    row.save(update_fields=["archived_at"])
    _note("archived", row)


@transaction.atomic
def restore(row: Topic) -> None:
    row.archived_at = None
    row.save(update_fields=["archived_at"])
    _note("restored", row)


def _clean(words: Words) -> dict[str, dict[str, str]]:
    clean = {
        language: {part: str(said.get(part, "")).strip()[:most] for part, most in LONGEST.items()}
        for language, said in words.items()
    }
    clean = {language: said for language, said in clean.items() if said["name"]}
    if "en" not in clean:
        raise ConsentInvalid("name: give it a name in English; other languages are welcome too")
    return clean


def _note(what: str, row: Topic) -> None:
    trail.record(
        f"topic.{what}",
        subject=f"topic:{row.id}",
        detail={"topic": row.key, "languages": sorted(row.words)},
    )
