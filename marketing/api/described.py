"""OpenAPI for what is served without DRF: the hot path, and the problems of any address."""

from __future__ import annotations

import re
from typing import Any

from django.urls import resolve
from drf_spectacular.extensions import OpenApiAuthenticationExtension

from marketing.api.events import MOST
from marketing.api.machines import Scopes

_ANY_ID = "00000000-0000-0000-0000-000000000000"

_EVENT = {
    "contact": {"source": "epic", "record_number": "MRN-0042"},
    "kind": "appointment.missed",
    "occurred_at": "2026-03-02T09:30:00-05:00",
    "idempotency_key": "epic-appointment-8812-missed",
    "properties": {"clinic": "north"},
}
_SCHEMAS: dict[str, Any] = {
    "Event": {
        "type": "object",
        "required": ["contact", "kind", "occurred_at", "idempotency_key"],
        "additionalProperties": False,
        "properties": {
            "contact": {
                "description": "A contact's id, or its number in a source system.",
                "oneOf": [
                    {"type": "string", "format": "uuid"},
                    {
                        "type": "object",
                        "required": ["source", "record_number"],
                        "properties": {
                            "source": {"type": "string"},
                            "record_number": {"type": "string"},
                        },
                    },
                ],
            },
            "kind": {"type": "string", "pattern": "^[a-z0-9_]+(\\.[a-z0-9_]+)*$", "maxLength": 60},
            "occurred_at": {"type": "string", "format": "date-time"},
            "idempotency_key": {
                "type": "string",
                "maxLength": 200,
                "description": "Names this event for ever: sent again it changes nothing, and "
                "with another body it is refused (409).",
            },
            "properties": {"type": "object", "description": "Sealed at rest; at most 8 kB."},
        },
    },
    "EventBatch": {
        "type": "object",
        "required": ["events"],
        "properties": {
            "events": {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST,
                "items": {"$ref": "#/components/schemas/Event"},
            }
        },
    },
    "EventResult": {
        "type": "object",
        "properties": {
            "status": {"type": "string", "enum": ["accepted", "duplicate", "unknown_contact"]}
        },
    },
    "EventBatchResult": {
        "type": "object",
        "properties": {
            "accepted": {"type": "integer"},
            "duplicates": {"type": "integer"},
            "unknown_contacts": {"type": "integer"},
            "results": {
                "type": "array",
                "description": "One for each event, in the order of the request.",
                "items": {"$ref": "#/components/schemas/EventResult"},
            },
        },
    },
    "Problem": {
        "type": "object",
        "description": "RFC 9457. Never repeats what was sent.",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "pointer": {"type": "string"},
                        "detail": {"type": "string"},
                    },
                },
            },
            "error_count": {"type": "integer"},
        },
    },
}


def _operation(name: str, summary: str, form: str, answer: str, example: Any) -> dict[str, Any]:
    body = {"schema": {"$ref": f"#/components/schemas/{form}"}, "example": example}
    result = {"schema": {"$ref": f"#/components/schemas/{answer}"}}
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "tags": ["events"],
            "security": [{"apiKey": []}],
            "requestBody": {"required": True, "content": {"application/json": body}},
            "responses": {
                "200": {"description": "Taken", "content": {"application/json": result}},
            },
        }
    }


def only_ours(endpoints: list[Any], **_: Any) -> list[Any]:
    """Leave the schema's own address out of the schema."""
    return [one for one in endpoints if not one[0].startswith("/api/v1/schema")]


def add_the_rest(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the event addresses, and to every operation the problem that it may answer."""
    paths = result["paths"] | {
        "/api/v1/events": _operation(
            "record_event", "Record an event", "Event", "EventResult", _EVENT
        ),
        "/api/v1/events/batch": _operation(
            "record_events",
            "Record up to 1,000 events",
            "EventBatch",
            "EventBatchResult",
            {"events": [_EVENT]},
        ),
    }
    result["paths"] = dict(sorted(paths.items(), key=_place))
    result.setdefault("components", {}).setdefault("schemas", {}).update(_SCHEMAS)
    refused = {"$ref": "#/components/schemas/Problem"}
    for path, methods in result["paths"].items():
        for method, operation in methods.items():
            operation["x-scope"] = _scope(path, method)
            operation["responses"]["default"] = {
                "description": "Refused",
                "content": {"application/problem+json": {"schema": refused}},
            }
    return result


_ORDER = ("contacts", "events", "imports", "lists", "segments", "workflows", "messages")


def _place(item: tuple[str, Any]) -> tuple[int, str]:
    """Put the addresses that an integration begins with first."""
    path = item[0]
    resource = path.removeprefix("/api/v1/").split("/", maxsplit=1)[0]
    return (_ORDER.index(resource) if resource in _ORDER else len(_ORDER), path)


def _scope(path: str, method: str) -> str:
    """Return the scope that the address itself demands, read off its view."""
    path = re.sub(r"\{[^}]+\}", _ANY_ID, path.replace("{number}", "1"))
    view: Any = resolve(path).func
    scopes: Scopes = view.scopes
    return scopes[method.upper()].value


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Name our authentication in the schema."""

    target_class = "marketing.api.machines.Bearer"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key, made under Integrations.",
        }
