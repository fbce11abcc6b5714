"""Go on with the trail after a restore on another PostgreSQL server: `manage.py adopt_trail`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts import tenancy
from audit import adoption, trail
from audit.actor import Actor, acting_as


class Command(BaseCommand):
    help = (
        "Close the trail that another PostgreSQL server began and go on with it here."
        " Run it once after a logical restore, before anything else starts."
    )

    def handle(self, **options: Any) -> None:
        organisations = tenancy.organisation_ids()
        for organisation in organisations:
            with tenancy.acting_for(organisation):
                sealed = adoption.close_epoch(organisation_id=organisation, now=timezone.now())
            self.stdout.write(f"organisation {organisation}: {sealed} entries sealed")
        epoch = adoption.begin_epoch()
        for organisation in organisations:
            with (
                tenancy.acting_for(organisation),
                acting_as(Actor("system", "adopt_trail")),
            ):
                trail.record("trail.adopted", detail={"epoch": epoch})
        self.stdout.write(f"epoch {epoch} begins")
