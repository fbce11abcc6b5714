"""Erase again, after a restore, whoever was erased since the backup was made."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts import tenancy
from audit import anchor
from audit.actor import Actor, acting_as
from contacts import erase


class Command(BaseCommand):
    help = (
        "Read from the anchor, outside the database, who was erased, and erase them again."
        " Run it after every restore, before anything else starts."
    )

    def handle(self, **options: Any) -> None:
        outside = anchor.configured()
        for organisation in tenancy.organisation_ids():
            with (
                tenancy.acting_for(organisation),
                acting_as(Actor("system", "repeat_erasures")),
            ):
                again = sum(_erased_again(one) for one in outside.erased(organisation))
            self.stdout.write(f"organisation {organisation}: {again} people erased again")


def _erased_again(subject: str) -> bool:
    number = subject.removeprefix("contact:")
    if not number.isdigit():
        return False
    try:
        erase.erase(int(number), now=timezone.now())
    except erase.AlreadyErased:
        return False
    return True
