"""Look at the sending domains and say what to mend."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import organisations, tenancy
from audit.actor import Actor, acting_as
from messaging.preflight import keeping, looking
from messaging.preflight.dns import Names, Resolver


class Command(BaseCommand):
    help = "Check SPF, DKIM, DMARC, names and TLS of the domains that an organisation sends from."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("organisation", help="the organisation's short name")
        parser.add_argument("--domain", help="only this one")
        parser.add_argument(
            "--address", action="append", default=[], help="an address the relay sends from"
        )
        parser.add_argument("--dns", help="address:port of the DNS server to ask")

    def handle(self, *, organisation: str, **options: Any) -> None:
        now, fit = timezone.now(), True
        with (
            tenancy.acting_for(organisations.named(organisation).pk),
            acting_as(Actor("system", "check_sending")),
        ):
            for domain in [options["domain"]] if options["domain"] else keeping.domains():
                found = keeping.check(
                    domain,
                    names=_resolver(options["dns"]),
                    addresses=options["address"],
                    now=now,
                )
                fit = fit and looking.passes(found)
                self.stdout.write(f"{domain}")
                for one in found:
                    self.stdout.write(f"  {one.state:<5}{one.what}: {one.found} {one.advice}")
        if not fit:
            raise CommandError("Not fit to send in bulk: mend what is marked bad.")


def _resolver(given: str | None) -> Names | None:
    if not given:
        return None
    host, _, port = given.rpartition(":")
    if not host or not port.isdigit():
        raise CommandError("--dns needs address:port, such as 127.0.0.1:5353")
    return Resolver((host,), int(port))
