"""After a restored backup: compare with the relay's log, then let sending go on."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import organisations, tenancy
from audit.actor import Actor, acting_as
from messaging import reconcile, sender
from messaging.management.commands.reconcile import lines_of
from messaging.pools import fencing


class Command(BaseCommand):
    help = "Show whether sending is fenced after a restore, and how the relay's log differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organisation", help="the organisation's short name")
        parser.add_argument(
            "--log", nargs="+", type=Path, default=[], help="Postfix logs, also .gz"
        )
        parser.add_argument(
            "--go-on",
            action="store_true",
            help="let sending go on: what the logs have counts as sent, all else goes",
        )

    def handle(self, *, organisation: str, log: list[Path], **options: Any) -> None:
        with (
            tenancy.acting_for(organisations.named(organisation).pk),
            acting_as(Actor("system", "sending_fence")),
        ):
            fenced = fencing.check(now=timezone.now())
            found = fencing.difference(reconcile.from_log(lines_of(log)), domains=sender.domains())
            self.stdout.write("Sending is stopped after a restore." if fenced else "Sending runs.")
            self.stdout.write(
                f"{len(found.waiting)} messages wait here that the logs have; {found.foreign} in "
                "the logs are unknown to this database."
            )
            if options["go_on"] and not fenced:
                raise CommandError("Nothing is stopped, so there is nothing to let go on.")
            if options["go_on"]:
                fencing.lift(found, now=timezone.now())
                self.stdout.write("Sending goes on.")
