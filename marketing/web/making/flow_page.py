"""Which of a person's data reaches which part of a mail, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.guard import requires
from accounts.roles import Permission
from consent.rules import shelf
from contacts import registry
from contacts.fields import Field
from marketing.web.making import picture, tabs
from marketing.web.making.editor import shown
from messaging import protect
from messaging.making import drafts, flow, reviews
from messaging.making.flow import ENVELOPE, PLACES, PRINTED, Use
from messaging.models import PURPOSES, Template
from messaging.protect import Demand
from messaging.templates_compile import TemplateInvalid
from workflows import paths
from workflows.paths import Path

ADDRESS = Use(ENVELOPE, "email", PRINTED, 1)
NUMBER = Use(ENVELOPE, "phone", PRINTED, 1)
"""Every message is addressed to somebody."""
LONGEST = 34
PROTECTION = {
    Demand.RELAY: "Protected to the relay: verified TLS.",
    Demand.ALL_THE_WAY: "Protected all the way: verified TLS to the recipient's own mail server, "
    "or the portal.",
    Demand.PORTAL: "Never by mail: the person picks it up from the portal.",
    Demand.NEVER: "Never: Attune does not send this.",
}
OF_TEXTS = {
    Demand.RELAY: "Protected to the gateway; carriers and whoever holds the phone read it.",
    Demand.ALL_THE_WAY: "In the open: it goes only to who was warned and wants texts all the same.",
    Demand.PORTAL: "Never by text: send a mail, which waits on the portal.",
    Demand.NEVER: "Never: Attune does not send this.",
}


@require_safe
@requires(Permission.TEMPLATES_VIEW)
def page(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Show the flow of the draft as it is saved, with every way that leads to it."""
    chosen = get_object_or_404(Template, id=template_id)
    fields = registry.current()
    problems: list[dict[str, Any]] = []
    try:
        compiled = drafts.compiled(chosen)
        uses, says = compiled.uses, compiled.data_classes
    except TemplateInvalid as error:
        uses, problems = error.uses, shown(error.problems)
        says = frozenset(_class_of(fields, use.field) for use in uses)
    ways = paths.to_template(chosen.id)
    uses = (NUMBER if chosen.is_text else ADDRESS, *uses)
    whole = says.union(chosen.audience, *(way.classes for way in ways))
    context = {
        "template": chosen,
        "tabs": tabs.of(chosen, "template-flow"),
        "problems": problems,
        "picture": picture.draw(_sources(uses, fields), uses, _causes(chosen, ways)),
        "rows": [_row(use, fields, chosen.conditions) for use in uses],
        "ways": ways,
        "says": sorted(says),
        "whole": sorted(whole),
        "forbidden": flow.forbidden(uses),
        "decides": _decides(chosen, whole),
    }
    return render(request, "messaging/flow.html", context)


def _class_of(fields: Mapping[str, Field], key: str) -> str:
    return str(fields[key].data_class.value) if key in fields else "unknown"


def _sources(uses: Iterable[Use], fields: Mapping[str, Field]) -> list[picture.Source]:
    """Return the fields that are read, by their class."""
    read: dict[str, list[str]] = {}
    for use in uses:
        keys = read.setdefault(_class_of(fields, use.field), [])
        if use.field not in keys:
            keys.append(use.field)
    return [
        picture.Source(
            kind.replace("_", " ").capitalize(),
            kind,
            tuple((key, fields[key].label if key in fields else key) for key in keys),
        )
        for kind, keys in sorted(read.items())
    ]


def _causes(chosen: Template, ways: Sequence[Path]) -> list[picture.Source]:
    """Return what decides who gets it: it is betrayed by getting it."""
    found = [
        picture.Source(
            _short(cause.label),
            _gravest(cause.classes),
            ((f"way:{at}:{number}", _short(way.workflow.name)),),
        )
        for at, way in enumerate(ways)
        for number, cause in enumerate(way.causes)
        if cause.classes
    ]
    if chosen.audience:
        said = ", ".join(chosen.audience).replace("_", " ")
        source = picture.Source(
            "Audience as declared", _gravest(chosen.audience), (("declared", _short(said)),)
        )
        found.append(source)
    return found


def _short(text: str) -> str:
    """Return as much as a box of the picture holds; the table has the whole."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _gravest(classes: Iterable[str]) -> str:
    demands = protect.DEMANDS
    return max(classes, key=lambda each: (demands.get(each, Demand.PORTAL), each == "clinical"))


def _row(
    use: Use, fields: Mapping[str, Field], conditions: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    asked = conditions.get(use.condition, {}).get("label", use.condition)
    return {
        "use": use,
        "place": PLACES[use.place],
        "field": fields[use.field].label if use.field in fields else use.field,
        "class": _class_of(fields, use.field).replace("_", " "),
        "allowed": use.allowed,
        "printed": use.how == PRINTED,
        "condition": asked,
    }


def _decides(chosen: Template, classes: frozenset[str]) -> list[tuple[str, str]]:
    """Return what the classes decide: whether consent must cover it, how it travels, who looks."""
    purpose = drafts.becomes(chosen)
    rule = shelf.at(timezone.now()).purposes.get(purpose)
    named = ", ".join(each.replace("_", " ") for each in sorted(classes)) or "nothing"
    if rule is not None and rule.needs_authorization:
        consent = f"A signed authorization must cover {named}."
    elif rule is not None and rule.classes is not None and classes - rule.classes:
        beyond = ", ".join(sorted(classes - rule.classes))
        consent = f"This purpose may not say {beyond}: nobody gets it."
    else:
        consent = "No authorization is needed for this purpose; opt-outs and limits hold."
    steps = ", ".join(step.label for step in reviews.required(chosen.purpose, classes))
    return [
        ("Purpose", dict(PURPOSES).get(purpose, purpose)),
        ("Consent", consent),
        ("Protection", (OF_TEXTS if chosen.is_text else PROTECTION)[protect.demand(classes)]),
        ("Review", f"{steps}, each by another person than the author."),
    ]
