"""Answer with a page for patients: in their language, kept by no cache, its address told nobody."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import tenancy
from accounts.models import Organisation
from messaging.words import LANGUAGES, Table, frame, said


def private(response: HttpResponse) -> HttpResponse:
    """Let the address, which holds a token, travel no further, and keep nothing of the answer."""
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


def page(
    request: HttpRequest,
    template: str,
    table: Table,
    *,
    language: str,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """Render the template with `words`, the organisation, and the languages to switch to."""
    known = {
        "organisation": Organisation.objects.get(id=tenancy.current()),
        "words": {**said(frame.WORDS, language), **said(table, language)},
        "language": language,
        "languages": LANGUAGES.items(),
    }
    answer = render(request, template, known | context, status=status)
    answer["Content-Language"] = language
    return private(answer)
