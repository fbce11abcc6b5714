"""May we write to this person about this, by this channel, now? A pure decision.

No database, no clock, no Django: everything that the answer rests on stands in `Question` or in
the `Rules` of one version. Every restriction only ever takes away: adding an opt-out, an expiry, a
class of information, quiet hours or a death to a refused question never turns it into a permit
(tests/consent/test_policy_laws.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from consent import quiet
from consent.purposes import Purpose, PurposeRule, Remuneration
from consent.reasons import REASONS
from consent.rulebook import Cap, QuietHours, Rules

__all__ = ["REASONS", "Purpose", "Remuneration"]

NEEDS_AUTHORIZATION = frozenset(
    {Purpose.MARKETING, Purpose.REMUNERATED_MARKETING, Purpose.RESEARCH}
)
"""What the rules say of the purposes, for figures; a test compares it with every version."""

# Whoever signs to be written to has agreed that the address written to is used.
IMPLIED_CLASSES = frozenset({"contact_point"})
PART2 = "substance_use"
PSYCHOTHERAPY = "psychotherapy"
SMS = "sms"
OPEN_CHANNELS = frozenset({SMS})
"""Channels that nothing encrypts on the way."""


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


@lru_cache(maxsize=512)
def refuse(code: str, *, outside: Iterable[str] = (), rules: str = "") -> Refusal:
    named = tuple(sorted(outside))
    sentence, remedy = REASONS[code]
    if named:
        sentence = f"{sentence} It says: {', '.join(one.replace('_', ' ') for one in named)}."
    return Refusal(code, sentence, remedy, named, rules)


@lru_cache(maxsize=4096)
def end_of_day(day: date, zone: str) -> datetime:
    """Return the first moment after `day` in `zone`."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=ZoneInfo(zone))


def decide(question: Question, *, rules: Rules) -> Answer:
    """Return the permit, the moment to wait for, or the first reason that stands against it."""
    rule = rules.purposes.get(question.purpose or "")
    if rule is None:
        return refuse("purpose_required", rules=rules.version)
    become = effective(rule, question, rules)
    case = _Case(question, rules, rule, become, frozenset({rule.key, become.key}))
    for code, stands in _OBJECTIONS:
        if stands(case):
            return refuse(code, rules=rules.version)
    beyond = _beyond(case)
    if beyond:
        return refuse("class_not_allowed", outside=beyond, rules=rules.version)
    given = _basis(case)
    if isinstance(given, Refusal):
        return given
    return _when(case, _permit(case, given))


@dataclass(frozen=True, slots=True)
class _Case:
    """A question, the rule of its purpose, and the rule of what payment makes of it."""

    question: Question
    rules: Rules
    rule: PurposeRule
    become: PurposeRule
    purposes: frozenset[str]

    @property
    def paid(self) -> bool:
        return self.become is not self.rule


def effective(rule: PurposeRule, question: Question, rules: Rules) -> PurposeRule:
    """Return the rule of what the message is once it is known who pays for it."""
    paid = question.remuneration
    if paid is None:
        return rule
    strict = bool(rules.of_states("payment_of_any_kind", _states(question), question.now))
    if not paid.makes_marketing(rule, of_any_kind=strict):
        return rule
    return rules.purposes[rule.when_paid]


def _states(question: Question) -> frozenset[str]:
    return frozenset({question.state}) if question.state else frozenset()


# What stands against it, whatever was signed


def _opted_out(case: _Case) -> bool:
    return any(_covers(no, case) for no in case.question.opt_outs)


def _covers(no: OptOutFacts, case: _Case) -> bool:
    """Say whether a no stops the message; a no to marketing stops paid marketing, too."""
    question = case.question
    if no.channel not in ("", question.channel):
        return False
    if no.keyword and question.stop_means_all:
        return True
    wide = case.purposes | case.rule.also_stopped | case.become.also_stopped
    if no.purpose and no.purpose not in wide:
        return False
    if no.topic not in ("", question.topic):
        return False
    return no.kind in case.rule.stopped_by or no.kind in case.become.stopped_by


