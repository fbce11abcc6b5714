"""Check the trail: `manage.py verify_trail [--organisation N] [--json]`; fails if it is broken."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts import tenancy
from audit import anchor, verify
from audit.verify import Report


class Command(BaseCommand):
    help = "Read the whole trail again and compare it with its seals and with the anchor outside."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organisation", type=int, metavar="N", help="only this one")
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def handle(self, **options: Any) -> None:
        reports = [self._verify(one) for one in _organisations(options["organisation"])]
        if options["json"]:
            self.stdout.write(json.dumps([asdict(one) | {"ok": one.ok} for one in reports]))
        else:
            for report in reports:
                self._say(report)
        broken = [str(report.organisation_id) for report in reports if not report.ok]
        if broken:
            raise CommandError(f"the trail is broken: organisation {', '.join(broken)}")

    def _verify(self, organisation: int) -> Report:
        with tenancy.acting_for(organisation):
            return verify.verify(organisation_id=organisation, now=timezone.now())

    def _say(self, report: Report) -> None:
        self.stdout.write(
            f"organisation {report.organisation_id}: {report.entries} entries,"
            f" {report.batches} batches, {report.anchored} anchored,"
            f" {report.unsealed} not sealed yet: {'whole' if report.ok else 'BROKEN'}"
        )
        for problem in report.problems:
            self.stdout.write(f"  {problem.kind}: {problem.sentence}")


def _organisations(chosen: int | None) -> list[int]:
    """Those of the database, and those that only the anchor remembers."""
    if chosen is not None:
        return [chosen]
    return sorted({*tenancy.organisation_ids(), *anchor.configured().organisations()})
