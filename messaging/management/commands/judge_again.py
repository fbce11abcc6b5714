"""Judge opens and clicks again, by today's rules on programs and people."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts import organisations, tenancy
from messaging.hearing import visits


class Command(BaseCommand):
    help = "Judge opens and clicks again by today's rules; nobody is moved a second time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organisation", help="the organisation's short name")
        parser.add_argument("--days", type=int, default=30, help="how far back, 30 by default")

    def handle(self, *, organisation: str, days: int, **_: Any) -> None:
        now = timezone.now()
        with tenancy.acting_for(organisations.named(organisation).pk):
            before = visits.verdicts(since=now - timedelta(days=days))
            visits.again(since=now - timedelta(days=days), now=now)
            while visits.run_once(now=now):
                pass
            after = visits.verdicts(since=now - timedelta(days=days))
        changed = sum(after[one] != before.get(one) for one in after)
        self.stdout.write(f"{len(after)} were judged, {changed} differently than before")
