"""Print Postfix's TLS policy table for the domains that are believed in."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts import tenancy
from messaging.models import Receiver
from messaging.protection import writing


class Command(BaseCommand):
    help = (
        "Print a Postfix smtp_tls_policy_maps table: one line for each domain whose mail servers "
        "were found to be verifiable. See deploy/postfix/README.md."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        found: set[str] = set()
        for organisation_id in tenancy.organisation_ids():
            with tenancy.acting_for(organisation_id):
                found |= set(writing.lines(Receiver.objects.iterator(chunk_size=500), now=now))
        for one in sorted(found):
            self.stdout.write(one)
