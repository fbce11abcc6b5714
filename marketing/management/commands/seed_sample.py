"""Fill the sample clinic: staff, invented patients, consents, a campaign, a journey under way.

Does what is missing and nothing else, so that every `make run` may call it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts import sample as staff
from accounts import tenancy
from accounts.models import User
from accounts.roles import Role
from audit.actor import Actor, acting_as
from consent import addresses, sample_form
from consent.sending import terms
from contacts import grouping
from contacts.models import Contact
from contacts.sample import seed
from contacts.segments import columns
from deploy.mailbox import Mailbox
from marketing.campaigns import sample as campaign
from messaging.transports.smtp import Relay, Smtp
from workflows import sample as journey


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--patients", type=int, default=2_000)

    def handle(self, *, patients: int, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("the sample clinic is never mixed with a production installation")
        now = timezone.now()
        clinic = staff.found(now=now)
        with tenancy.acting_for(clinic.pk), acting_as(Actor("system", "sample")):
            stored = seed.patients(patients, now=now)
            grouping.add_starters(now=now)
            columns.compact(now=now)
            with _mailbox() as transport:
                journey.ensure(clinic, transport=transport, now=now)
                campaign.ensure(
                    clinic,
                    author=_one_of(Role.MARKETER),
                    approver=_one_of(Role.APPROVER),
                    transport=transport,
                    now=now,
                )
            _texts(now=now)
            first = Contact.objects.filter(erased_at=None, deceased=False).order_by("pk").first()
            if first is not None:
                sample_form.ensure(first.pk, clinic=clinic.name, now=now)
        self.stdout.write(f"{stored} patients added to {clinic.name}")


def _one_of(role: Role) -> Actor:
    user = User.objects.filter(role=role, is_active=True).earliest("created_at")
    return Actor("staff", str(user.pk))


def _texts(*, now: datetime) -> None:
    """The sample's texts go by its own gateway, so no vendor's agreement is needed."""
    if addresses.SMS not in terms.carriers():
        terms.record_carrier(addresses.SMS, name="Phones of the sample", own=True, now=now)


@contextmanager
def _mailbox() -> Iterator[Smtp]:
    """Open the sample's mailbox for as long as its past is lived through."""
    with Mailbox(settings.ATTUNE_HOME / "mailbox").running() as server:
        transport = Smtp(Relay("localhost", server.port, ca_file=str(server.ca_file)))
        yield transport
        transport.close()
