"""Put a suppression list on record for every organisation of this installation (global scope)."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from consent.choices import suppression_files
from consent.choices.suppression_files import FileRefused

OPERATOR = Actor("system", "suppress_everywhere")


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="CSV with a column address, UTF-8")

    def handle(self, *, file: Path, **options: Any) -> None:
        try:
            data = file.read_bytes()
        except OSError:
            raise CommandError("the file cannot be read; check its path") from None
        for one in tenancy.organisation_ids():
            with tenancy.acting_for(one), acting_as(OPERATOR):
                name = Organisation.objects.get(id=one).slug
                try:
                    took = suppression_files.take(data, received_by="global", now=timezone.now())
                except FileRefused as wrong:
                    raise CommandError(f"nothing was taken: {wrong}") from None
            self.stdout.write(
                f"{name}: {took.added} added, {took.known} stood before, "
                f"{len(took.faults)} lines refused"
            )
