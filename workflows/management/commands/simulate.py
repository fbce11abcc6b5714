"""Try a workflow under a virtual clock; with --assertions, fail where a kept promise is broken."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import tenancy
from accounts.models import Organisation
from audit.actor import Actor, acting_as
from workflows.models import KeptSimulation, Simulation, Workflow
from workflows.problems import GraphInvalid
from workflows.simulate import keeping


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workflow", help="its slug")
        parser.add_argument("--organisation", default="", help="slug; needed if there are several")
        parser.add_argument("--release", type=int, help="a version's number; the draft otherwise")
        parser.add_argument("--plan", help="a file of JSON; the kept plan otherwise")
        parser.add_argument("--assertions", action="store_true", help="check the kept promises")
        parser.add_argument("--seed", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["organisation"]
        with tenancy.door():
            found = Organisation.objects.filter(slug=slug) if slug else Organisation.objects.all()
            ids = list(found.values_list("pk", flat=True)[:2])
        if len(ids) != 1:
            raise CommandError("name one organisation with --organisation")
        with tenancy.acting_for(ids[0]), acting_as(Actor("system", "simulate")):
            self._simulate(options)

    def _simulate(self, options: dict[str, Any]) -> None:
        workflow = Workflow.objects.filter(slug=options["workflow"]).first()
        if workflow is None:
            raise CommandError("there is no workflow with this slug")
        kept = KeptSimulation.objects.filter(workflow=workflow).first()
        plan = self._plan(options["plan"], kept)
        if options["seed"] is not None:
            plan["seed"] = options["seed"]
        if options["assertions"] and (kept is None or not kept.promises):
            raise CommandError("no promises are kept with this workflow: keep some on its page")
        asked = kept.promises if kept and options["assertions"] else []
        now = timezone.now()
        try:
            made = keeping.start(
                workflow, plan, number=options["release"], raw_promises=asked, now=now
            )
        except GraphInvalid as invalid:
            raise CommandError(str(invalid)) from None
        keeping.work(made, now=now)
        self._tell(made)

    def _plan(self, path: str | None, kept: KeptSimulation | None) -> dict[str, Any]:
        if path is None:
            return dict(kept.plan) if kept else {}
        try:
            with open(path, encoding="utf-8") as file:
                return dict(json.load(file))
        except (OSError, ValueError) as why:
            raise CommandError(f"the plan cannot be read: {why}") from None

    def _tell(self, made: Simulation) -> None:
        if made.state != Simulation.State.DONE:
            raise CommandError(made.problem)
        told = made.result
        for key in ("people", "finished", "inside"):
            self.stdout.write(f"{key:<10}{told[key]:>8,}")
        for state, many in told["mails"].items():
            self.stdout.write(f"{'mail ' + state:<16}{many:>8,}")
        for one in told["refusals"]:
            self.stdout.write(f"{one['node']}: {one['people']:,} × {one['code']}: {one['reason']}")
        for one in told["warnings"]:
            self.stdout.write(f"warning: {one['node'] or 'workflow'}: {one['message']}")
        for one in told["promises"]:
            kept = "held  " if one["held"] else "BROKEN"
            self.stdout.write(f"{kept} {one['words']}: {one['found']}")
        if not all(one["held"] for one in told["promises"]):
            raise CommandError("a promise was broken")
