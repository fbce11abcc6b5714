from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import sample, tenancy
from accounts.models import User
from accounts.roles import Role


class Command(BaseCommand):
    help = "Print a one-time link that signs in to the sample clinic; production refuses."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--role", choices=[role.value for role in Role], default=Role.MARKETER.value
        )

    def handle(self, *args: Any, role: str, **options: Any) -> None:
        now = timezone.now()
        if not settings.SAMPLE:
            raise CommandError(sample.NotTheSample.__doc__ or "")
        organisation = sample.found(now=now)
        with tenancy.acting_for(organisation.pk):
            user = User.objects.filter(role=role, is_active=True).order_by("created_at").first()
        if user is None:
            raise CommandError(f"The sample clinic has nobody with the role {role}.")
        self.stdout.write(settings.ATTUNE_PUBLIC_ORIGIN + sample.one_time_link(user, now=now))
