"""What a simulation asks of the database: read once for everybody, written never.

Consent is the gate's own bench of facts under the virtual clock, asked when a message is queued
and again when it goes out, as live. Segments are evaluated at the virtual moment: by the engine of
segments for whom nothing happened in the simulation, by the reference semantics for the others, so
that a field set or a click made here is seen by the branch behind it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from consent import clocks as living
from consent import reach, standing
from consent.addresses import FIELD_OF_CHANNEL
from consent.circumstances import Circumstances
from consent.gate import Bench, GateRequest
from consent.models import Authorization
from consent.policy import Answer, AuthorizationFacts, OptOutFacts, Permit, Use, refuse
from consent.purposes import Purpose
from consent.rules import shelf
from consent.sending import terms
from consent.states import code_of
from contacts import registry
from contacts.canonical import canonical
from contacts.segments import building, evaluate, semantics
from contacts.segments.definition import Definition, DefinitionInvalid
from contacts.segments.facts import Facts, Happening
from contacts.segments.nodes import Household, Registered, walk
from messaging import pace
from messaging import versions as templates
from messaging.paying import stating
from workflows import audience, clocks, foreseeing, lots
from workflows.asks import Clock, Effect
from workflows.simulate import knowledge
from workflows.simulate.people import Did, Person
from workflows.simulate.plan import Plan, Synthetic
from workflows.simulate.trying import Tried
from workflows.steps import Foreseen, InSegment, Until, Update, WriteBack, segments

EVERYTHING = frozenset({"identity", "demographic", "clinical", "coverage", "engagement"})
NOBODY = UUID(int=0)
SIGNED, REVOKED, OPTED_OUT = "consent.recorded", "consent.revoked", "consent.opted_out"
DECEASED = "contact.deceased"


@dataclass(slots=True)
class House:
    """The organisation as one simulation sees it."""

    tried: Tried
    bench: Bench
    requests: Mapping[str, GateRequest]
    used: dict[int, tuple[Use, ...]]
    expires: Mapping[UUID, str]
    zone: Any
    asked_at: datetime
    values: Mapping[str, Any] = field(default_factory=dict)
    """What is known of invented people, as segments read it."""
    object_at: datetime | None = None
    real: tuple[int, ...] = ()
    definitions: dict[InSegment, Definition | None] = field(default_factory=dict)
    facts: dict[int, Facts] | None = None
    day: date | None = None

    # Consent

    def accept(self, people: Sequence[tuple[Person, str]], *, now: datetime) -> list[Answer]:
        self._set(now)
        return [self._decide(person, node, ()) for person, node in people]

    def send(self, people: Sequence[tuple[Person, str]], *, now: datetime) -> list[Answer]:
        """Decide in the order of the purposes' priorities; each permit fills its place at once."""
        self._set(now)
        answers: dict[int, Answer] = {}
        for at in sorted(range(len(people)), key=lambda one: (self._priority(people[one][1]), one)):
            person, node = people[at]
            answer = self._decide(person, node, self.used.get(person.contact_id, ()))
            answers[at] = answer
            if isinstance(answer, Permit) and self.bench.terms.caps:
                asked = self.requests[node]
                use = Use(asked.purpose or "", asked.channel, now)
                got = self.used.get(person.contact_id, ())
                self.used[person.contact_id] = (*got, use)
        return [answers[at] for at in range(len(people))]

    def _set(self, now: datetime) -> None:
        self.bench.now = now
        if self.day != now.date():
            self.day, self.bench.rules = now.date(), shelf.at(now)

    def _priority(self, node: str) -> int:
        return self.bench.priority(self.requests[node]) if node in self.requests else 0

    def _decide(self, person: Person, node: str, used: Sequence[Use]) -> Answer:
        asked = self.requests.get(node)
        if asked is None:
            return replace(refuse("purpose_required"), code="template_not_approved")
        return self.bench.decide(replace(asked, contact_id=person.contact_id), used)

    def hear(self, person: Person, did: Did) -> None:
        """A withdrawal, a no, a signature or a death counts from its moment on."""
        stands, one = self.bench.stands, person.contact_id
        if did.event == REVOKED:
            self._end_signed(one, lambda signed: replace(signed, revoked_at=did.at))
        elif did.event == OPTED_OUT:
            stands.refused[one].append(OptOutFacts())
        elif did.event == SIGNED:
            stands.signed[one].append(_signature(did.at))
        elif did.event == DECEASED and one in stands.people:
            stands.people[one] = replace(stands.people[one], deceased=True)
        if did.event in self.expires.values():
            ending = {id_ for id_, kind in self.expires.items() if kind == did.event}
            self._end_signed(
                one,
                lambda signed: (
                    replace(signed, ended_at=did.at)
                    if signed.id in ending and signed.ended_at is None
                    else signed
                ),
            )

    def _end_signed(self, contact_id: int, end: Any) -> None:
        stands = self.bench.stands
        for one in stands.families.get(contact_id) or (contact_id,):
            if one in stands.signed:
                stands.signed[one] = [
                    each if each.revoked_at is not None else end(each)
                    for each in stands.signed[one]
                ]

    # Segments

    def inside(
        self, condition: InSegment, people: Sequence[Person], *, now: datetime
    ) -> set[int] | None:
        definition = self._definition(condition)
        if definition is None:
            return None
        plain = [one for one in people if one.contact_id > 0 and not one.touched]
        found: set[int] = set()
        if plain:
            ids = [one.contact_id for one in plain]
            within = evaluate.among(definition, ids, now=now)
            found = {one.number for one in plain if one.contact_id in within}
        touched = [one for one in people if one.contact_id < 0 or one.touched]
        return found | self._by_meaning(definition, touched, now)

    def _definition(self, condition: InSegment) -> Definition | None:
        if condition not in self.definitions:
            try:
                self.definitions[condition] = audience.approved(condition.definition)
            except DefinitionInvalid:
                self.definitions[condition] = None
        return self.definitions[condition]

    def _by_meaning(
        self, definition: Definition, people: Sequence[Person], now: datetime
    ) -> set[int]:
        if not people:
            return set()
        known, there = self._known(), now.astimezone(self.zone)
        answered = self._registered(definition, people, now=there)
        return {
            one.number
            for one in people
            if semantics.matches(
                definition,
                self._facts_of(one, known.get(one.contact_id), answered.get(one.contact_id, {})),
                now=there,
            )
        }

    def _facts_of(self, person: Person, base: Facts | None, answered: Mapping[str, Any]) -> Facts:
        start = base or Facts(self.values)
        values = {**start.values, **person.changed}
        campaigns = {node: self._campaign(node) for node in {one.of for one in person.did}}
        done = tuple(Happening(one.event, one.at, campaigns[one.of]) for one in person.did)
        on = {one for one, there in person.lists.items() if there}
        off = {one for one, there in person.lists.items() if not there}
        return Facts(
            {key: value for key, value in values.items() if value is not None},
            (*start.events, *done),
            frozenset((start.lists | on) - off),
            answered,
            ordinal=start.ordinal if person.contact_id > 0 else person.number,
        )

    def _campaign(self, node: str) -> UUID | None:
        step = self.tried.graph.steps.get(node)
        return getattr(step, "template", None)

    def _registered(
        self, definition: Definition, people: Sequence[Person], *, now: datetime
    ) -> dict[int, dict[str, set[Any]]]:
        """Ask the questions of higher floors as they stand in the database."""
        found: dict[int, dict[str, set[Any]]] = defaultdict(lambda: defaultdict(set))
        ids = [one.contact_id for one in people if one.contact_id > 0]
        for clause in walk(definition.root):
            if isinstance(clause, Registered) and ids:
                for one in clause.question.contact_ids(now=now, among=ids):
                    found[int(one)][clause.key].add(clause.question)
        return found

    def _known(self) -> dict[int, Facts]:
        """Read what the branches may ask of everybody, the first time that one of them asks."""
        if self.facts is None:
            waits = [one for one in self.tried.graph.steps.values() if isinstance(one, Until)]
            dates = {one.field for one in waits if one.field}
            dates |= living.FIELDS if any(not one.ours for one in waits) else set()
            updates = (one for one in self.tried.graph.steps.values() if isinstance(one, Update))
            dates |= {key for one in updates for key in one.add}
            self.facts = knowledge.read(self.real, self._every_definition(), dates)
        return self.facts

    def _every_definition(self) -> list[Definition]:
        graph = self.tried.graph
        conditions = [one for step in graph.steps.values() for one in segments(step)]
        rules = (graph.trigger.only, graph.trigger.never)
        conditions += [InSegment(audience.of(one)) for one in rules if one is not None]
        asked = (self._definition(one) for one in conditions)
        return [one for one in asked if one is not None]

    # Lots

    def lot(self, person: Person, node: str) -> float | None:
        known = self.tried.workflow_id if person.contact_id > 0 else None
        return lots.drawn(known, node, person.contact_id, "") if known else None

    # Dates

    def clock(self, person: Person, step: Until) -> Clock:
        base = self._known().get(person.contact_id)
        values = self._facts_of(person, base, {}).values
        theirs = () if step.ours else clocks.named(living.said(values, self.bench.rules))
        found = self.object_at if step.of_object else values.get(step.field)
        return Clock(theirs or (self.zone,), found if isinstance(found, date) else None)

    def foreseen(self, condition: Foreseen, people: Sequence[Person]) -> dict[int, bool | None]:
        """Invented people have no address, so nothing is known of the way to them."""
        ids = [one.contact_id for one in people if one.contact_id > 0]
        known = foreseeing.among(condition, ids, now=self.asked_at) if ids else {}
        return {one.number: known.get(one.contact_id) for one in people}

    # Changes

    def change(self, person: Person, effect: Effect) -> str:
        if isinstance(effect, Update):
            fields = registry.current()
            said = {key: canonical(key, value) for key, value in effect.values.items()}
            person.changed |= dict(building.facts_values(said, fields))
            person.changed |= dict.fromkeys(effect.clear)
            for key, amount in effect.add.items():
                held = self._facts_of(person, self._known().get(person.contact_id), {}).values
                before = held.get(key)
                start = before if isinstance(before, int | float) else 0
                person.changed[key] = start + amount
            return ", ".join([*effect.values, *effect.clear, *effect.add])
        if isinstance(effect, WriteBack):
            return f"told {effect.event}"
        person.lists[effect.list_id] = effect.add
        return "joined the list" if effect.add else "left the list"


