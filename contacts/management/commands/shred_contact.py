"""Forget a person for good: destroy the data key, empty the record, remove every index."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts import tenancy
from audit.actor import Actor, acting_as
from contacts import erase, matching
from contacts.importing.command import chosen_organisation


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("public_id", type=UUID, help="the id in the contact's address")
        parser.add_argument("--organisation", default="", help="slug; needed where there are many")
        parser.add_argument("--yes", action="store_true", help="do not ask; it cannot be undone")

    def handle(self, *, public_id: UUID, organisation: str, yes: bool, **options: Any) -> None:
        with (
            tenancy.acting_for(chosen_organisation(organisation)),
            acting_as(Actor("system", "shred_contact")),
        ):
            found = matching.ids_by_public_id([public_id]).get(public_id)
            if found is None:
                raise CommandError(f"there is no contact {public_id}, or it was erased before")
            for name, count in erase.foresee(found).gone.items():
                self.stdout.write(f"{count:>8,} {name.replace('_', ' ')}")
            if not yes and input("This cannot be undone. Type erase to go on: ") != "erase":
                raise CommandError("nothing was erased")
            erase.erase(found, now=timezone.now())
        self.stdout.write(f"{public_id} is erased")
