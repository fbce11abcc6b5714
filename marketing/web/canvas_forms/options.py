"""What there is to choose from, as far as this member of staff may know it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from accounts.models import User
from consent import completed
from consent.policy import Purpose
from contacts import registry
from contacts.fields import Field, FieldType
from contacts.models import ContactList
from contacts.segments import catalogue
from contacts.segments.models import Segment
from marketing.web import naming
from marketing.web.canvas_forms.shape import Option
from marketing.web.timeline import EVENTS
from messaging.models import Template
from messaging.protect import DEMANDS, FORESEEN
from workflows.lint import PROTECTED
from workflows.models import Workflow
from workflows.webhooks import endpoints

_TOLD = (
    Option("outreach.started", "reaching out has begun"),
    Option("outreach.completed", "the person was reached"),
    Option("outreach.given_up", "nobody was reached"),
)
_RULES = (
    Option("FREQ=DAILY", "every day"),
    Option("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "on working days"),
    Option("FREQ=WEEKLY;BYDAY=MO", "every Monday"),
    Option("FREQ=MONTHLY;BYMONTHDAY=1", "on the first of each month"),
    Option("FREQ=YEARLY", "every year"),
)
_ENGAGEMENT = ("message.opened", "message.clicked", "message.bounced", "message.unsubscribed")


def options(user: User) -> Mapping[str, Iterable[Option]]:
    return {**_fixed(), **_made(user), **_fields(user)}


def _fixed() -> Mapping[str, Iterable[Option]]:
    """What is the same in every organisation."""
    return {
        "told": _TOLD,
        "events": [Option(kind, words) for kind, words in EVENTS.items()],
        "engagement": [Option(kind, EVENTS[kind]) for kind in _ENGAGEMENT],
        "ways": [Option(name, label) for name, label in FORESEEN.items()],
        "purposes": [Option(one.value, one.value.replace("_", " ")) for one in Purpose],
        "classes": [Option(one, one.replace("_", " ")) for one in DEMANDS],
        "rules": _RULES,
    }


def _made(user: User) -> Mapping[str, Iterable[Option]]:
    """What the organisation has made."""
    templates = Template.objects.filter(archived_at=None).order_by("name")
    workflows = Workflow.objects.exclude(state=Workflow.State.CLOSED).order_by("name")
    return {
        "templates": [Option(str(one.id), one.name) for one in templates],
        "segments": _segments(clinical="clinical" in user.data_classes),
        "lists": [Option(str(one.id), one.name) for one in ContactList.objects.all()],
        "workflows": [Option(str(one.id), one.name) for one in workflows],
        "forms": [Option(str(id_), name) for id_, name in completed.there().items()],
        "endpoints": [Option(str(one.id), one.name) for one in endpoints.in_use()],
    }


def _segments(*, clinical: bool) -> list[Option]:
    found = Segment.objects.filter(archived_at=None)
    named = (Option(str(one.id), catalogue.titled(one, clinical=clinical)) for one in found)
    return sorted(named, key=lambda one: one.label.casefold())


def _fields(user: User) -> Mapping[str, Iterable[Option]]:
    """The contact's fields as this member of staff may know them, by what a step does with them."""
    seen = list(naming.fields_for(registry.current().values(), user))
    free = [one for one in seen if one.data_class not in PROTECTED]
    return {
        "numbers": _named(one for one in free if one.type is FieldType.NUMBER),
        "dates": _named(one for one in seen if one.type in (FieldType.DATE, FieldType.DATETIME)),
        "fields": _named(one for one in free if not one.derived_from and not one.is_list),
    }


def _named(fields: Iterable[Field]) -> list[Option]:
    return [Option(one.key, one.label) for one in fields]