def _reassigned(case: _Case) -> bool:
    """A signature given after the number changed hands was given by whoever has it now."""
    at, question = case.question.reassigned_at, case.question
    if at is None:
        return False
    return not any(
        one.signed_at > at and one.live(question.now) for one in question.authorizations
    )


def _do_not_call(case: _Case) -> bool:
    """A signature that names the channel outweighs the registry (64.1200(c)(2)(ii))."""
    question = case.question
    if not (question.do_not_call and case.become.commercial):
        return False
    return not any(
        question.channel in one.channels and one.live(question.now)
        for one in question.authorizations
    )


def _restricted(case: _Case) -> bool:
    return any(one.covers(case.question, case.purposes) for one in case.question.restrictions)


def _wishes(case: _Case) -> list[ConfidentialFacts]:
    found = case.question.confidential
    return [one for one in found if one.concerns(case.question, case.purposes)] if found else []


def _other_channel(case: _Case) -> bool:
    return any(one.channel not in ("", case.question.channel) for one in _wishes(case))


def _no_alternative(case: _Case) -> bool:
    return any(not one.alternative for one in _wishes(case))


def _psychotherapy(case: _Case) -> bool:
    """Only an authorization for psychotherapy notes and nothing else may cover them."""
    question = case.question
    if PSYCHOTHERAPY not in question.classes:
        return False
    alone = frozenset({PSYCHOTHERAPY})
    return not any(
        one.classes == alone and case.become.key in one.purposes and one.live(question.now)
        for one in question.authorizations
    )


def _part2(case: _Case) -> bool:
    """To the person alone, care needs no consent (42 CFR 2.23); everything else needs its own."""
    question = case.question
    if PART2 not in question.classes:
        return False
    live = [one for one in question.part2 if one.live(question.now)]
    if case.become.needs_authorization or case.become.commercial:
        return not any(case.become.key in one.purposes for one in live)
    if not question.to_representative:
        return False
    return not any(not one.purposes or case.become.key in one.purposes for one in live)


def _age(question: Question) -> int | None:
    """Return the age, lived to the last day there is: a birthday counts when it has begun."""
    born = question.birth_date
    if born is None:
        return None
    zone = (question.zones or ("UTC",))[0]
    today = question.now.astimezone(ZoneInfo(zone)).date()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _proxy_over(case: _Case) -> bool:
    """A parent's access ends at majority; another representative's when the authority ends."""
    question = case.question
    if not question.to_representative:
        return False
    if question.representative_until is not None:
        return question.now >= question.representative_until
    age = _age(question)
    return age is None or age >= case.rules.majority_in(question.state)


def _minors_own(case: _Case) -> bool:
    """What a minor may consent to alone goes to the minor's own alternative address only."""
    question = case.question
    age = _age(question)
    if age is None or age >= case.rules.majority_in(question.state):
        return False
    own = {"minor"} & question.classes or _own_labels(case, age)
    if not own:
        return False
    return question.to_representative or not any(
        one.alternative and one.category in own for one in question.confidential
    )


def _own_labels(case: _Case, age: int) -> frozenset[str]:
    """Return the labels that this minor's State leaves to minors of this age."""
    question = case.question
    rules = case.rules.of_states("minors_own", _states(question), question.now)
    held = [one.labels for one in rules if one.age is not None and age >= one.age]
    return frozenset().union(*held) & question.classes


def _out_of_state(case: _Case) -> bool:
    question = case.question
    if not question.to_representative or not question.state:
        return False
    rules = case.rules.of_states("not_out_of_state", _states(question), question.now)
    labelled = any(one.labels & question.classes for one in rules)
    return labelled and question.recipient_state != question.state


def _plain_refused(case: _Case) -> bool:
    """Anything but that we write at all is health information on an open channel (PR-38)."""
    question = case.question
    if question.channel not in OPEN_CHANNELS:
        return False
    says = question.classes - IMPLIED_CLASSES - {"engagement"}
    return bool(says) and question.channel not in question.accepts_plain