def prepare(tried: Tried, plan: Plan, ids: Sequence[int], *, now: datetime) -> House:
    """Read all that the simulation will ask; the facts of consent for everybody at once."""
    requests = _requests(tried)
    invented = plan.whom if isinstance(plan.whom, Synthetic) else None
    if invented is not None:
        bench, expires = _invented_bench(invented, ids, plan), {}
    else:
        every = [replace(one, contact_id=id_) for one in requests.values() for id_ in ids]
        bench = Bench.prepared(every, now=now)
        if not every:
            bench.stands = standing.read(ids, now=now)
        expires = _expiries(ids)
    back = pace.longest(now=now)
    used = pace.used(ids, since=now - back, now=now) if back and invented is None else {}
    return House(
        tried=tried,
        bench=bench,
        requests=requests,
        used=used,
        expires=expires,
        zone=evaluate.zone(),
        asked_at=now,
        object_at=plan.starts_at + plan.object_in,
        values=building.facts_values(_canonical(invented.values), registry.current())
        if invented
        else {},
        real=() if invented else tuple(ids),
    )


def agreed(house: House, contact_id: int, *, now: datetime) -> bool:
    """Say whether the person held an authorization that is live at this moment."""
    return any(one.live(now) for one in house.bench.stands.authorizations(contact_id))


