"""What a decision is made of: one message to one person, and all that is known of both. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from consent.purposes import Remuneration
from consent.rulebook import Cap, QuietHours


@lru_cache(maxsize=4096)
def end_of_day(day: date, zone: str) -> datetime:
    """Return the first moment after `day` in `zone`."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=ZoneInfo(zone))


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
    channels: frozenset[str] = frozenset()
    """Channels that its words name; marketing by text message needs its own (64.1200(f))."""

    def expired(self, now: datetime) -> bool:
        if self.ended_at is not None and now >= self.ended_at:
            return True
        return self.expires_on is not None and now >= end_of_day(self.expires_on, self.zone)

    def revoked(self, now: datetime) -> bool:
        return self.revoked_at is not None and now >= self.revoked_at

    def live(self, now: datetime) -> bool:
        return self.signed_at <= now and not self.revoked(now) and not self.expired(now)


@dataclass(frozen=True, slots=True)
class Part2Facts:
    """A consent under 42 CFR 2.31: for treatment, payment and operations, or for purposes named."""

    signed_at: datetime
    purposes: frozenset[str] = frozenset()
    """Empty: treatment, payment and health care operations; it never reaches marketing."""
    expires_on: date | None = None
    zone: str = "UTC"
    revoked_at: datetime | None = None

    def live(self, now: datetime) -> bool:
        if self.revoked_at is not None and now >= self.revoked_at:
            return False
        over = self.expires_on is not None and now >= end_of_day(self.expires_on, self.zone)
        return self.signed_at <= now and not over


@dataclass(frozen=True, slots=True)
class OptOutFacts:
    """What a person said no to; an empty text means every channel, purpose or topic."""

    channel: str = ""
    purpose: str = ""
    topic: str = ""
    keyword: bool = False
    """It came as STOP or its kin; how far that reaches is the organisation's to say (TC-03)."""

    @property
    def kind(self) -> str:
        if self.topic:
            return "topic"
        if self.purpose:
            return "purpose"
        return "channel" if self.channel else "everything"


@dataclass(frozen=True, slots=True)
class RestrictionFacts:
    """A restriction that was agreed (164.522(a)); empty sets mean all of their kind.

    One that was ended by notice still binds what is known from before, and a message cannot tell
    when each fact came in: it goes on binding messages that say anything of the person.
    """

    purposes: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()

    def covers(self, question: Question, purposes: frozenset[str]) -> bool:
        return (
            (not self.purposes or bool(self.purposes & purposes))
            and (not self.classes or bool(self.classes & question.classes))
            and (not self.channels or question.channel in self.channels)
        )


@dataclass(frozen=True, slots=True)
class ConfidentialFacts:
    """A request for confidential communications (164.522(b)).

    Messages of the category (a class, a label or a purpose; empty: all) go by `channel` (empty:
    any) and to the alternative address only, or not at all.
    """

    category: str = ""
    channel: str = ""
    alternative: bool = False
    """An alternative address for the question's channel is known."""

    def concerns(self, question: Question, purposes: frozenset[str]) -> bool:
        return self.category in ("", *question.classes, *purposes)


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """Who carries the message: our own machine, or a vendor under an agreement (164.504(e))."""

    own: bool = True
    agreement_from: date | None = None
    agreement_until: date | None = None
    covers_channel: bool = False

    def may_carry(self, now: datetime) -> bool:
        if self.own:
            return True
        if self.agreement_from is None or now.date() < self.agreement_from:
            return False
        over = self.agreement_until is not None and now.date() > self.agreement_until
        return self.covers_channel and not over


OWN_ROUTE = RouteFacts()


@dataclass(frozen=True, slots=True)
class Use:
    """A message that went to this person, or is on its way."""

    purpose: str
    channel: str
    at: datetime


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
    remuneration: Remuneration | None = None
    further_paid: tuple[Remuneration, ...] = ()
    """Payments for this campaign or step, besides what the template says; the strictest counts."""
    days_lapsed: int | None = None
    """Refills: days since the prescription ended; None while it runs."""
    new_formulation: bool = False
    part2: tuple[Part2Facts, ...] = ()
    restrictions: tuple[RestrictionFacts, ...] = ()
    confidential: tuple[ConfidentialFacts, ...] = ()
    route: RouteFacts = OWN_ROUTE
    accepts_plain: frozenset[str] = frozenset()
    """Channels for which the person took the warning about unencrypted messages and agreed."""
    reassigned_at: datetime | None = None
    """When the number was found to be another person's."""
    do_not_call: bool = False
    birth_date: date | None = None
    state: str = ""
    to_representative: bool = False
    representative_until: datetime | None = None
    recipient_state: str = ""
    zones: tuple[str, ...] = ()
    """Where the person may live; empty: by the State, or anywhere."""
    quiet: tuple[QuietHours, ...] = ()
    caps: tuple[Cap, ...] = ()
    used: tuple[Use, ...] = ()
    stop_means_all: bool = False
    in_review: bool = False
    """A reply of this person waits to be read: it may be a no."""


@dataclass(frozen=True, slots=True)
class Permit:
    """The message may go. `basis` is the purpose that needs no signature, or `authorization`."""

    basis: str
    authorization_id: UUID | None = None
    rules: str = ""
    plain: bool = False
    """The person agreed to be written to without encryption on the last hop."""
    alternative: str | None = None
    """It must go to the alternative address of this category, never to the first one."""


@dataclass(frozen=True, slots=True)
class Hold:
    """The message may go, but not before `until`: ask again then."""

    code: str
    sentence: str
    remedy: str
    until: datetime
    permit: Permit


@dataclass(frozen=True, slots=True)
class Refusal:
    """The message may not go: a stable code, what is the case, and what would change it."""

    code: str
    sentence: str
    remedy: str
    outside: tuple[str, ...] = ()
    rules: str = ""


Answer = Permit | Hold | Refusal
