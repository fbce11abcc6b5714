"""Workflows that ship with the product, as JSON: a graph, its segment, its templates by slug."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction

from contacts.segments import catalogue
from contacts.segments.models import Segment
from workflows import publishing
from workflows.models import Workflow

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Installed:
    """What a recipe became in one organisation."""

    workflow: Workflow
    segment_id: UUID


def read(name: str) -> dict[str, Any]:
    recipe: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return recipe


def ensure(name: str, *, templates: Mapping[str, UUID], now: datetime) -> Installed:
    """Make the recipe's segment and its workflow as a draft; what is there already stays.

    `templates` gives the id of each template that the recipe names by its slug.
    """
    recipe = read(name)
    with transaction.atomic():
        workflow = Workflow.objects.filter(slug=recipe["slug"]).first()
        if workflow is not None:
            return Installed(workflow, UUID(workflow.draft["trigger"]["segment"]))
        segment = _segment(recipe["segment"], now=now)
        draft = _placed(recipe["graph"], segment.id, templates)
        made = publishing.create(recipe["name"], slug=recipe["slug"], draft=draft, now=now)
    return Installed(made, segment.id)


def _segment(wanted: Mapping[str, Any], *, now: datetime) -> Segment:
    return catalogue.save(name=wanted["name"], tree=wanted["definition"], now=now)


def _placed(
    graph: Mapping[str, Any], segment_id: UUID, templates: Mapping[str, UUID]
) -> dict[str, Any]:
    """Return the graph with this organisation's ids where the recipe has names."""
    trigger = {**graph["trigger"], "segment": str(segment_id)}
    nodes = [
        {**node, "template": str(templates[node["template"]])} if "template" in node else node
        for node in graph["nodes"]
    ]
    return {**graph, "trigger": trigger, "nodes": nodes}
