"""Add the shipped code groups to every organisation that never had them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from accounts import tenancy
from audit.actor import Actor, acting_as
from contacts import grouping


class Command(BaseCommand):
    help = (
        "Add the starter code groups (diabetes, hypertension ...) that an organisation never had."
        " Have someone clinical read them before a campaign depends on one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organisation", type=int, help="Its number; every one if left out.")

    def handle(self, *, organisation: int | None, **options: Any) -> None:
        chosen = tenancy.organisation_ids() if organisation is None else [organisation]
        for one in chosen:
            with tenancy.acting_for(one), acting_as(Actor("system", "add_code_groups")):
                added = grouping.add_starters(now=timezone.now())
            self.stdout.write(f"organisation {one}: {len(added)} code groups added")
