"""Another e-mail address, given on the preference page by somebody who shows who they are.

The link alone is not enough: it may have been forwarded, and whoever got it could have a patient's
mail sent to themselves. So the date of birth is asked, and wrong ones are counted.
"""

from __future__ import annotations

import hmac
from datetime import date, datetime, timedelta

from accounts import throttle
from audit import actions, trail
from audit.actor import Actor, acting_as
from contacts import reveal
from contacts.canonical import ValueRefused
from contacts.fields import DataClass
from contacts.points import keeping

CHECK = Actor("system", "choices")
ATTEMPTS = throttle.Limit("choices.born", free=5)
actions.register("choices.refused", ("reason",))


class Refused(Exception):
    """Why nothing was changed: `born`, `locked` or `address`."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


def reach(contact_id: int, address: str, born: date | None, *, now: datetime) -> None:
    """Write to this e-mail address from now on; raises `Refused`."""
    limits = {ATTEMPTS: str(contact_id)}
    if throttle.wait(limits, now=now) > timedelta():
        raise Refused("locked")
    if not _is_born(contact_id, born):
        throttle.failed(limits, now=now)
        trail.record(
            "choices.refused",
            subject=f"contact:{contact_id}",
            detail={"reason": "birth_date"},
            outcome="refused",
        )
        raise Refused("born")
    throttle.succeeded(limits)
    point = keeping.NewPoint(kind="email", value=address, preferred=True)
    try:
        keeping.add(contact_id, point, source="choices", now=now)
    except ValueRefused:
        raise Refused("address") from None


def _is_born(contact_id: int, given: date | None) -> bool:
    """Compare with the record; where none is known, nobody can be told apart."""
    with acting_as(CHECK):
        found = reveal.reveal([contact_id], [DataClass.IDENTITY], purpose="choices")
    known = str(found.get(contact_id, {}).get("birth_date", ""))
    return bool(known and given) and hmac.compare_digest(known, str(given))
