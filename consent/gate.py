"""The gate: asked when a message is enqueued, and again in the transaction that claims it.

`ask` reads what stands for everyone with a handful of statements and lets the pure policy decide,
so many people get the same answers as one by one. `ask_again` first makes withdrawals wait, so
that no claim is ever later than a withdrawal (consent.precedence).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from consent import circumstances, precedence, reach, refills, representatives, standing
from consent.circumstances import UNKNOWN, Circumstances
from consent.ledger import LABELS
from consent.policy import (
    OPEN_CHANNELS,
    Answer,
    Hold,
    Permit,
    Question,
    Refusal,
    Use,
    decide,
)
from consent.purposes import Remuneration
from consent.rulebook import Rules
from consent.rules import shelf
from consent.sending import terms
from consent.sending.terms import Terms

__all__ = ["Answer", "Bench", "GateRequest", "Hold", "Permit", "Refusal", "Use", "ask", "ask_again"]

NO_LIST = frozenset({"reassigned", "do_not_call"})
"""Reasons on the suppression list that have answers of their own."""
Used = Mapping[int, Sequence[Use]]


@dataclass(frozen=True, slots=True)
class GateRequest:
    """One message to one contact: what for, by which channel, and what it says of the person."""

    contact_id: int
    purpose: str | None
    channel: str = "email"
    classes: frozenset[str] = frozenset()
    topic: str = ""
    remuneration: Remuneration | None = None
    days_lapsed: int | None = None
    drug: UUID | None = None
    """The code group of the drug that a refill reminder is about: the lapse is looked up."""
    new_formulation: bool = False
    to_representative: bool = False
    representative_until: datetime | None = None
    recipient_state: str = ""
    further_paid: tuple[Remuneration, ...] = ()
    """Payments for the campaign or step, besides the template's; the strictest counts."""


def ask(
    requests: Sequence[GateRequest], *, now: datetime, used: Used | None = None
) -> list[Answer]:
    """Return one answer for each request, in the same order.

    With `used` (what each person got and is about to get) frequency caps are asked too: requests
    are taken by the priority of their purposes, and each permit fills its place at once.
    """
    bench = Bench.prepared(requests, now=now)
    if used is None:
        return [bench.decide(one, ()) for one in requests]
    return _one_after_another(requests, bench, used)


def ask_again(
    requests: Sequence[GateRequest], *, now: datetime, used: Used | None = None
) -> list[Answer]:
    """Ask inside the claiming transaction; withdrawals wait until that transaction ends.

    Call it before the messages' rows are locked, or call `precedence.hold_for_claim` first.
    """
    precedence.hold_for_claim()
    return ask(requests, now=now, used=used)


def _one_after_another(requests: Sequence[GateRequest], bench: Bench, used: Used) -> list[Answer]:
    got = {one: tuple(uses) for one, uses in used.items()}
    answers: dict[int, Answer] = {}
    for place in sorted(range(len(requests)), key=lambda at: (bench.priority(requests[at]), at)):
        one = requests[place]
        answer = bench.decide(one, got.get(one.contact_id, ()))
        answers[place] = answer
        if isinstance(answer, Permit):
            use = Use(one.purpose or "", one.channel, bench.now)
            got[one.contact_id] = (*got.get(one.contact_id, ()), use)
    return [answers[place] for place in range(len(requests))]


