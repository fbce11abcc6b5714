"""May we write to this person about this, by this channel, now? A pure decision.

No database, no clock, no Django: everything that the answer rests on stands in `Question` or in
the `Rules` of one version. Every restriction only ever takes away: adding an opt-out, an expiry, a
class of information, quiet hours or a death to a refused question never turns it into a permit
(tests/consent/test_policy_laws.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from consent import quiet
from consent.objections import (
    IMPLIED_CLASSES,
    OBJECTIONS,
    OPEN_CHANNELS,
    Case,
    effective,
    states_of,
    wishes_of,
)
from consent.purposes import Purpose
from consent.question import (
    OWN_ROUTE,
    Answer,
    AuthorizationFacts,
    ConfidentialFacts,
    Hold,
    OptOutFacts,
    Part2Facts,
    Permit,
    Question,
    Refusal,
    RestrictionFacts,
    RouteFacts,
    Use,
    end_of_day,
)
from consent.reasons import REASONS
from consent.rulebook import Cap, QuietHours, Rules

__all__ = [
    "OPEN_CHANNELS",
    "OWN_ROUTE",
    "REASONS",
    "Answer",
    "AuthorizationFacts",
    "ConfidentialFacts",
    "Hold",
    "OptOutFacts",
    "Part2Facts",
    "Permit",
    "Purpose",
    "Question",
    "Refusal",
    "RestrictionFacts",
    "RouteFacts",
    "Use",
    "decide",
    "end_of_day",
    "in_words",
    "reasons",
    "refuse",
]

NEEDS_AUTHORIZATION = frozenset(
    {Purpose.MARKETING, Purpose.REMUNERATED_MARKETING, Purpose.RESEARCH}
)
"""What the rules say of the purposes, for figures; a test compares it with every version."""


READ_WITHIN = timedelta(hours=1)
"""How long until a message that waits for a reply to be read is asked about again."""
STOPPABLE = frozenset({"everything", "purpose", "topic"})


@lru_cache(maxsize=512)
def refuse(code: str, *, outside: Iterable[str] = (), rules: str = "") -> Refusal:
    named = tuple(sorted(outside))
    sentence, remedy = REASONS[code]
    if named:
        sentence = f"{sentence} It says: {', '.join(one.replace('_', ' ') for one in named)}."
    return Refusal(code, sentence, remedy, named, rules)


def decide(question: Question, *, rules: Rules) -> Answer:
    """Return the permit, the moment to wait for, or the first reason that stands against it."""
    rule = rules.purposes.get(question.purpose or "")
    if rule is None:
        return refuse("purpose_required", rules=rules.version)
    become = effective(rule, question, rules)
    case = Case(question, rules, rule, become, frozenset({rule.key, become.key}))
    for code, stands in OBJECTIONS:
        if stands(case):
            return refuse(code, rules=rules.version)
    beyond = _beyond(case)
    if beyond:
        return refuse("class_not_allowed", outside=beyond, rules=rules.version)
    given = _basis(case)
    if isinstance(given, Refusal):
        return given
    return _when(case, _permit(case, given))


def _beyond(case: Case) -> frozenset[str]:
    """Return what the purpose does not allow the message to say; labels have rules of their own."""
    allowed = case.rule.classes
    return frozenset() if allowed is None else case.question.classes - allowed


# What it rests on


def _basis(case: Case) -> UUID | Refusal | None:
    """Return the authorization that covers it, None where none is needed, or what is missing."""
    if not case.become.needs_authorization:
        return None
    return _by_authorization(case)


def _by_authorization(case: Case) -> UUID | Refusal:
    """One live authorization must cover purpose, information, payment and channel by itself."""
    question, purpose, version = case.question, case.become.key, case.rules.version
    signed = [
        one
        for one in question.authorizations
        if purpose in one.purposes and one.signed_at <= question.now
    ]
    if not signed:
        return refuse("remunerated" if case.paid else "no_authorization", rules=version)
    live = [one for one in signed if one.live(question.now)]
    if not live:
        latest = max(signed, key=lambda one: one.signed_at)
        code = "auth_revoked" if latest.revoked(question.now) else "auth_expired"
        return refuse(code, rules=version)
    covering = [one for one in live if not outside_scope(question.classes, one)]
    if not covering:
        outside = _least_outside(question.classes, live)
        return refuse("phi_out_of_scope", outside=outside, rules=version)
    if case.become.states_remuneration:
        covering = [one for one in covering if one.states_remuneration]
        if not covering:
            return refuse("remuneration_not_stated", rules=version)
    if question.channel in OPEN_CHANNELS:
        covering = [one for one in covering if question.channel in one.channels]
        if not covering:
            return refuse("no_pewc", rules=version)
    return max(covering, key=lambda one: (one.signed_at, one.id)).id


def outside_scope(classes: frozenset[str], authorization: AuthorizationFacts) -> frozenset[str]:
    return classes - authorization.classes - IMPLIED_CLASSES


def _least_outside(classes: frozenset[str], live: list[AuthorizationFacts]) -> frozenset[str]:
    return min(
        (outside_scope(classes, one) for one in live), key=lambda left: (len(left), sorted(left))
    )


def _permit(case: Case, authorization: UUID | None) -> Permit:
    question, version = case.question, case.rules.version
    plain = question.channel in question.accepts_plain
    wishes = wishes_of(case)
    if authorization is None and not plain and not wishes:
        return _by_law(case.rule.key, version)
    basis = case.rule.key if authorization is None else "authorization"
    named = sorted((wish.category for wish in wishes), key=lambda one: (not one, one))
    return Permit(basis, authorization, version, plain, named[0] if named else None)


@lru_cache(maxsize=256)
def _by_law(purpose: str, version: str) -> Permit:
    return Permit(purpose, rules=version)


# When it may go


def _when(case: Case, permit: Permit) -> Answer:
    """Return the permit, or the moment at which quiet hours are over and every cap has room.

    While a reply waits to be read, everything that a no could stop waits with it.
    """
    if case.question.in_review and case.rule.stopped_by & STOPPABLE:
        later = case.question.now + READ_WITHIN
        return Hold("in_review", *REASONS["in_review"], until=later, permit=permit)
    full = [one for one in (*case.rules.caps, *case.question.caps) if _full(one, case)]
    if any(one.when_full == "refuse" for one in full):
        return refuse("cap_reached", rules=case.rules.version)
    room = max((_room_at(one, case) for one in full), default=case.question.now)
    at = _quiet_over(case, room)
    if at is None:
        return refuse("never_open", rules=case.rules.version)
    if at <= case.question.now:
        return permit
    code = "cap_full" if room > case.question.now else "quiet_hours"
    return Hold(code, *REASONS[code], until=at, permit=permit)


def _quiet_over(case: Case, moment: datetime) -> datetime | None:
    hours = _hours(case)
    return quiet.next_open(moment, hours) if hours else moment


def _hours(case: Case) -> tuple[quiet.There, ...]:
    """Return the hours that bind it: the law's for its channel, and the organisation's.

    A State's own hours count by the clocks of that State; where the State is not known, each of
    them may.
    """
    question, rules = case.question, case.rules
    if not case.rule.quiet and not case.paid:
        return ()
    law = [one for one in rules.quiet if question.channel in one.channels]
    if not law and not question.quiet:
        return ()
    law = quiet.of_law(law, states=states_of(question), now=question.now)
    zones = question.zones or rules.zones_of(question.state)
    return tuple(
        (one, _clocks(one, zones, rules))
        for one in (*law, *question.quiet)
        if (not one.channels or question.channel in one.channels)
        and (not one.purposes or one.purposes & case.purposes)
    )


def _clocks(hours: QuietHours, zones: tuple[str, ...], rules: Rules) -> tuple[str, ...]:
    if not hours.state:
        return zones
    there = rules.zones_of(hours.state)
    return tuple(one for one in zones if one in there)


def _full(cap: Cap, case: Case) -> bool:
    if not any(cap.counts(purpose, case.question.channel) for purpose in case.purposes):
        return False
    return len(_counted(cap, case.question)) >= cap.most


def _counted(cap: Cap, question: Question) -> list[datetime]:
    since = question.now - timedelta(days=cap.days)
    return sorted(
        use.at for use in question.used if use.at > since and cap.counts(use.purpose, use.channel)
    )


def _room_at(cap: Cap, case: Case) -> datetime:
    """Return when enough of what was sent is so long ago that there is room again."""
    counted = _counted(cap, case.question)
    if cap.most == 0:
        return case.question.now + timedelta(days=cap.days)
    return counted[len(counted) - cap.most] + timedelta(days=cap.days)


# Words


def in_words(permit: Permit) -> str:
    """Return the sentence that a person reads beside a message that was allowed."""
    if permit.authorization_id is not None:
        return "A signed authorization covers the purpose and the information in it."
    purpose = permit.basis.replace("_", " ")
    return f"Messages for {purpose} need no authorization, and nothing stands against it."


def reasons() -> Iterator[Refusal]:
    """Yield every refusal and hold there is, for documentation and for reports."""
    yield from (refuse(code) for code in REASONS)
