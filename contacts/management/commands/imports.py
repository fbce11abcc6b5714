"""`imports list|show|pause|resume|undo|refused`: look after imports that run behind the scenes."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import tenancy
from audit.actor import Actor, acting_as
from contacts.importing import jobs, refused_file, undoing, work
from contacts.importing.command import chosen_organisation
from contacts.importing.jobs import NotNow
from contacts.importing.models import ImportJob
from contacts.models import ImportRun

LISTED = 50


class Command(BaseCommand):
    help = "List imports, pause, resume or undo one, or take its refused rows back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organisation", default="", help="slug; needed where there are many")
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("list", help="the newest imports")
        for name, words in {
            "show": "how far one has come, and what is wrong",
            "pause": "stop after the part that is being written",
            "resume": "go on where it stopped; --wait works it off here",
            "undo": "say what undoing would do; --yes does it",
            "refused": "write the refused rows, with reasons, to a file",
        }.items():
            act = acts.add_parser(name, help=words)
            act.add_argument("run", type=UUID)
            if name == "resume":
                act.add_argument("--wait", action="store_true")
            if name == "undo":
                act.add_argument("--yes", action="store_true")
            if name == "refused":
                act.add_argument("--to", type=Path, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = chosen_organisation(options["organisation"])
        with tenancy.acting_for(organisation), acting_as(Actor("system", "imports-command")):
            try:
                getattr(self, f"_{options['act']}")(options)
            except NotNow as late:
                raise CommandError(str(late)) from None

    def _list(self, options: dict[str, Any]) -> None:
        for run in ImportRun.objects.order_by("-started_at")[:LISTED]:
            self.stdout.write(
                f"{run.pk}  {run.started_at:%Y-%m-%d %H:%M}  {run.source:<20} {run.form:<5}"
                f" {run.get_state_display()}"
            )

    def _show(self, options: dict[str, Any]) -> None:
        run = _run(options)
        job = ImportJob.objects.filter(pk=run.pk).first()
        self.stdout.write(
            f"{run.get_state_display()}: {run.read} read, {run.created} new, {run.updated}"
            f" changed, {run.unchanged} as before, {run.refused} refused"
        )
        if job and job.chunks:
            self.stdout.write(f"part {job.next_chunk} of {job.chunks}, {job.rows} rows")
        for problem in run.problems.order_by("id"):
            self.stdout.write(f"  {problem.place}: {problem.message}")

    def _pause(self, options: dict[str, Any]) -> None:
        jobs.pause(_run(options).pk)

    def _resume(self, options: dict[str, Any]) -> None:
        run = _run(options)
        jobs.resume(run.pk)
        while options["wait"] and ImportRun.objects.filter(pk=run.pk, state__in=jobs.WORKING):
            work.run_job(run.pk, now=timezone.now())
        self._show(options)

    def _undo(self, options: dict[str, Any]) -> None:
        run = _run(options)
        would = undoing.foresee(run.pk)
        self.stdout.write(
            f"{would.removed} new people removed, {would.kept} kept because something else touched"
            f" them, {would.restored} put back, {would.partly} put back as far as unchanged"
        )
        if not options["yes"]:
            self.stdout.write("Nothing was done: say --yes to undo it.")
            return
        undoing.begin(run.pk, now=timezone.now())
        while ImportRun.objects.filter(pk=run.pk, state=ImportRun.State.UNDOING).exists():
            work.run_job(run.pk, now=timezone.now())
        self._show(options)

    def _refused(self, options: dict[str, Any]) -> None:
        job = ImportJob.objects.filter(pk=_run(options).pk).first()
        if job is None:
            raise CommandError("nothing was kept of this import")
        options["to"].touch(mode=0o600, exist_ok=False)  # facts about people: for the caller alone
        with options["to"].open("wb") as file:
            file.writelines(refused_file.download(job).parts)


def _run(options: dict[str, Any]) -> ImportRun:
    run = ImportRun.objects.filter(pk=options["run"]).first()
    if run is None:
        raise CommandError("there is no such import in this organisation")
    return run
