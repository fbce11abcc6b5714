"""The sample clinic's staff, one of each role, and the link that lets a newcomer be any of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from accounts import links, organisations, staff, tenancy
from accounts.models import OneTimeLink, Organisation, User
from accounts.roles import Role
from audit.actor import Actor, acting_as

SLUG = "harborview"
LINK_LASTS = timedelta(hours=24)

STAFF: dict[Role, tuple[str, str]] = {
    Role.MARKETER: ("Mara Lind", "mara"),
    Role.DESIGNER: ("Dana Whitfield", "dana"),
    Role.APPROVER: ("Priya Raman", "priya"),
    Role.ANALYST: ("Anton Berg", "anton"),
    Role.COMPLIANCE: ("Omar Haddad", "omar"),
    Role.INTEGRATION: ("Inés Duarte", "ines"),
    Role.ADMINISTRATOR: ("Adaeze Obi", "adaeze"),
    Role.CARE: ("Nora Ferris", "nora"),
}


class NotTheSample(RuntimeError):
    """One-time sign-in links exist in the sample only (ATTUNE_MODE=sample); production refuses."""


def found(*, now: datetime) -> Organisation:
    """Return the sample clinic with its staff; make what is missing."""
    with acting_as(Actor("system", "sample")):
        try:
            organisation = organisations.named(SLUG)
        except Organisation.DoesNotExist:
            organisation = organisations.found(
                "Harborview Clinic",
                slug=SLUG,
                timezone="America/New_York",
                now=now,
                postal_address="200 Harbor Street\nBoston, MA 02210",
                mail_from="care@harborview.example",
            )
        with tenancy.acting_for(organisation.pk):
            for role, (name, first) in STAFF.items():
                email = f"{first}@harborview.example"
                if not User.objects.filter(email=email).exists():
                    staff.add(email, name=name, role=role, now=now)
    return organisation


def one_time_link(user: User, *, now: datetime) -> str:
    """Return the path that signs this person in, once."""
    if not settings.SAMPLE:
        raise NotTheSample(NotTheSample.__doc__)
    with tenancy.acting_for(user.organisation_id):
        token = links.make(user, purpose=OneTimeLink.Purpose.SAMPLE, lasts=LINK_LASTS, now=now)
    return f"/sign-in/link/{token}/"


def colleagues(organisation_id: int) -> list[User]:
    """Return whom a newcomer may be, in the order of the role table."""
    order = {role.value: place for place, role in enumerate(Role)}
    with tenancy.acting_for(organisation_id):
        people = User.objects.filter(is_active=True).order_by("created_at")
        return sorted(people, key=lambda person: order[person.role])
