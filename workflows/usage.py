"""Which live workflows lean on something, for whoever is about to take it away."""

from __future__ import annotations

import json
from uuid import UUID

from workflows.models import Workflow


def of_segment(segment_id: UUID) -> list[Workflow]:
    """Return the workflows that let people in by the segment, or ask for it on the way."""
    running = Workflow.objects.exclude(live=None).exclude(state=Workflow.State.CLOSED)
    found = running.select_related("live").order_by("name")
    return [one for one in found if one.live and str(segment_id) in json.dumps(one.live.graph)]
