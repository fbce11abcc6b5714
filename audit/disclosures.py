"""Record what was given to someone outside, for the accounting that a patient may ask for."""

from __future__ import annotations

from datetime import datetime

from audit import trail
from audit.actor import current
from audit.models import Disclosure


class DisclosureIncomplete(ValueError):
    """A disclosure lacks one of the parts that 164.528(b)(2) asks for."""


def record(
    *,
    organisation_id: int,
    contact_id: int | None,
    recipient: str,
    address: str,
    what: str,
    purpose: str,
    basis: str,
    at: datetime,
    count: int = 1,
) -> Disclosure:
    """Write the disclosure and its entry in the trail, in the caller's transaction."""
    parts = {"recipient": recipient, "address": address, "what": what}
    codes = {"purpose": purpose, "basis": basis}
    missing = [name for name, value in (parts | codes).items() if not value.strip()]
    if missing:
        raise DisclosureIncomplete(f"a disclosure needs its {', '.join(missing)}")
    actor = current()
    made = Disclosure.objects.create(
        organisation_id=organisation_id,
        contact_id=contact_id,
        count=count,
        **codes,
        at=at,
        actor_kind=actor.kind,
        actor_id=actor.id,
        **parts,
    )
    trail.record(
        "disclosure.recorded",
        subject=f"disclosure:{made.pk}",
        detail=dict(codes),
        organisation_id=organisation_id,
    )
    return made