def _requests(tried: Tried) -> dict[str, GateRequest]:
    loaded = templates.load(set(tried.templates.values()))
    paid = stating.of_sources([tried.workflow_id] if tried.workflow_id else [])
    made = {}
    for node, version_id in tried.templates.items():
        version = loaded[version_id]
        made[node] = GateRequest(
            0,
            version.purpose,
            version.channel,
            version.says | tried.path_classes.get(node, frozenset()),
            version.topic,
            version.remuneration,
            new_formulation=version.new_formulation,
            drug=version.drug,
            further_paid=paid.of(tried.workflow_id, node) if tried.workflow_id else (),
        )
    return made


def _canonical(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: canonical(key, value) for key, value in values.items()}


def _invented_bench(whom: Synthetic, ids: Sequence[int], plan: Plan) -> Bench:
    """Invented people have an address, and this share of them signed for everything before."""
    stands = standing.Standing()
    signed = _signature(plan.starts_at - timedelta(days=1))
    for id_ in ids:
        stands.people[id_] = standing.Person(False, dict.fromkeys(FIELD_OF_CHANNEL, b"%d" % id_))
        dice = Random(f"{plan.seed} {-id_} agreed")  # noqa: S311  # no secret
        if dice.random() < whom.authorized:
            stands.signed[id_] = [signed]
    values = _canonical(whom.values)
    born = values.get("birth_date")
    life = Circumstances(
        date.fromisoformat(born) if born else None,
        code_of(values.get("state", ""), country=values.get("country", "")),
    )
    now = plan.starts_at
    return Bench(
        shelf.at(now), terms.read(now=now), stands, dict.fromkeys(ids, life), reach.Reach(), now
    )


def _signature(at: datetime) -> AuthorizationFacts:
    return AuthorizationFacts(NOBODY, frozenset(Purpose), EVERYTHING, at, states_remuneration=True)


def _expiries(ids: Sequence[int]) -> dict[UUID, str]:
    rows = Authorization.objects.filter(contact_id__in=ids).exclude(expires_event="")
    return dict(rows.values_list("id", "expires_event"))


def asks_household(tried: Tried) -> bool:
    """Say whether a branch asks about others in the household, who are not simulated."""
    return any(
        isinstance(clause, Household)
        for step in tried.graph.steps.values()
        for condition in segments(step)
        for clause in walk(audience.resolved(condition.definition).root)
    )
