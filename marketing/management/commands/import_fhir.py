"""Import patients from FHIR R4 files: bundles or resources, JSON or NDJSON, plain, .gz or .xz."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from contacts.importing.command import FileImport
from marketing.intake import fhir_files


class Command(FileImport, BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--source",
            default=fhir_files.SOURCE,
            help="the system whose resource ids these are; two systems need two names",
        )
        parser.add_argument(
            "--email-domain",
            default="",
            help="give patients without an e-mail address one in this domain (test patients only)",
        )
        parser.add_argument(
            "--skip-refused",
            action="store_true",
            help="leave refused entries out; without it one refused entry refuses the files",
        )

    def handle(self, *, paths: list[str], **options: Any) -> None:
        files = self.files(paths, (".json", ".ndjson", ".gz", ".xz"))
        with self.organisation(options["organisation"]):
            self.tell(
                fhir_files.import_files(
                    files,
                    now=timezone.now(),
                    source=options["source"],
                    email_domain=options["email_domain"],
                    dry_run=options["dry_run"],
                    strict=not options["skip_refused"],
                    names=[str(Path(path)) for path in files],
                )
            )
