"""Ask whether numbers that people agreed to be texted at have changed hands (47 CFR 64.1200(m)).

With --write the numbers go into a file for the Reassigned Numbers Database, with --read its answers
come in, and without either the adapter that NUMBER_CHECK names is asked.
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from consent.choices import number_checks
from consent.choices.number_checks import Checked
from consent.choices.suppression_files import FileRefused

OPERATOR = Actor("system", "check_numbers")


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organisation", required=True, help="its short name")
        ways = parser.add_mutually_exclusive_group()
        ways.add_argument("--write", type=Path, help="the file to write the numbers into")
        ways.add_argument("--read", type=Path, help="the file of answers")

    def handle(
        self, *, organisation: str, write: Path | None, read: Path | None, **options: Any
    ) -> None:
        found = Organisation.objects.filter(slug=organisation).first()
        if found is None:
            raise CommandError("--organisation: there is none with this short name")
        with tenancy.acting_for(found.pk), acting_as(OPERATOR):
            if write is not None:
                self._write(write)
                return
            checked = self._read(read) if read is not None else self._ask()
        self.stdout.write(
            f"{checked.answers} answers, {checked.reassigned} numbers changed hands, "
            f"{len(checked.faults)} lines refused"
        )

    def _write(self, path: Path) -> None:
        text = number_checks.file()
        try:
            path.touch(mode=0o600)
            path.write_text(text)
        except OSError:
            raise CommandError("--write: the file cannot be written; check its path") from None
        self.stdout.write(
            f"{text.count(chr(10))} numbers written; the file holds patients' numbers"
        )

    def _read(self, path: Path) -> Checked:
        try:
            data = path.read_bytes()
        except OSError:
            raise CommandError("--read: the file cannot be read; check its path") from None
        try:
            return number_checks.take_answers(data, received_by="file", now=timezone.now())
        except FileRefused as wrong:
            raise CommandError(f"nothing was taken: {wrong}") from None

    def _ask(self) -> Checked:
        check = number_checks.adapter()
        if check is None:
            raise CommandError("give --write or --read, or name an adapter in NUMBER_CHECK")
        return number_checks.ask(check, received_by="adapter", now=timezone.now())
