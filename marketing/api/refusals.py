"""Keep what the API refused and why, for an integration engineer to see without our logs."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from marketing.models import ApiRefusal

FAULTS_KEPT = 20


def note(request: HttpRequest, response: HttpResponseBase, *, key_id: UUID, now: datetime) -> None:
    """Write down a refusal by its problem document; drop those that are too old to matter."""
    problem = _problem(response)
    match = request.resolver_match
    ApiRefusal.objects.create(
        key_id=key_id,
        method=(request.method or "")[:7],
        route=f"/{match.route}"[:120] if match else "",
        status=response.status_code,
        code=str(problem.get("type", "")).rpartition("#")[2][:40],
        detail=str(problem.get("detail", ""))[:400],
        faults=problem.get("errors", [])[:FAULTS_KEPT],
        refused_at=now,
    )
    ApiRefusal.objects.filter(refused_at__lt=now - ApiRefusal.KEPT).delete()


def _problem(response: HttpResponseBase) -> dict[str, Any]:
    content = getattr(response, "content", b"")
    try:
        problem = json.loads(content)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
