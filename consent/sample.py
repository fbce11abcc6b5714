"""Invented consents: who signed, who refused and who was never asked, settled by a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from consent import forms, ledger

FORM = """I agree that {clinic} may use my name, my e-mail address and what my health record says \
about my conditions to send me health education and invitations to classes. Nobody pays the \
clinic for sending them. I can withdraw this at any time; my care does not depend on it. \
It ends two years after I sign.
"""
CLASSES = frozenset({"identity", "demographic", "clinical", "engagement"})
PURPOSES = frozenset({"marketing"})
LASTS = timedelta(days=730)


@dataclass(frozen=True, slots=True)
class Shares:
    """Of a hundred people: how many sign; of those, how many withdraw or are past the end."""

    signed: int = 80
    withdrew: int = 5
    expired: int = 4
    opted_out: int = 3


@dataclass(frozen=True, slots=True)
class Recorded:
    asked: int
    signed: int
    withdrew: int
    expired: int
    opted_out: int


def record(
    contact_ids: Sequence[int],
    *,
    clinic: str,
    zone: str,
    now: datetime,
    shares: Shares | None = None,
    seed: int = 164_508,
) -> Recorded:
    """Record each person's authorization, its withdrawal, or a no, as the shares say."""
    shares, chance = shares or Shares(), random.Random(seed)  # noqa: S311
    form = forms.add_version(
        "Health education", language="en", text=FORM.format(clinic=clinic), now=now
    )
    signers = [one for one in contact_ids if chance.randrange(100) < shares.signed]
    ended = {one for one in signers if chance.randrange(100) < shares.expired}
    signed_at = {one: now - timedelta(days=chance.randrange(40, 600)) for one in signers}
    ids = ledger.record_authorizations(
        [
            ledger.Signing(
                one,
                PURPOSES,
                CLASSES,
                signed_at[one],
                expires_on=_last_day(signed_at[one], now, ended=one in ended),
                zone=zone,
                form_version=form.id,
            )
            for one in signers
        ],
        received_by="paper",
        now=now,
    )
    withdrawn = [id_ for id_ in ids if chance.randrange(100) < shares.withdrew]
    for id_ in withdrawn:
        ledger.revoke(id_, received_by="phone", now=now)
    noes = [one for one in contact_ids if chance.randrange(100) < shares.opted_out]
    for one in noes:
        ledger.opt_out(one, channel="email", received_by="phone", now=now)
    return Recorded(len(contact_ids), len(signers), len(withdrawn), len(ended), len(noes))


def _last_day(signed_at: datetime, now: datetime, *, ended: bool) -> date:
    return ((now - timedelta(days=9)) if ended else (signed_at + LASTS)).date()
