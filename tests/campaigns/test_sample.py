"""The sample clinic's campaign went out by the real paths, and people read it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Organisation
from audit.actor import Actor
from consent import sample as consents
from contacts.models import Contact, Event
from contacts.sample import seed
from contacts.segments import columns
from marketing.campaigns import figures, sample
from marketing.campaigns.models import Campaign, CampaignApproval, Run
from messaging.hearing.figures import engagement
from messaging.models import Message
from messaging.protect import Hop
from messaging.samples import readers
from messaging.transports.memory import Memory
from tests.campaigns.conftest import MARA, NORA
from tests.conftest import NOON

LATER = NOON + timedelta(days=3)


@pytest.fixture
def lived(at_harbor: Organisation) -> Campaign:
    Organisation.objects.filter(pk=at_harbor.pk).update(
        postal_address="1 Quay, Boston", web_origin="https://h.example"
    )
    at_harbor.refresh_from_db()
    seed.patients(600, now=NOON)
    columns.compact(now=NOON)
    everybody = Contact.objects.order_by("pk").values_list("pk", flat=True)
    consents.record(list(everybody), clinic="Harbor", zone=at_harbor.timezone, now=NOON)
    return ensure(at_harbor)


def ensure(clinic: Organisation) -> Campaign:
    return sample.ensure(
        clinic, author=MARA, approver=NORA, transport=Memory(hop=Hop.VERIFIED), now=LATER
    )


def test_the_samples_campaign_is_over_and_was_approved_by_another(lived: Campaign) -> None:
    assert lived.state == Campaign.State.DONE
    assert ensure(Organisation.objects.get()) == lived, "and it goes out once"
    approval = CampaignApproval.objects.get()
    assert [Actor("staff", one) for one in (approval.requested_by, approval.decided_by)] == [
        MARA,
        NORA,
    ]


def test_two_subjects_were_tried_and_some_people_did_not_agree(lived: Campaign) -> None:
    told = figures.read(Run.objects.get())
    assert set(told.groups) == {"A", "B"}
    sent, refused = told.of_state("sent"), told.of_state("refused")
    assert min(sent, refused) > 0
    assert sent + refused == told.settled, "everybody has an answer"
    assert told.people("opened") > told.people("clicked") > 0


def test_its_messages_say_nothing_that_a_marketer_may_not_see(lived: Campaign) -> None:
    says = set().union(*Message.objects.values_list("classes", flat=True))
    assert says <= {"identity", "demographic"}


def test_what_people_did_stands_in_the_log_and_in_delivery_alike(lived: Campaign) -> None:
    """TR-05"""
    told = engagement(since=NOON)["clicked"]
    followed = Event.objects.filter(kind="message.clicked", machine=False)
    assert followed.count() == told["human"] > 0
    assert followed.filter(link="").count() == 0
    assert engagement(since=NOON)["opened"]["machine"] > 0
    assert Event.objects.filter(kind="message.opened", machine=True).exists()


def test_nobody_follows_a_link_where_there_is_none(at_harbor: Organisation) -> None:
    assert readers.read(Message.objects.none(), until=NOON, seed=1) == 0
