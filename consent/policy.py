"""May we write to this person about this? A pure decision: no database, no clock, no Django.

Every restriction only ever takes away: adding an opt-out, an expiry, a class of information or a
death to a refused question never turns it into a permit (tests/consent/test_policy_laws.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo


class Purpose(StrEnum):
    """Why a message is sent, in the sense of 45 CFR 164.501."""

    TREATMENT = "treatment"
    OPERATIONS = "operations"
    MARKETING = "marketing"
    REMUNERATED_MARKETING = "remunerated_marketing"


NEEDS_AUTHORIZATION = frozenset({Purpose.MARKETING, Purpose.REMUNERATED_MARKETING})

# Whoever signs to be written to has agreed that the address written to is used.
IMPLIED_CLASSES = frozenset({"contact_point"})


@dataclass(frozen=True, slots=True)
class AuthorizationFacts:
    """A signed HIPAA authorization (164.508) as the decision needs it.

    It ends with the last second of `expires_on` in `zone`, or the moment the named event was
    recorded (`ended_at`), or on revocation, whichever comes first.
    """

    id: UUID
    purposes: frozenset[str]
    classes: frozenset[str]
    signed_at: datetime
    expires_on: date | None = None
    zone: str = "UTC"
    ended_at: datetime | None = None
    revoked_at: datetime | None = None
    states_remuneration: bool = False

    def expired(self, now: datetime) -> bool:
        if self.ended_at is not None and now >= self.ended_at:
            return True
        return self.expires_on is not None and now >= end_of_day(self.expires_on, self.zone)

    def revoked(self, now: datetime) -> bool:
        return self.revoked_at is not None and now >= self.revoked_at

    def live(self, now: datetime) -> bool:
        return self.signed_at <= now and not self.revoked(now) and not self.expired(now)


@dataclass(frozen=True, slots=True)
class OptOutFacts:
    """What a person said no to; an empty text means every channel, purpose or topic."""

    channel: str = ""
    purpose: str = ""
    topic: str = ""

    def covers(self, question: Question) -> bool:
        return (
            self.channel in ("", question.channel)
            and self._covers_purpose(question.purpose)
            and self.topic in ("", question.topic)
        )

    def _covers_purpose(self, purpose: str | None) -> bool:
        """No to marketing is no to marketing that somebody pays for, too."""
        paid = self.purpose == Purpose.MARKETING and purpose == Purpose.REMUNERATED_MARKETING
        return paid or self.purpose in ("", purpose)


@dataclass(frozen=True, slots=True)
class Question:
    """One message to one person: what it is for, what it says, and what we know of the person."""

    purpose: str | None
    channel: str
    now: datetime
    classes: frozenset[str] = frozenset()
    topic: str = ""
    authorizations: tuple[AuthorizationFacts, ...] = ()
    opt_outs: tuple[OptOutFacts, ...] = ()
    suppressed: bool = False
    deceased: bool = False
    has_address: bool = True
    known: bool = True


@dataclass(frozen=True, slots=True)
class Permit:
    """The message may go. `basis` is the purpose that needs no signature, or `authorization`."""

    basis: str
    authorization_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The message may not go: a stable code, what is the case, and what would change it."""

    code: str
    sentence: str
    remedy: str
    outside: tuple[str, ...] = ()


REASONS: dict[str, tuple[str, str]] = {
    "purpose_required": (
        "The message does not say what it is for.",
        "Give it a purpose: treatment, operations, marketing or remunerated marketing.",
    ),
    "unknown_contact": (
        "This person is not, or no longer, among the contacts.",
        "Nothing to do; an erased person is not written to.",
    ),
    "deceased": (
        "This person has died.",
        "Nothing to do; if the record is wrong, correct it at its source.",
    ),
    "no_address": (
        "There is no address for this channel.",
        "Ask the person for one at the next visit, or use another channel.",
    ),
    "suppressed": (
        "This address is on the suppression list.",
        "A compliance officer can release it if the person asks for that.",
    ),
    "opted_out": (
        "This person said no to messages of this kind.",
        "Only the person can take that back, on the preference page or in writing.",
    ),
    "no_authorization": (
        "Marketing needs a signed authorization, and there is none for this purpose.",
        "Offer the person the authorization form.",
    ),
    "auth_revoked": (
        "This person withdrew the authorization.",
        "Only a new signature would permit it.",
    ),
    "auth_expired": (
        "The authorization has expired.",
        "Offer the person a new authorization form.",
    ),
    "phi_out_of_scope": (
        "The message says more about the person than the authorization covers.",
        "Take that out of the message and its audience, or ask for a wider authorization.",
    ),
    "remuneration_not_stated": (
        "Somebody pays for this message, and the authorization does not say so.",
        "Ask for an authorization whose text states the payment.",
    ),
}


