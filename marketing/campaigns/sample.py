"""The sample clinic's campaign: a newsletter of two days ago, tried under two subjects, finished.

Like the journey it is lived through: drafted by the marketer, approved by a colleague, launched,
drawn, ordered, sent by the transport given, and read by some.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from accounts.models import Organisation
from audit.actor import Actor, acting_as
from contacts.models import CustomField
from contacts.sample.around import SITE
from contacts.segments import catalogue
from contacts.segments.models import Segment
from marketing.campaigns import figures, launching, planning, running
from marketing.campaigns.models import Campaign, Run
from marketing.campaigns.planning import Draft
from messaging import dispatch
from messaging.models import Message
from messaging.samples import NEWS, ensure_sample_templates, readers
from messaging.samples.readers import Habits
from messaging.transports.base import Transport

NAME = "Harbor walks"
SEGMENT = "Aged 60 and over at Harborside"
AGO = timedelta(days=2)
HOUR = time(10)
HABITS = Habits(opened=55, clicked=22)
SEED = 61


def ensure(
    clinic: Organisation,
    *,
    author: Actor,
    approver: Actor,
    transport: Transport,
    now: datetime,
) -> Campaign:
    """Return the sample campaign, gone out and read; where it is there already, it stays."""
    found = Campaign.objects.filter(name=NAME, launched_at__isnull=False).first()
    if found is not None:
        return found
    began = datetime.combine((now - AGO).astimezone(clinic.zone), HOUR, tzinfo=clinic.zone)
    made = _approved(author, approver, now=began - timedelta(hours=2))
    with acting_as(author):
        launching.launch(made.pk, now=began)
    _go_out(transport, now=began)
    run = Run.objects.get(campaign=made)
    sent = Message.objects.filter(source=run.pk, state=Message.State.SENT).order_by("id")
    readers.read(sent, until=began + timedelta(hours=7), seed=SEED, habits=HABITS)
    figures.refresh(run, now=now)
    return Campaign.objects.get(pk=made.pk)


def _approved(author: Actor, approver: Actor, *, now: datetime) -> Campaign:
    versions = ensure_sample_templates(NEWS, now=now, approver=approver)
    with acting_as(author):
        draft = Draft(
            name=NAME,
            segment_id=_segment(now=now).pk,
            templates=[versions[one.slug].template_id for one in NEWS],
        )
        made = planning.create(draft, now=now)
        asked = planning.ask_approval(made.pk, now=now)
    with acting_as(approver):
        planning.decide(asked.pk, approve=True, now=now)
    return made


def _segment(*, now: datetime) -> Segment:
    """Who is 60 or older and prefers the site by the harbor: nothing that a diagnosis says."""
    field = CustomField.objects.get(label=SITE)
    old = {"field": "birth_date", "op": "age_gte", "value": 60}
    near = {"field": field.key, "op": "equals", "value": "Harborside"}
    return catalogue.save(name=SEGMENT, tree={"all": [old, near]}, now=now)


def _go_out(transport: Transport, *, now: datetime) -> None:
    """Order everybody, send, and end the run, as the loops do."""
    while running.run_once(now=now):
        pass
    while dispatch.run_once(transport=transport, now=now).sent:
        pass
    running.run_once(now=now)