def _lapsed(case: _Case) -> bool:
    most, lapsed = case.rule.most_days_lapsed, case.question.days_lapsed
    return most is not None and lapsed is not None and lapsed > most


def _formulation(case: _Case) -> bool:
    return case.rule.key == Purpose.REFILL and case.question.new_formulation


_OBJECTIONS: tuple[tuple[str, Callable[[_Case], bool]], ...] = (
    ("unknown_contact", lambda case: not case.question.known),
    ("deceased", lambda case: case.question.deceased),
    ("suppressed", lambda case: case.question.suppressed),
    ("opted_out", _opted_out),
    ("no_address", lambda case: not case.question.has_address),
    ("reassigned", _reassigned),
    ("do_not_call", _do_not_call),
    ("restricted", _restricted),
    ("confidential_channel", _other_channel),
    ("confidential_address", _no_alternative),
    ("no_baa", lambda case: not case.question.route.may_carry(case.question.now)),
    ("psychotherapy_notes", _psychotherapy),
    ("part2_scope", _part2),
    ("representative_ended", _proxy_over),
    ("minors_own_services", _minors_own),
    ("out_of_state", _out_of_state),
    ("plain_not_agreed", _plain_refused),
    ("refill_lapsed", _lapsed),
    ("new_formulation", _formulation),
)
"""In this order; each stands by itself, so that one more never opens the way."""


def _beyond(case: _Case) -> frozenset[str]:
    """Return what the purpose does not allow the message to say; labels have rules of their own."""
    allowed = case.rule.classes
    return frozenset() if allowed is None else case.question.classes - allowed


# What it rests on


def _basis(case: _Case) -> UUID | None | Refusal:
    """Return the authorization that covers it, None where none is needed, or what is missing."""
    if not case.become.needs_authorization:
        return None
    return _by_authorization(case)


def _by_authorization(case: _Case) -> UUID | Refusal:
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


def _permit(case: _Case, authorization: UUID | None) -> Permit:
    question, version = case.question, case.rules.version
    plain = question.channel in question.accepts_plain
    wishes = _wishes(case)
    if authorization is None and not plain and not wishes:
        return _by_law(case.rule.key, version)
    basis = case.rule.key if authorization is None else "authorization"
    named = sorted((wish.category for wish in wishes), key=lambda one: (not one, one))
    return Permit(basis, authorization, version, plain, named[0] if named else None)


@lru_cache(maxsize=256)
def _by_law(purpose: str, version: str) -> Permit:
    return Permit(purpose, rules=version)


# When it may go


def _when(case: _Case, permit: Permit) -> Answer:
    """Return the permit, or the moment at which quiet hours are over and every cap has room."""
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


def _quiet_over(case: _Case, moment: datetime) -> datetime | None:
    windows = _windows(case)
    if not windows:
        return moment
    question = case.question
    zones = question.zones or case.rules.zones_of(question.state)
    return quiet.next_open(moment, windows, zones)


def _windows(case: _Case) -> tuple[QuietHours, ...]:
    """Return the hours that bind this message: the law's for its channel, and the organisation's."""
    if not case.rule.quiet and not case.paid:
        return ()
    question = case.question
    law = [one for one in case.rules.quiet if question.channel in one.channels]
    if law:
        law = quiet.of_law(law, states=_states(question), now=question.now)
    return tuple(
        one
        for one in (*law, *question.quiet)
        if (not one.channels or question.channel in one.channels)
        and (not one.purposes or one.purposes & case.purposes)
    )


def _full(cap: Cap, case: _Case) -> bool:
    if not any(cap.counts(purpose, case.question.channel) for purpose in case.purposes):
        return False
    return len(_counted(cap, case.question)) >= cap.most


def _counted(cap: Cap, question: Question) -> list[datetime]:
    since = question.now - timedelta(days=cap.days)
    return sorted(
        use.at for use in question.used if use.at > since and cap.counts(use.purpose, use.channel)
    )


def _room_at(cap: Cap, case: _Case) -> datetime:
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


def at_moment(question: Question, now: datetime) -> Question:
    """Return the same question asked at another moment."""
    return replace(question, now=now)