def refuse(code: str, *, outside: Iterable[str] = ()) -> Refusal:
    named = tuple(sorted(outside))
    if not named:
        return _PLAIN[code]
    sentence, remedy = REASONS[code]
    return Refusal(code, f"{sentence} Outside its scope: {', '.join(named)}.", remedy, named)


_PLAIN = {code: Refusal(code, *texts) for code, texts in REASONS.items()}
_BY_LAW = {purpose: Permit(purpose.value) for purpose in Purpose}


@lru_cache(maxsize=4096)
def end_of_day(day: date, zone: str) -> datetime:
    """Return the first moment after `day` in `zone`."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=ZoneInfo(zone))


def decide(question: Question) -> Permit | Refusal:
    """Return the permit, or the first reason that stands against the message."""
    purpose = question.purpose
    if purpose is None or purpose not in _BY_LAW:
        return refuse("purpose_required")
    for code, stands in _OBJECTIONS:
        if stands(question):
            return refuse(code)
    if purpose in NEEDS_AUTHORIZATION:
        return _by_authorization(question, purpose)
    return _BY_LAW[Purpose(purpose)]


_OBJECTIONS: tuple[tuple[str, Callable[[Question], bool]], ...] = (
    ("unknown_contact", lambda question: not question.known),
    ("deceased", lambda question: question.deceased),
    ("suppressed", lambda question: question.suppressed),
    ("opted_out", lambda question: any(no.covers(question) for no in question.opt_outs)),
    ("no_address", lambda question: not question.has_address),
)


def _by_authorization(question: Question, purpose: str) -> Permit | Refusal:
    """One live authorization must cover purpose, information and payment by itself."""
    signed = [
        one
        for one in question.authorizations
        if purpose in one.purposes and one.signed_at <= question.now
    ]
    if not signed:
        return refuse("no_authorization")
    live = [one for one in signed if one.live(question.now)]
    if not live:
        latest = max(signed, key=lambda one: one.signed_at)
        return refuse("auth_revoked" if latest.revoked(question.now) else "auth_expired")
    covering = [one for one in live if not outside_scope(question.classes, one)]
    if not covering:
        return refuse("phi_out_of_scope", outside=_least_outside(question.classes, live))
    if purpose == Purpose.REMUNERATED_MARKETING:
        covering = [one for one in covering if one.states_remuneration]
        if not covering:
            return refuse("remuneration_not_stated")
    return Permit("authorization", max(covering, key=lambda one: (one.signed_at, one.id)).id)


def outside_scope(classes: frozenset[str], authorization: AuthorizationFacts) -> frozenset[str]:
    return classes - authorization.classes - IMPLIED_CLASSES


def _least_outside(classes: frozenset[str], live: list[AuthorizationFacts]) -> frozenset[str]:
    return min(
        (outside_scope(classes, one) for one in live), key=lambda left: (len(left), sorted(left))
    )


def in_words(permit: Permit) -> str:
    """Return the sentence that a person reads beside a message that was allowed."""
    if permit.authorization_id is not None:
        return "A signed authorization covers the purpose and the information in it."
    return f"Messages for {permit.basis} need no authorization, and nothing stands against it."


def reasons() -> Iterator[Refusal]:
    """Yield every refusal there is, for documentation and for reports."""
    yield from _PLAIN.values()
