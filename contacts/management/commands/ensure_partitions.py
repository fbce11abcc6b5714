"""Make the monthly partitions of the event log for the months ahead; safe to run at any time."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from contacts import events


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--months", type=int, default=6, help="how many months ahead")

    def handle(self, *, months: int, **options: Any) -> None:
        made = events.ensure_partitions(now=timezone.now(), months=months)
        self.stdout.write(f"{made} partitions made, {months} months ahead are ready")
