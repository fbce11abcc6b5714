"""As whom staff look at a message: nobody, a contact by record number, or somebody of a segment."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from accounts.models import User
from accounts.roles import Permission
from contacts import matching
from contacts.models import Contact
from contacts.segments.models import Segment
from marketing.web import segment_sight
from marketing.web.making.forms import Choosing
from marketing.web.segment_sight import Sight
from messaging.making import seen

OFFERED = 100


class NobodyChosen(Exception):
    """There is no such person to look as; the words say what to do."""


def person(given: Mapping[str, str], user: User) -> Contact | None:
    """Return the contact that `number` or `segment` names; None where neither is given.

    Raises `NobodyChosen`.
    """
    if given.get("segment"):
        return _drawn(str(given["segment"]), user)
    return _numbered(str(given["number"]), user) if given.get("number") else None


def _numbered(number: str, user: User) -> Contact:
    if not user.may(Permission.CONTACTS_SEARCH):
        raise NobodyChosen("Your role may not look contacts up.")
    form = Choosing({"number": number})
    people = matching.find("record_number", form.data["number"]) if form.is_valid() else []
    if len(people) != 1:
        raise NobodyChosen("Nobody, or more than one, has this record number. Give it whole.")
    return people[0]


def segments(user: User) -> list[tuple[str, str]]:
    """Return the segments of whose members the role may know that they are in."""
    if not user.may(Permission.CONTACTS_VIEW):
        return []
    rows = Segment.objects.filter(archived_at=None).order_by("-created_at")[:OFFERED]
    sights = (segment_sight.of(one, user) for one in rows)
    return [(str(one.segment.pk), one.title) for one in sights if _may_know(one, user)]


def _may_know(sight: Sight, user: User) -> bool:
    return sight.open and frozenset(sight.classes) <= user.data_classes


def _drawn(segment_id: str, user: User) -> Contact:
    """Take somebody of a segment by lot."""
    if segment_id not in dict(segments(user)):
        raise NobodyChosen("Choose a segment whose members your role may know.")
    found = seen.drawn(Segment.objects.get(pk=segment_id), below=secrets.randbelow)
    if found is None:
        raise NobodyChosen("Nobody is in this segment, or they left just now. Try again.")
    return found
