"""The main job without a browser: patients in, segment, journey, mails, clicks, second mails.

Everything is real but the clock: a clinic of its own in this installation, FHIR files, recorded
authorizations, the runner and the dispatcher of production, SMTP with STARTTLS to the local
mailbox, links followed through the public pages. It fails if any figure does not add up.
"""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import tenancy
from accounts.models import Organisation
from audit import seal, verify
from audit.actor import Actor, acting_as
from consent import sample as consents
from contacts.importing.runs import Report
from contacts.models import Contact, ImportRun
from deploy.mailbox_store import Letter, MailboxStore
from marketing.demo import clinic, figures, journey, telling
from messaging import sender
from messaging.hearing import visits
from workflows import sample

HEAD_START = timedelta(minutes=10)
"""The virtual clock begins a little ago, so that who clicks now clicks after the mail came."""


class Command(BaseCommand):
    help = __doc__
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="*", type=Path, help="FHIR files; none: invented people")
        parser.add_argument(
            "--signed", type=int, default=80, help="how many of a hundred have signed (80)"
        )

    def handle(self, *, paths: list[Path], signed: int, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("the demo sends mail to invented people; it runs in the sample only")
        began = timezone.now() - HEAD_START
        store = MailboxStore(settings.ATTUNE_MAILBOX)
        store.prepare()
        with acting_as(Actor("system", "demo")):
            organisation = clinic.found(origin=settings.ATTUNE_PUBLIC_ORIGIN, now=began)
            before = list(store.letters())
            self._run(organisation, paths, consents.Shares(signed=signed), store, before, began)

    def _run(
        self,
        organisation: Organisation,
        paths: list[Path],
        shares: consents.Shares,
        store: MailboxStore,
        before: list[Letter],
        began: datetime,
    ) -> None:
        transport = sender.transport()
        with tenancy.acting_for(organisation.pk):
            self._patients(paths, shares, organisation, now=began)
            begun = journey.begin(now=began)
            self._tell("Segment", f"{len(begun.members)} aged 50 and over with (pre)diabetes")
            sample.move_on(transport, now=began)
        first = journey.new_letters(store, seen=before)
        clicked = journey.follow_links(first)
        self._tell("First mails", f"{len(first)} arrived by SMTP with STARTTLS, {clicked} clicked")
        with tenancy.acting_for(organisation.pk):
            # What was followed counts when a minute has shown that no program did it.
            visits.run_once(now=timezone.now() + visits.WAIT, limit=100_000)
            sample.move_on(transport, now=timezone.now())
            sample.move_on(transport, now=began + journey.DEADLINE)
            letters = journey.new_letters(store, seen=before)
            self._tell("Second mails", f"{len(letters) - len(first)} after three virtual days")
            transport.close()
            found = figures.work_out(
                begun.version, members=begun.members, letters=letters, clicked=clicked
            )
            trail = self._trail(organisation)
        self._report(found, trail)

    def _patients(
        self,
        paths: list[Path],
        shares: consents.Shares,
        organisation: Organisation,
        *,
        now: datetime,
    ) -> None:
        report = clinic.import_patients(paths, now=now)
        if report.state != ImportRun.State.DONE:
            raise CommandError(_refused(report))
        where = ", ".join(path.name for path in paths) or "the generator, as FHIR"
        self._tell("Patients", f"{report.tally.created} imported from {where}")
        people = list(Contact.objects.order_by("id").values_list("id", flat=True))
        said = consents.record(
            people,
            clinic=organisation.name,
            zone=organisation.timezone,
            now=now,
            shares=shares,
        )
        self._tell(
            "Consent",
            f"{said.signed} of {said.asked} signed; {said.withdrew} of them withdrew,"
            f" {said.expired} are past the end; {said.opted_out} said no to all mail",
        )

    def _trail(self, organisation: Organisation) -> figures.Check:
        now = timezone.now()
        while seal.run_once(now=now):
            pass
        report = verify.verify(organisation_id=organisation.pk, now=now)
        words = f"the trail is whole: {report.entries} entries in {report.batches} sealed batches"
        broken = "; ".join(problem.sentence for problem in report.problems)
        return figures.Check(report.ok, words if report.ok else f"the trail is broken: {broken}")

    def _report(self, found: figures.Figures, trail: figures.Check) -> None:
        self._section("Where they went", telling.steps(found.steps))
        self._section("Who was not reached, and why", telling.missed(found.missed))
        checks = [*found.checks, trail]
        self._section("What must hold", telling.checks(checks))
        if not all(check.holds for check in checks):
            raise CommandError("a figure does not add up; the line marked ✗ says which")

    def _tell(self, what: str, words: str) -> None:
        self.stdout.write(f"{what:<14}{words}")

    def _section(self, title: str, lines: list[str]) -> None:
        self.stdout.write("")
        self.stdout.write(self.style.MIGRATE_HEADING(title))
        for line in lines:
            self.stdout.write(line)


def _refused(report: Report) -> str:
    places = "\n".join(str(problem) for problem in report.problems[:10])
    return f"nothing was imported:\n{places}"