@dataclass(slots=True)
class Bench:
    """Everything that a set of questions is answered from."""

    rules: Rules
    terms: Terms
    stands: standing.Standing
    lives: Mapping[int, Circumstances]
    reach: reach.Reach
    now: datetime
    readers: representatives.Readers = representatives.NOBODY
    lapses: Mapping[tuple[int, UUID], int] = field(default_factory=dict)
    """By contact and drug: how many days ago the prescription lapsed."""

    @classmethod
    def prepared(cls, requests: Sequence[GateRequest], *, now: datetime) -> Bench:
        rules, agreed = shelf.at(now), terms.read(now=now)
        people = {one.contact_id for one in requests}
        stands = standing.read(people, now=now)
        readers = representatives.read(people, stands.families, now=now)
        asked = people_whose_lives_matter(requests, rules, agreed, stands, readers)
        lives = circumstances.of(asked) if asked else {}
        reached = _reached(requests, stands, now=now)
        lapses = refills.lapsed(
            ((one.contact_id, one.drug) for one in requests if one.drug is not None), now=now
        )
        return cls(rules, agreed, stands, lives, reached, now, readers, lapses)

    def priority(self, request: GateRequest) -> int:
        rule = self.rules.purposes.get(request.purpose or "")
        return rule.priority if rule else 0

    def decide(self, request: GateRequest, used: Sequence[Use]) -> Answer:
        return decide(self._question(request, tuple(used)), rules=self.rules)

    def _question(self, request: GateRequest, used: tuple[Use, ...]) -> Question:
        contact_id, channel = request.contact_id, request.channel
        person = self.stands.people.get(contact_id)
        asked = _asked(request)
        address = self.reach.address(asked, person.addresses.get(channel) if person else None)
        blocked = self.stands.block(contact_id, channel, address)
        wishes = self.stands.wished(contact_id)
        life = self.lives.get(contact_id, UNKNOWN)
        acting = self.readers.of(contact_id, channel, address)
        return Question(
            purpose=request.purpose,
            channel=channel,
            now=self.now,
            classes=request.classes,
            topic=request.topic,
            authorizations=self.stands.authorizations(contact_id),
            opt_outs=self.stands.refusals(contact_id, address),
            suppressed=bool(blocked) and bool(blocked.keys() - NO_LIST),
            deceased=person is not None and person.deceased,
            has_address=address is not None,
            known=person is not None,
            remuneration=request.remuneration,
            further_paid=request.further_paid,
            days_lapsed=self._lapse(request),
            new_formulation=request.new_formulation,
            part2=wishes.part2,
            restrictions=wishes.restrictions,
            confidential=self.reach.confidential(asked, wishes.confidential),
            route=self.terms.route(channel),
            accepts_plain=wishes.plain,
            reassigned_at=blocked.get("reassigned"),
            do_not_call="do_not_call" in blocked,
            birth_date=life.birth_date,
            state=life.state,
            to_representative=request.to_representative or acting is not None,
            representative_until=acting.until if acting else request.representative_until,
            recipient_state=acting.state if acting else request.recipient_state,
            quiet=self.terms.quiet,
            caps=(*self.terms.caps, *wishes.caps) if wishes.caps else self.terms.caps,
            used=used,
            in_review=self.stands.held(contact_id, address),
            stop_means_all=self.terms.stop_means_all,
        )

    def _lapse(self, request: GateRequest) -> int | None:
        if request.drug is None:
            return request.days_lapsed
        return self.lapses.get((request.contact_id, request.drug))


def _asked(request: GateRequest) -> reach.Asked:
    categories = request.classes | {request.topic, request.purpose or ""}
    return request.contact_id, request.channel, categories


def _reached(
    requests: Sequence[GateRequest], stands: standing.Standing, *, now: datetime
) -> reach.Reach:
    own: dict[str, dict[int, bytes | None]] = {
        channel: {one: person.addresses.get(channel) for one, person in stands.people.items()}
        for channel in {one.channel for one in requests}
    }
    asked = (_asked(one) for one in requests if one.contact_id in stands.people)
    found = reach.read(asked, own, stands.families, now=now)
    standing.read_addresses(stands, found.further(), now=now)
    return found


def people_whose_lives_matter(
    requests: Sequence[GateRequest],
    rules: Rules,
    agreed: Terms,
    stands: standing.Standing,
    readers: representatives.Readers = representatives.NOBODY,
) -> Collection[int]:
    """Return of whom age and State may decide: nobody's record is opened for nothing."""
    return {
        one.contact_id
        for one in requests
        if one.contact_id in stands.people
        and (
            agreed.quiet
            or one.channel in OPEN_CHANNELS
            or one.to_representative
            or one.contact_id in readers.people
            or one.remuneration is not None
            or one.further_paid
            or one.classes & LABELS
        )
    }
