"""Settle messages whose fate is unclear against the mail server's log."""

from __future__ import annotations

import gzip
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import organisations, tenancy
from messaging.reconcile import from_log, reconcile


class Command(BaseCommand):
    help = "Settle messages of unclear fate by the Message-IDs in the relay's log."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organisation", help="the organisation's short name")
        parser.add_argument("log", nargs="+", type=Path, help="Postfix logs, also .gz")
        parser.add_argument(
            "--complete-until",
            type=datetime.fromisoformat,
            help="a time with its zone up to which the logs are complete; what was handed over "
            "before it and is not in them is sent again. Without it nothing is sent again.",
        )

    def handle(self, *, organisation: str, log: list[Path], **options: Any) -> None:
        until: datetime | None = options["complete_until"]
        if until is not None and until.tzinfo is None:
            raise CommandError("--complete-until needs a zone, such as 2026-03-02T12:00:00+00:00")
        taken_in = from_log(lines_of(log))
        with tenancy.acting_for(organisations.named(organisation).pk):
            done = reconcile(taken_in, complete_until=until, now=timezone.now())
        self.stdout.write(
            f"{done.found} were delivered, {done.requeued} are sent again, {done.left} stay unclear"
        )


def lines_of(paths: list[Path]) -> Iterator[str]:
    for path in paths:
        try:
            opener = gzip.open if path.suffix == ".gz" else open
            with opener(path, "rt", errors="replace") as file:
                yield from file
        except OSError:
            raise CommandError(f"cannot read {path}") from None
