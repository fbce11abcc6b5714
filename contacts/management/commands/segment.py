"""`segment count|explain|rebuild`: ask segments from the command line."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import tenancy
from accounts.models import Organisation
from audit import trail
from audit.actor import Actor, acting_as
from contacts.models import Contact
from contacts.segments import catalogue, columns, evaluate, references
from contacts.segments.definition import Definition, DefinitionInvalid
from contacts.segments.explain import explain
from contacts.segments.models import Segment
from contacts.segments.nodes import children
from contacts.segments.words import clause_in_words


class Command(BaseCommand):
    help = "Count a segment, explain why a contact is in or out, or rebuild the sealed columns."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organisation", default="", help="slug; needed if there are several")
        acts = parser.add_subparsers(dest="act", required=True)
        count = acts.add_parser("count", help="how many are in")
        count.add_argument("segment", help="a segment's id, or a definition as JSON")
        why = acts.add_parser("explain", help="why a contact is in or out")
        why.add_argument("segment", help="a segment's id, or a definition as JSON")
        why.add_argument("contact", help="the contact's public id")
        acts.add_parser("rebuild", help="make all columns anew from the records")

    def handle(self, *args: Any, **options: Any) -> None:
        organisation = _organisation(options["organisation"])
        with tenancy.acting_for(organisation), acting_as(Actor("system", "segment-command")):
            try:
                getattr(self, f"_{options['act']}")(options)
            except DefinitionInvalid as invalid:
                raise CommandError(str(invalid)) from invalid

    def _count(self, options: dict[str, Any]) -> None:
        definition, subject = _definition(options["segment"])
        counted = evaluate.preview(definition, now=timezone.now())
        trail.record("segment.counted", subject=subject, detail={"count": counted.total})
        self.stdout.write(f"{counted.total} of {counted.population} in {counted.took:.3f} s")
        names = catalogue.names_in(definition, clinical=False)
        steps = {part.path: part for part in (definition.root, *children(definition.root))}
        for path, left in counted.funnel:
            alone = counted.clause_counts[path]
            words = clause_in_words(steps[path], fields=definition.fields, names=names)
            self.stdout.write(f"  {path:<24} {alone:>9} alone {left:>9} left  {words}")

    def _explain(self, options: dict[str, Any]) -> None:
        """Answers alone: values are for eyes whose look stands in the trail under their name."""
        definition, _ = _definition(options["segment"])
        contact = _contact(options["contact"])
        names = catalogue.names_in(definition, clinical=False)
        lines = explain(definition, contact.pk, now=timezone.now(), names=names)
        trail.record(
            "segment.explained",
            subject=f"contact:{contact.pk}",
            detail={
                "classes": sorted(kind.value for kind in references.data_classes(definition)),
                "fields": sorted(references.fields_read(definition)),
                "verdict": "in" if lines[0].holds else "out",
            },
        )
        for line in lines:
            self.stdout.write(f"{'yes' if line.holds else 'no ':<4}{'  ' * line.depth}{line.words}")

    def _rebuild(self, options: dict[str, Any]) -> None:
        self.stdout.write(f"{columns.rebuild()} blocks rebuilt")


def _organisation(slug: str) -> int:
    ids = tenancy.organisation_ids()
    if slug:
        with tenancy.door():
            found = Organisation.objects.filter(slug=slug).values_list("pk", flat=True).first()
        if found is None:
            raise CommandError("there is no organisation with this slug")
        return int(found)
    if len(ids) != 1:
        raise CommandError("there are several organisations: name one with --organisation")
    return ids[0]


def _contact(public_id: str) -> Contact:
    try:
        return Contact.objects.get(public_id=UUID(public_id), erased_at=None)
    except (ValueError, Contact.DoesNotExist) as missing:
        raise CommandError("there is no such contact in this organisation") from missing


def _definition(given: str) -> tuple[Definition, str]:
    """Return what was meant and the subject of the trail's entry."""
    if given.lstrip().startswith("{"):
        try:
            return catalogue.read(json.loads(given)), ""
        except json.JSONDecodeError as broken:
            raise CommandError(f"the definition is not JSON: {broken.msg}") from broken
        except RecursionError as broken:
            raise CommandError("the definition is nested too deeply") from broken
    try:
        segment = Segment.objects.get(pk=UUID(given))
    except (ValueError, Segment.DoesNotExist) as missing:
        raise CommandError(
            "there is no segment with this id in this organisation; a definition begins with {"
        ) from missing
    return catalogue.definition_of(segment), f"segment:{segment.id}"
