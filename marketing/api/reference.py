"""The API's own description: OpenAPI 3.1 for programs, one page for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

from accounts import guard
from marketing.api.problems import TITLES


@dataclass(frozen=True)
class Operation:
    """One address and method, as the page shows it."""

    name: str
    method: str
    path: str
    summary: str
    description: str
    scope: str
    example: str
    answers: tuple[str, ...]


@cache
def described() -> Mapping[str, Any]:
    """Return the description, made once a process: it takes a second, and anybody may ask."""
    made: Mapping[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return made


@cache
def _rendered() -> bytes:
    rendered: bytes = OpenApiJsonRenderer().render(described(), renderer_context={})
    return rendered


@guard.public
@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """Answer with the description as OpenAPI, for programs."""
    return HttpResponse(_rendered(), content_type=OpenApiJsonRenderer.media_type)


@guard.public
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show every operation with an example, and every problem with its meaning."""
    context = {"operations": list(operations(described())), "problems": TITLES.items()}
    return render(request, "api/reference.html", context)


def operations(whole: Mapping[str, Any]) -> Iterator[Operation]:
    """Return the operations in the order of their addresses."""
    for path, methods in whole["paths"].items():
        for method, operation in methods.items():
            yield Operation(
                name=operation["operationId"],
                method=method.upper(),
                path=path,
                summary=operation.get("summary", ""),
                description=operation.get("description", ""),
                scope=operation.get("x-scope", ""),
                example=_example(operation),
                answers=tuple(code for code in operation["responses"] if code != "default"),
            )


def _example(operation: Mapping[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    for media in content.values():
        examples = [one.get("value") for one in media.get("examples", {}).values()]
        example = media.get("example", examples[0] if examples else None)
        if example is not None:
            return json.dumps(example, indent=2)
    return ""
