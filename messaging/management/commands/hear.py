"""Take in one mail that came back, from standard input: for a mail server's pipe."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts import organisations, tenancy
from messaging.hearing import intake


class Command(BaseCommand):
    help = "Take in a bounce, complaint or reply from standard input (for a mail server's pipe)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organisation", help="the organisation's short name")

    def handle(self, *, organisation: str, **_: Any) -> None:
        raw = sys.stdin.buffer.read()
        with tenancy.acting_for(organisations.named(organisation).pk):
            taken = intake.take(raw, source="pipe", now=timezone.now())
        again = ", known already" if taken.repeated else ""
        whose = "" if taken.matched else ", kept for review: it answers no message of ours"
        self.stdout.write(f"{taken.kind}{again}{whose}")
