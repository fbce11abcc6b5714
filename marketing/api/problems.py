"""Every refusal of the API in one shape: RFC 9457 problem details, in words that say what to do.

A problem never repeats a value that was sent: what was sent may be a patient's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework import exceptions

from accounts import guard

CONTENT_TYPE = "application/problem+json"
MOST_ERRORS = 100
"""A thousand broken rows are told once: the first hundred, and how many there were."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong, and where in the body it stands (a JSON pointer)."""

    pointer: str
    detail: str


class Problem(Exception):
    """Raised anywhere below a view; becomes the response."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.detail = status, code, detail
        self.faults, self.headers = tuple(faults), dict(headers or {})

    def body(self) -> dict[str, Any]:
        """Return the document of RFC 9457; `type` leads to the words in the reference."""
        body: dict[str, Any] = {
            "type": f"/api/v1/reference#{self.code}",
            "title": TITLES[self.code],
            "status": self.status,
            "detail": self.detail,
        }
        if self.faults:
            body["errors"] = [
                {"pointer": fault.pointer, "detail": fault.detail}
                for fault in self.faults[:MOST_ERRORS]
            ]
            body["error_count"] = len(self.faults)
        return body

    def response(self) -> HttpResponse:
        """Return the problem as it goes out."""
        response = HttpResponse(
            json.dumps(self.body()), status=self.status, content_type=CONTENT_TYPE
        )
        for name, value in self.headers.items():
            response[name] = value
        return response


TITLES: Mapping[str, str] = {
    "no-key": "An API key is needed",
    "key-refused": "The API key is not accepted",
    "scope-missing": "The API key may not do this",
    "malformed": "The body is not valid JSON",
    "invalid": "The body is not acceptable",
    "too-large": "The body is too large",
    "media-type": "The content type is not accepted",
    "not-acceptable": "The answer cannot be given in that form",
    "no-such-address": "There is nothing at this address",
    "not-found": "No such record",
    "method": "The method is not allowed here",
    "key-reused": "The idempotency key was used for another request",
    "busy": "The same request is still being worked on",
    "conflict": "The request contradicts what is on record",
    "too-many": "Too many requests",
    "too-slow": "It takes too long to answer at once",
    "internal": "The server failed",
}

INTERNAL = Problem(
    500,
    "internal",
    "Nothing was stored by this request. Try again; if it fails again, tell the administrator "
    "the time of the request.",
)

# Sentences by DRF's error code: its own sometimes repeat the value that was sent.
_SENTENCES: Mapping[str, str] = {
    "required": "This field is required.",
    "null": "This field may not be null.",
    "blank": "This field may not be empty.",
    "invalid": "This value has the wrong form.",
    "invalid_choice": "This value is not one of the allowed choices.",
    "not_a_list": "This must be a list.",
    "not_a_dict": "This must be an object.",
    "empty": "This list may not be empty.",
    "unknown_field": "There is no such field.",
}
_ECHO_FREE = frozenset({"max_length", "min_length", "max_value", "min_value", "said"})
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}|\d{1,4}")
"""A key that looks like a field's name may be repeated; anything else might be a value."""


def sentence(detail: exceptions.ErrorDetail) -> str:
    """Return the words for one of DRF's validation errors, without what was sent."""
    code = str(detail.code)
    if code in _ECHO_FREE:
        return str(detail)
    return _SENTENCES.get(code, _SENTENCES["invalid"])


def faults_in(detail: object, pointer: str = "") -> Iterator[Fault]:
    """Flatten DRF's nested validation errors into faults by JSON pointer."""
    if isinstance(detail, exceptions.ErrorDetail):
        yield Fault(pointer, sentence(detail))
    elif isinstance(detail, Mapping):
        for name, inner in detail.items():
            named = name != "non_field_errors" and _NAME.fullmatch(str(name))
            yield from faults_in(inner, f"{pointer}/{name}" if named else pointer)
    elif isinstance(detail, Sequence):
        plain = all(isinstance(inner, exceptions.ErrorDetail) for inner in detail)
        for index, inner in enumerate(detail):
            yield from faults_in(inner, pointer if plain else f"{pointer}/{index}")


def invalid(faults: Sequence[Fault]) -> Problem:
    """Return the problem of a body that was understood but cannot be accepted."""
    count = "One thing is" if len(faults) == 1 else f"{len(faults)} things are"
    return Problem(422, "invalid", f"{count} wrong; nothing was stored.", faults=faults)


def of(error: Exception) -> Problem | None:
    """Return the problem that one of DRF's or Django's refusals stands for."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, exceptions.ValidationError):
        return invalid(list(faults_in(error.detail)))
    if isinstance(error, exceptions.MethodNotAllowed):
        return Problem(405, "method", "See the reference for the methods of this address.")
    if isinstance(error, exceptions.UnsupportedMediaType):
        return Problem(415, "media-type", "Send application/json, or what the reference names.")
    if isinstance(error, exceptions.NotAcceptable):
        return Problem(406, "not-acceptable", "Accept application/json.")
    return None


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's hook; what it does not know goes on to become a 500."""
    from django.http import Http404

    if isinstance(error, Http404):
        return not_found().response()
    problem = of(error)
    return problem.response() if problem else None


def not_found(what: str = "record") -> Problem:
    """Return the same answer for what is absent and for what belongs to somebody else."""
    return Problem(404, "not-found", f"There is no such {what} in your organisation.")


@guard.public
def no_such_address(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    """Answer every address under /api/ that nothing else answers."""
    detail = "See /api/v1/reference for the addresses there are."
    return Problem(404, "no-such-address", detail).response()
