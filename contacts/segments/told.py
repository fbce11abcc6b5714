"""The one door through which counts of people are told: exactly, or blurred and remembered.

A `Reader` stands for whoever reads. It answers in words or numbers; what was told is a row, so
that the same question has the same answer for everybody. A question that was never told costs the
reader one of so many a day, and so does one that moved: averaging the blur away takes thousands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from accounts import tenancy, throttle
from audit import trail
from contacts.segments import counts
from contacts.segments.counts import Answer, Shown
from contacts.segments.live import attend
from contacts.segments.models import CountTold
from contacts.segments.nodes import Clause
from crypto import keyring

RATION: Final = throttle.Rate("counts", burst=300, every=timedelta(minutes=4, seconds=48))
"""New questions for one person or key: 300 at once, and 300 a day."""
FORGOTTEN: Final = timedelta(days=180)

Question = tuple[object, ...]
"""What is counted: equal where it means the same people."""

_REMEMBER = """
INSERT INTO contacts_counttold (organisation_id, question, size, epoch, told_at)
SELECT %(o)s, question, size, epoch, %(now)s
FROM unnest(%(questions)s::bytea[], %(sizes)s::int8[], %(epochs)s::int4[])
    AS u (question, size, epoch)
ON CONFLICT (organisation_id, question) DO UPDATE
SET size = excluded.size, epoch = excluded.epoch, told_at = excluded.told_at
WHERE contacts_counttold.epoch < excluded.epoch
"""


class Rationed(Exception):
    """The reader has asked as many new questions as a day allows."""


@dataclass(frozen=True, slots=True)
class Reader:
    """To whom counts are told. `asker` is a person's or a key's id, from whose ration it goes."""

    exact: bool
    asker: str = ""
    now: datetime | None = None

    def number(self, question: Question, count: int, *, free: bool = False) -> int | None:
        return self.one(question, count, free=free).number

    def said(self, question: Question, count: int | None, *, free: bool = False) -> str:
        if count is None:
            return "not counted yet"
        return str(self.one(question, count, free=free))

    def one(self, question: Question, count: int, *, free: bool = False) -> Shown:
        return self.many({question: count}, free=free)[question]

    def many(
        self, cells: Mapping[Question, int], *, free: bool = False, strict: bool = False
    ) -> dict[Question, Shown]:
        """Answer many questions with two statements.

        A new question costs one, and so does one whose count has moved far enough for another
        answer. `free`: neither does, for what nobody can put together at will. Where the ration is
        used up, old answers stand and new ones are held back; `strict`: Rationed is raised.
        """
        if self.exact:
            return {question: Shown(count, exact=True) for question, count in cells.items()}
        key = _key()
        tokens = {question: _token(key, question) for question in cells}
        before = _remembered(tokens.values())
        found = {
            token: counts.settled(before.get(token), cells[question], key=key, question=token)
            for question, token in tokens.items()
        }
        fresh = {token: one for token, one in found.items() if one != before.get(token)}
        if free or self._spent(len(fresh)):
            self._remember(fresh)
        elif strict and fresh.keys() - before.keys():
            raise Rationed
        else:
            found = before
        return {
            question: (
                counts.blurred(found[token], key=key, question=token)
                if token in found
                else Shown(None, exact=False, held=True)
            )
            for question, token in tokens.items()
        }

    def series(self, question: Question, sizes: Sequence[int]) -> list[Shown]:
        """A question's counts over time, from the very first on."""
        if self.exact:
            return [Shown(size, exact=True) for size in sizes]
        key = _key()
        return counts.series(sizes, key=key, question=_token(key, question))

    def _spent(self, many: int) -> bool:
        if not many:
            return True
        if self.now is not None and throttle.spend(RATION, self.asker, now=self.now, many=many):
            return True
        trail.record("counts.rationed", detail={"count": many}, outcome="refused")
        return False

    def _remember(self, answers: Mapping[bytes, Answer]) -> None:
        if not answers:
            return
        given = {
            "o": tenancy.current(),
            "now": self.now,
            "questions": list(answers),
            "sizes": [one.size for one in answers.values()],
            "epochs": [one.epoch for one in answers.values()],
        }
        with connection.cursor() as cursor:
            cursor.execute(_REMEMBER, given)


def reader(
    asked: Collection[str], granted: Collection[str], *, asker: object, now: datetime
) -> Reader:
    """The reader with these data classes, of counts that those asked decide."""
    return Reader(counts.exact_for(asked, granted), str(asker), now)


def of_clause(clause: Clause) -> Question:
    """The question how many a clause holds for; what it names has been put in its place."""
    return ("holds", repr(attend.plain(clause)))


def forget(*, now: datetime) -> int:
    """Delete answers that were not renewed for half a year; return how many."""
    deleted, _ = CountTold.objects.filter(told_at__lt=now - FORGOTTEN).delete()
    return deleted


def _key() -> bytes:
    return keyring.for_organisation(tenancy.current()).derive("counts told")


def _token(key: bytes, question: Question) -> bytes:
    return hashlib.blake2b(repr(question).encode(), key=key, digest_size=16).digest()


def _remembered(tokens: Collection[bytes]) -> dict[bytes, Answer]:
    rows = CountTold.objects.filter(question__in=list(tokens))
    return {
        bytes(question): Answer(size, epoch)
        for question, size, epoch in rows.values_list("question", "size", "epoch")
    }
