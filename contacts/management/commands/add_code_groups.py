"""Add the shipped code groups to every organisation that never had them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts import organisations, tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from contacts import grouping


class Command(BaseCommand):
    help = (
        "Add the starter code groups (diabetes, hypertension ...) that an organisation never had."
        " Have someone clinical read them before a campaign depends on one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organisation", default="", help="slug; every one if left out")

    def handle(self, *, organisation: str, **options: Any) -> None:
        for one in _chosen(organisation):
            with tenancy.acting_for(one), acting_as(Actor("system", "add_code_groups")):
                added = grouping.add_starters(now=timezone.now())
            self.stdout.write(f"organisation {one}: {len(added)} code groups added")


def _chosen(slug: str) -> Sequence[int]:
    if not slug:
        return tenancy.organisation_ids()
    try:
        return [organisations.named(slug).pk]
    except Organisation.DoesNotExist:
        raise CommandError("there is no organisation with this slug") from None
