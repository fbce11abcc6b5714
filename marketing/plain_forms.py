"""Refuse a form that holds a NUL: no keyboard types one, and the database keeps none in a text."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError

FORM = "application/x-www-form-urlencoded"


class PlainForms:
    """Answers 400 before any view reads the form; files and JSON are read by their own readers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.content_type == FORM and _has_nul(request):
            raise BadRequest("a form with a NUL")
        return self.get_response(request)


def _has_nul(request: HttpRequest) -> bool:
    """What cannot be read at all is left to the view, which may not need it: one click unsubscribes
    whatever the body (RFC 8058).
    """
    try:
        return any("\0" in text for _, texts in request.POST.lists() for text in texts)
    except (SuspiciousOperation, UnreadablePostError):
        return False
