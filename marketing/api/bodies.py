"""Read a JSON body strictly: what is not exactly JSON in UTF-8 is refused before anything runs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.http import HttpRequest
from rest_framework.parsers import BaseParser

from marketing.api.problems import Fault, Problem, invalid

LIMIT = 16 * 1024 * 1024
"""Bytes. A thousand contacts with long histories stay under it; files have the imports address."""


SMALL = 64 * 1024
"""Bytes of a body that may be kept in memory until it is known what it is."""
_JSON = frozenset({"application/json", "text/json"})


def _no_constant(_: str) -> NoReturn:
    raise ValueError("not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("number out of range")
    return number


def parse(raw: bytes) -> Any:
    """Return the document; raise a 400 that says where it breaks, without what stands there."""
    try:
        text = raw.decode("utf-8")
        document = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
        # Both spellings are rare, so the walk over every text is too.
        if "\\u" in text and ("\\u0000" in text or "\\ud" in text.lower()):
            _refuse_unstorable(document)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Problem(400, "malformed", f"It stops being JSON at {where}.") from None
    except UnicodeDecodeError as error:
        where = f"byte {error.start}"
        raise Problem(400, "malformed", f"It is not UTF-8 at {where}.") from None
    except RecursionError:
        raise Problem(400, "malformed", "It is nested too deeply.") from None
    except ValueError:
        detail = "It holds a number that JSON does not have or that is out of range."
        raise Problem(400, "malformed", detail) from None
    return document


def _refuse_unstorable(document: object) -> None:
    """Half a surrogate pair and U+0000 are legal JSON, but no text that can be stored."""
    faults = [
        Fault(pointer, "This text holds a character that cannot be stored.")
        for pointer, text in _texts(document, "")
        if "\0" in text or not _encodes(text)
    ]
    if faults:
        raise invalid(faults)


def _texts(value: object, pointer: str) -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [(pointer, value)]
    if isinstance(value, list):
        return [found for i, inner in enumerate(value) for found in _texts(inner, f"{pointer}/{i}")]
    if isinstance(value, dict):
        found = [(pointer, name) for name in value]
        for name, inner in value.items():
            found += _texts(inner, f"{pointer}/{name if _encodes(name) else '?'}")
        return found
    return []


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_small(request: HttpRequest, *, most: int = SMALL) -> bool:
    """Whether it is JSON of a length that was said and is at most so many bytes."""
    length = request.META.get("CONTENT_LENGTH") or ""
    return request.content_type in _JSON and length.isdecimal() and 0 < int(length) <= most


def read(request: HttpRequest, *, limit: int = LIMIT) -> Any:
    """Return the request's JSON document."""
    content_type = request.content_type or ""
    if content_type not in _JSON:
        raise Problem(415, "media-type", "Send Content-Type: application/json.")
    raw = request.read(limit + 1)
    return parse(_within(raw, limit))


def _within(raw: bytes, limit: int) -> bytes:
    if len(raw) > limit:
        detail = f"Send at most {limit // 1024 // 1024} MB at once; split the list."
        raise Problem(413, "too-large", detail)
    return raw


class StrictJSONParser(BaseParser):
    """The same reading for DRF's views."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        return parse(_within(stream.read(LIMIT + 1), LIMIT))
