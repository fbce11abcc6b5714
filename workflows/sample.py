"""The sample clinic's journey: published days ago, with people at every step.

Its past is lived through, not painted: consents are recorded, people enter, mails are sent by the
transport given, some people click, and the runner moves them, all under a clock that starts four
days back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from accounts.models import Organisation
from consent import sample as consents
from contacts.models import Contact
from messaging import dispatch
from messaging.models import Message
from messaging.samples import ensure_sample_templates, readers
from messaging.transports.base import Transport
from workflows import audience, enrol, publishing, recipes, runner, triggers
from workflows.models import Workflow

RECIPE = "diabetes_education"
FIRST, SECOND = timedelta(days=4), timedelta(days=1)
"""How long ago the first and the second half of the people entered."""
SEED = 50


def ensure(organisation: Organisation, *, transport: Transport, now: datetime) -> Workflow:
    """Return the sample journey, lived up to now; where it is there already, it stays."""
    found = Workflow.objects.filter(slug=recipes.read(RECIPE)["slug"], live__isnull=False).first()
    if found is not None:
        return found
    began = now - FIRST
    _record_consents(organisation, now=began - timedelta(days=1))
    installed = install(now=began)
    workflow_id = installed.workflow.id
    publishing.publish(workflow_id, now=began)
    # Half of them are to enter later than the publication would let them in.
    Workflow.objects.filter(id=workflow_id).update(takes_present=False)
    people = audience.members(installed.segment_id, now=now)
    half = len(people) // 2
    _enter(workflow_id, people[:half], transport, now=began)
    _read(people[:half], until=began + timedelta(hours=9))
    move_on(transport, now=began + timedelta(hours=10))
    _enter(workflow_id, people[half:], transport, now=now - SECOND)
    move_on(transport, now=now - timedelta(hours=20))
    _read(people[half:], until=now - timedelta(hours=3))
    move_on(transport, now=now)
    return Workflow.objects.get(id=workflow_id)


def install(*, now: datetime) -> recipes.Installed:
    """Make the templates, the segment and the draft of the education series."""
    versions = ensure_sample_templates(now=now)
    templates = {slug: version.template_id for slug, version in versions.items()}
    return recipes.ensure(RECIPE, templates=templates, now=now)


def move_on(transport: Transport, *, now: datetime) -> None:
    """Do everything that is due: take events in, move people, send."""
    while triggers.run_once(now=now).events:
        pass
    while runner.run_once(now=now).claimed:
        pass
    while dispatch.run_once(transport=transport, now=now).sent:
        pass


def _record_consents(organisation: Organisation, *, now: datetime) -> None:
    everybody = Contact.objects.filter(erased_at=None).order_by("id").values_list("id", flat=True)
    consents.record(list(everybody), clinic=organisation.name, zone=organisation.timezone, now=now)


def _enter(
    workflow_id: UUID, people: Sequence[int], transport: Transport, *, now: datetime
) -> None:
    enrol.enrol(workflow_id, people, now=now)
    move_on(transport, now=now)


def _read(people: Iterable[int], *, until: datetime) -> None:
    """Let those who got the first mail read it, and some follow its link, in the hour before."""
    sent = Message.objects.filter(contact_id__in=list(people), step="educate", state="sent")
    readers.read(sent.order_by("id"), until=until, seed=SEED)
