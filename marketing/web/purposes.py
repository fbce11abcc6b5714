"""The purposes and the rules by which the gate decides, as tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from consent.purposes import PurposeRule
from consent.reasons import HOLDS, REASONS
from consent.rulebook import EVERY_DAY, Cap, Rules
from consent.rules import shelf
from consent.sending import terms
from consent.states import NAMES

EFFECTS = {
    "not_out_of_state": "goes to nobody but the person outside the State",
    "minors_own": "is the minor's own to consent to; parents are not told",
    "payment_of_any_kind": "Payment in kind, too, makes a message marketing",
}
DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@dataclass(frozen=True, slots=True)
class Row:
    """One purpose as the table shows it."""

    rule: PurposeRule
    stopped_by: str
    says: str
    paid: str
    caps: tuple[str, ...]


@requires(Permission.CONSENT_VIEW)
@require_safe
def purposes(request: HttpRequest) -> HttpResponse:
    """Show every purpose with its rule, and what the law and this organisation add."""
    now = timezone.now()
    rules, agreed = shelf.at(now), terms.read(now=now)
    caps = [*rules.caps, *agreed.caps]
    context = {
        "rules": rules,
        "may_see_sending": staff_of(request).may(Permission.DELIVERY_VIEW),
        "rows": [_row(one, caps) for one in sorted(rules.purposes.values(), key=_order)],
        "hours": [(one, days_in_words(one.days)) for one in (*rules.quiet, *agreed.quiet)],
        "states": _states(rules),
        "reasons": [(code, *words, code in HOLDS) for code, words in REASONS.items()],
        "as_of": now,
    }
    return render(request, "consent/purposes.html", context)


def _order(rule: PurposeRule) -> tuple[int, str]:
    return rule.priority, rule.label


def _row(rule: PurposeRule, caps: Iterable[Cap]) -> Row:
    return Row(
        rule=rule,
        stopped_by=", ".join(
            one for one in ("everything", "channel", "purpose", "topic") if one in rule.stopped_by
        ),
        says="anything" if rule.classes is None else ", ".join(sorted(map(_plain, rule.classes))),
        paid=_paid(rule),
        caps=tuple(cap_in_words(one) for one in caps if _counts(one, rule)),
    )


def _counts(cap: Cap, rule: PurposeRule) -> bool:
    return not cap.purposes or rule.key in cap.purposes


def _paid(rule: PurposeRule) -> str:
    if rule.states_remuneration:
        return "the authorization must say so"
    if rule.paid_up_to_cost:
        return "marketing, where it is more than the cost"
    return "marketing that somebody pays for"


def _states(rules: Rules) -> list[tuple[str, str, str]]:
    """Return each State's rule as (State, what it says, source)."""
    told = []
    for one in rules.states:
        about = ", ".join(sorted(map(_plain, one.labels)))
        age = f" from {one.age} years" if one.age else ""
        says = (
            f"{about[:1].upper()}{about[1:]} information{age} {EFFECTS[one.effect]}"
            if about
            else ""
        )
        told.append((NAMES[one.state], says or EFFECTS[one.effect], one.source))
    return told


def cap_in_words(cap: Cap) -> str:
    days = "a day" if cap.days == 1 else f"in {cap.days} days"
    channels = f" by {', '.join(sorted(cap.channels))}" if cap.channels else ""
    return f"{cap.most} {days}{channels}"


def days_in_words(days: Iterable[int]) -> str:
    chosen = frozenset(days) or EVERY_DAY
    if chosen == EVERY_DAY:
        return "every day"
    return ", ".join(DAYS[one - 1] for one in sorted(chosen))


def _plain(code: str) -> str:
    return "HIV" if code == "hiv" else code.replace("_", " ")
