"""What patients read that no author wrote: every public page, and our own mails.

One table a page, `WORDS[language][key]`. A test holds every table to the same keys in every
language, and every page for patients to having no words of its own.

    words = said(pickup.WORDS, asked(request, otherwise=preferences.of(contact_id).language))
"""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

LANGUAGES: Mapping[str, str] = {"en": "English", "es": "Español"}

Words = Mapping[str, str]
Table = Mapping[str, Words]


def known(language: str) -> str:
    """Return the language of ours that this one is or is a kind of, or nothing."""
    tongue = language.partition("-")[0].strip().lower()
    return tongue if tongue in LANGUAGES else ""


def asked(request: HttpRequest, *, otherwise: str = "") -> str:
    """Return the language of a page: what was chosen on it, else the person's own, else what the
    browser prefers of ours."""
    wanted = [_posted(request), request.GET.get("lang", ""), otherwise]
    return next((found for one in wanted if (found := known(one))), by_browser(request))


def _posted(request: HttpRequest) -> str:
    """Return the language that a form brought; a body that cannot be read brought none."""
    try:
        return str(request.POST.get("lang", ""))
    except (RequestDataTooBig, SuspiciousOperation, UnreadablePostError, MultiPartParserError):
        return ""


def by_browser(request: HttpRequest) -> str:
    """Return the language of ours that the browser prefers: the first that it names."""
    wanted = request.headers.get("Accept-Language", "")[:200].split(",")
    named = (known(one.partition(";")[0]) for one in wanted)
    return next((one for one in named if one), "en")


def said(table: Table, language: str) -> Words:
    """Return the words of a language, or of the one it is a kind of, or English."""
    return table.get(language) or table.get(known(language)) or table["en"]
