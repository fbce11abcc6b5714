"""Import people from a CSV file or a workbook; every row needs its person's record number."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from contacts.importing import asking, csv_files, dates, encodings
from contacts.importing.asking import ReadingInvalid
from contacts.importing.command import FileImport


class Command(FileImport, BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--source", required=True, help="whose record numbers these are")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="COLUMN=FIELD",
            help="read this column as this field; COLUMN= skips it",
        )
        parser.add_argument(
            "--dates",
            choices=list(dates.ORDERS),
            default="",
            help="how dates are written: 1970-12-31, 12/31/1970, 31/12/1970 or 19701231;"
            " found by looking where only one can be meant",
        )

        parser.add_argument(
            "--encoding",
            choices=list(encodings.ENCODINGS),
            default="",
            metavar="NAME",
            help="how the letters of a CSV file are encoded, where that is unclear: one of "
            + ", ".join(encodings.ENCODINGS),
        )
        parser.add_argument("--delimiter", default="", help="tab or one of , ; | ^ ~")
        parser.add_argument(
            "--header-line",
            dest="head",
            type=int,
            help="on which line the header stands; 0 where there is none, and then the columns are"
            " called Column A, Column B ...",
        )
        parser.add_argument("--sheet", default="", help="the sheet of a workbook")
        parser.add_argument(
            "--skip-refused",
            action="store_true",
            help="leave refused rows out; without it one refused row refuses the file",
        )

    def handle(self, *, paths: list[str], **options: Any) -> None:
        mapping = dict(_pair(words) for words in options["map"])
        said = {name: options[name] for name in ("encoding", "delimiter", "head", "sheet")}
        try:
            reading = asking.checked(said)
        except ReadingInvalid as refused:
            raise CommandError(f"{refused}") from None
        with self.organisation(options["organisation"]):
            for path in self.files(
                paths, (".csv", ".tsv", ".txt", ".xlsx", ".CSV", ".TSV", ".TXT", ".XLSX")
            ):
                self.tell(
                    csv_files.import_file(
                        path,
                        source=options["source"],
                        now=timezone.now(),
                        mapping=mapping,
                        dates=options["dates"],
                        dry_run=options["dry_run"],
                        reading=reading,
                        strict=not options["skip_refused"],
                    )
                )


def _pair(words: str) -> tuple[str, str]:
    column, equals, field = words.partition("=")
    if not equals:
        raise CommandError(f"--map needs COLUMN=FIELD, not {words}")
    return column.strip(), field.strip()
