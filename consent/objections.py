"""What stands against a message whatever was signed: each reason by itself. Pure.

One objection never looks at another, so that one more restriction never opens the way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from consent.purposes import Purpose, PurposeRule
from consent.question import ConfidentialFacts, OptOutFacts, Question
from consent.rulebook import Rules
from contacts.majority import age_of_majority

# Whoever signs to be written to has agreed that the address written to is used.
IMPLIED_CLASSES = frozenset({"contact_point"})
PART2 = "substance_use"
PSYCHOTHERAPY = "psychotherapy"
SMS = "sms"
OPEN_CHANNELS = frozenset({SMS})
"""Channels that nothing encrypts on the way."""


@dataclass(frozen=True, slots=True)
class Case:
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
    paid = question.further_paid
    if question.remuneration is not None:
        paid = (question.remuneration, *paid)
    if not paid:
        return rule
    strict = bool(rules.of_states("payment_of_any_kind", states_of(question), question.now))
    if not any(one.makes_marketing(rule, of_any_kind=strict) for one in paid):
        return rule
    return rules.purposes[rule.when_paid]


def states_of(question: Question) -> frozenset[str]:
    return frozenset({question.state}) if question.state else frozenset()


# What stands against it, whatever was signed


def _opted_out(case: Case) -> bool:
    return any(_covers(no, case) for no in case.question.opt_outs)


def _covers(no: OptOutFacts, case: Case) -> bool:
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


def _reassigned(case: Case) -> bool:
    """A signature given after the number changed hands was given by whoever has it now."""
    at, question = case.question.reassigned_at, case.question
    if at is None:
        return False
    return not any(one.signed_at > at and one.live(question.now) for one in question.authorizations)


def _do_not_call(case: Case) -> bool:
    """A signature that names the channel outweighs the registry (64.1200(c)(2)(ii))."""
    question = case.question
    if not (question.do_not_call and case.become.commercial):
        return False
    return not any(
        question.channel in one.channels and one.live(question.now)
        for one in question.authorizations
    )


def _restricted(case: Case) -> bool:
    return any(one.covers(case.question, case.purposes) for one in case.question.restrictions)


def wishes_of(case: Case) -> list[ConfidentialFacts]:
    found = case.question.confidential
    return [one for one in found if one.concerns(case.question, case.purposes)] if found else []


def _other_channel(case: Case) -> bool:
    return any(one.channel not in ("", case.question.channel) for one in wishes_of(case))


def _no_alternative(case: Case) -> bool:
    return any(not one.alternative for one in wishes_of(case))


def _psychotherapy(case: Case) -> bool:
    """Only an authorization for psychotherapy notes and nothing else may cover them."""
    question = case.question
    if PSYCHOTHERAPY not in question.classes:
        return False
    alone = frozenset({PSYCHOTHERAPY})
    return not any(
        one.classes == alone and case.become.key in one.purposes and one.live(question.now)
        for one in question.authorizations
    )


def _part2(case: Case) -> bool:
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


def _proxy_over(case: Case) -> bool:
    """A parent's access ends at majority; another representative's when the authority ends."""
    question = case.question
    if not question.to_representative:
        return False
    if question.representative_until is not None:
        return question.now >= question.representative_until
    age = _age(question)
    return age is None or age >= age_of_majority(question.state)


def _minors_own(case: Case) -> bool:
    """What a minor may consent to alone goes to the minor's own alternative address only."""
    question = case.question
    age = _age(question)
    if age is None or age >= age_of_majority(question.state):
        return False
    own = {"minor"} & question.classes or _own_labels(case, age)
    if not own:
        return False
    return question.to_representative or not any(
        one.alternative and one.category in own for one in question.confidential
    )


def _own_labels(case: Case, age: int) -> frozenset[str]:
    """Return the labels that this minor's State leaves to minors of this age."""
    question = case.question
    rules = case.rules.of_states("minors_own", states_of(question), question.now)
    held = [one.labels for one in rules if one.age is not None and age >= one.age]
    return frozenset().union(*held) & question.classes


def _out_of_state(case: Case) -> bool:
    question = case.question
    if not question.to_representative or not question.state:
        return False
    rules = case.rules.of_states("not_out_of_state", states_of(question), question.now)
    labelled = any(one.labels & question.classes for one in rules)
    return labelled and question.recipient_state != question.state


def _plain_refused(case: Case) -> bool:
    """Anything but that we write at all is health information on an open channel (PR-38)."""
    question = case.question
    if question.channel not in OPEN_CHANNELS:
        return False
    says = question.classes - IMPLIED_CLASSES - {"engagement"}
    return bool(says) and question.channel not in question.accepts_plain


def _lapsed(case: Case) -> bool:
    most, lapsed = case.rule.most_days_lapsed, case.question.days_lapsed
    return most is not None and lapsed is not None and lapsed > most


def _formulation(case: Case) -> bool:
    return case.rule.key == Purpose.REFILL and case.question.new_formulation


OBJECTIONS: tuple[tuple[str, Callable[[Case], bool]], ...] = (
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
