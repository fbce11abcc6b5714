from __future__ import annotations

import zoneinfo
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import organisations, staff, tenancy
from accounts.roles import Role
from audit.actor import Actor, acting_as


class Command(BaseCommand):
    help = "Found an organisation; print the invitation link of its first administrator."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help='as patients know it, e.g. "Harbor Clinic"')
        parser.add_argument("--slug", required=True, help="short name for commands: harbor")
        parser.add_argument("--timezone", default="America/New_York")
        parser.add_argument(
            "--postal-address",
            default="",
            help="stands at the foot of commercial mail; none is published without (CAN-SPAM)",
        )
        parser.add_argument("--administrator", required=True, metavar="EMAIL")
        parser.add_argument("--administrator-name", default="Administrator")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["timezone"] not in zoneinfo.available_timezones():
            raise CommandError(f"{options['timezone']} is no time zone; try America/New_York.")
        try:
            with transaction.atomic(), acting_as(Actor("system", "found_organisation")):
                token = self._found(options)
        except IntegrityError:
            raise CommandError(
                "Nothing was founded: the slug or the administrator's address is in use."
            ) from None
        days = staff.INVITATION_LASTS.days
        self.stdout.write(f"{settings.ATTUNE_PUBLIC_ORIGIN}/invitation/{token}/")
        self.stdout.write(f"Opens once, within {days} days.")

    def _found(self, options: dict[str, Any]) -> str:
        now = timezone.now()
        organisation = organisations.found(
            options["name"],
            slug=options["slug"],
            timezone=options["timezone"],
            now=now,
            postal_address=options["postal_address"].replace("\\n", "\n").strip(),
        )
        with tenancy.acting_for(organisation.pk):
            _, token = staff.invite(
                options["administrator"],
                name=options["administrator_name"],
                role=Role.ADMINISTRATOR,
                now=now,
            )
        return token
