"""What there is to choose from, as far as this member of staff may know it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from accounts.models import User
from consent import completed
from consent.policy import Purpose
from contacts import registry
from contacts.fields import FieldType
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

_ENGAGEMENT = ("message.opened", "message.clicked", "message.bounced", "message.unsubscribed")


def options(user: User) -> Mapping[str, Iterable[Option]]:
    clinical = "clinical" in user.data_classes
    segments = Segment.objects.filter(archived_at=None)
    templates = Template.objects.filter(archived_at=None).order_by("name")
    workflows = Workflow.objects.exclude(state=Workflow.State.CLOSED).order_by("name")
    return {
        "templates": [Option(str(one.id), one.name) for one in templates],
        "segments": sorted(
            (Option(str(one.id), catalogue.titled(one, clinical=clinical)) for one in segments),
            key=lambda one: one.label.casefold(),
        ),
        "lists": [Option(str(one.id), one.name) for one in ContactList.objects.all()],
        "workflows": [Option(str(one.id), one.name) for one in workflows],
        "numbers": [
            Option(field.key, field.label)
            for field in naming.fields_for(registry.current().values(), user)
            if field.type is FieldType.NUMBER and field.data_class not in PROTECTED
        ],
        "forms": [Option(str(id_), name) for id_, name in completed.there().items()],
        "endpoints": [Option(str(one.id), one.name) for one in endpoints.in_use()],
        "told": [
            Option("outreach.started", "reaching out has begun"),
            Option("outreach.completed", "the person was reached"),
            Option("outreach.given_up", "nobody was reached"),
        ],
        "events": [Option(kind, words) for kind, words in EVENTS.items()],
        "engagement": [Option(kind, EVENTS[kind]) for kind in _ENGAGEMENT],
        "ways": [Option(name, label) for name, label in FORESEEN.items()],
        "purposes": [Option(one.value, one.value.replace("_", " ")) for one in Purpose],
        "classes": [Option(one, one.replace("_", " ")) for one in DEMANDS],
        "rules": [
            Option("FREQ=DAILY", "every day"),
            Option("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "on working days"),
            Option("FREQ=WEEKLY;BYDAY=MO", "every Monday"),
            Option("FREQ=MONTHLY;BYMONTHDAY=1", "on the first of each month"),
            Option("FREQ=YEARLY", "every year"),
        ],
        "dates": [
            Option(field.key, field.label)
            for field in naming.fields_for(registry.current().values(), user)
            if field.type in (FieldType.DATE, FieldType.DATETIME)
        ],
        "fields": [
            Option(field.key, field.label)
            for field in naming.fields_for(registry.current().values(), user)
            if field.data_class not in PROTECTED and not field.derived_from and not field.is_list
        ],
    }
