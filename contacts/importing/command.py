"""What the import commands share: whose file it is, which files, and how to tell the outcome."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import organisations, tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from contacts.importing.runs import Report, State


class FileImport(BaseCommand):
    """Mixed into a command that imports files."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", help="a file, or a folder of them")
        parser.add_argument("--organisation", default="", help="slug; needed where there are many")
        parser.add_argument("--dry-run", action="store_true", help="check, and write nothing")

    @contextmanager
    def organisation(self, slug: str) -> Iterator[None]:
        """Act as the operator for the organisation that was named, or for the only one."""
        with tenancy.acting_for(chosen_organisation(slug)), acting_as(Actor("system", "import")):
            yield

    def files(self, paths: list[str], endings: tuple[str, ...]) -> list[Path]:
        """Return the files; of a folder those with these endings, patients first."""
        found: list[Path] = []
        for path in map(Path, paths):
            if path.is_dir():
                inside = [p for p in path.iterdir() if p.is_file() and p.name.endswith(endings)]
                found += sorted(inside, key=lambda p: (not p.name.startswith("Patient"), p.name))
            elif path.is_file():
                found.append(path)
            else:
                raise CommandError(f"{path} does not exist")
        if not found:
            raise CommandError("there is no file to import in " + ", ".join(paths))
        return found

    def tell(self, report: Report) -> None:
        """Print the outcome; a refused import ends with an error that lists every problem."""
        tally = report.tally
        if report.state == State.REFUSED:
            lines = "\n".join(f"  {problem}" for problem in report.problems)
            raise CommandError(f"nothing was imported:\n{lines}")
        for name, count in sorted(tally.ignored.items()):
            self.stdout.write(f"  read past: {count} × {name}")
        if report.state == State.CHECKED:
            self.stdout.write(f"{tally.read} read, nothing wrong, nothing written (dry run)")
            return
        self.stdout.write(
            f"{tally.read} read: {tally.created} new, {tally.updated} changed,"
            f" {tally.unchanged} as before"
        )


def chosen_organisation(slug: str) -> int:
    if slug:
        try:
            return organisations.named(slug).pk
        except Organisation.DoesNotExist:
            raise CommandError(f"there is no organisation with the slug {slug}") from None
    ids = tenancy.organisation_ids()
    if len(ids) != 1:
        raise CommandError(f"there are {len(ids)} organisations: say which by --organisation SLUG")
    return ids[0]
