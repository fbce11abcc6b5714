"""Say which proofs of consent may be purged and from when on; with --purge, purge them."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from consent.retention import keeping

OPERATOR = Actor("system", "consent_retention")


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organisation", required=True, help="its short name")
        parser.add_argument("--on", type=_day, help="as of this day (YYYY-MM-DD) instead of today")
        parser.add_argument("--purge", action="store_true", help="remove what may go today")

    def handle(self, *, organisation: str, on: date | None, purge: bool, **options: Any) -> None:
        if purge and on is not None:
            raise CommandError("--on only looks; leave it out to purge what may go today")
        with tenancy.door():
            found = Organisation.objects.filter(slug=organisation).first()
        if found is None:
            raise CommandError(f"no organisation has the short name {organisation!r}")
        with tenancy.acting_for(found.id), acting_as(OPERATOR):
            if purge:
                gone = keeping.purge()
                for kind, count in gone.items():
                    self.stdout.write(f"{kind}: {count} purged")
                self.stdout.write(f"{sum(gone.values())} purged in all")
                return
            today = timezone.now().astimezone(found.zone).date()
            for one in keeping.standing(on=on or today):
                self.stdout.write(_line(one))


def _line(one: keeping.Kept) -> str:
    more = f", more on {one.next_on:%Y-%m-%d}" if one.next_on else ""
    return (
        f"{one.kind}: {one.offered} may be purged, {one.within} kept for six years, "
        f"{one.in_effect} in effect{more}"
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--on: {text!r} is no day; write it like 2032-06-02") from None
