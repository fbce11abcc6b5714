"""The preference page behind the token of every mail. GET shows; POST acts, at once, everywhere.

No cookie, no sign-in, no script: the address is the secret. It may stand in anybody's browser, so
it shows what was chosen, and nothing of who the person is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.guard import public
from audit.actor import Actor, acting_as
from consent.choices import elsewhere, preferences, sign_ups, topics
from consent.choices.preferences import CHANNELS, FREQUENCIES, PAUSES, Preferences
from contacts import persons
from crypto.tokens import TokenRefused
from marketing.web.public_sign_up import visit_of
from messaging import feedback, links
from messaging.words import LANGUAGES, asked, said
from messaging.words import choices as words_of
from messaging.words.showing import page

BY = "preferences"


@public
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def choices(request: HttpRequest, token: str) -> HttpResponse:
    now = timezone.now()
    try:
        with feedback.message_of(token, purpose=links.UNSUBSCRIBE, now=now) as message:
            contact_id = persons.standing_for([message.contact_id])[message.contact_id]
            with acting_as(Actor("patient", str(contact_id))):
                done, fault = "", ""
                if request.method == "POST":
                    done, fault = _act(request, contact_id, now=now)
                return _page(request, token, contact_id, done=done, fault=fault, now=now)
    except TokenRefused:
        raise Http404 from None


def _act(request: HttpRequest, contact_id: int, *, now: datetime) -> tuple[str, str]:
    """Do what was asked; return the keys of the words that say so, or that say why not."""
    given = request.POST
    match given.get("act"):
        case "save":
            wanted = _wanted(given, preferences.of(contact_id, now=now))
            preferences.choose(contact_id, wanted, received_by=BY, now=now)
            return "saved", ""
        case "pause" if given.get("pause") in PAUSES:
            until = now + timedelta(days=PAUSES[given["pause"]])
            preferences.pause(contact_id, until, received_by=BY, now=now)
            return "paused", ""
        case "resume":
            preferences.resume(contact_id, received_by=BY, now=now)
            return "resumed", ""
        case "stop":
            preferences.stop_everything(contact_id, received_by=BY, now=now)
            return "stopped", ""
        case "start":
            preferences.start_again(contact_id, received_by=BY, now=now)
            return "started", ""
        case "confirm" if asked := sign_ups.pending(contact_id, now=now):
            sign_ups.confirm(asked, visit=visit_of(request), now=now)
            return "confirmed", ""
        case "address":
            return _elsewhere(given, contact_id, now=now)
    return "", ""


def _wanted(given: Mapping[str, Any], standing: Preferences) -> Preferences:
    """Read the form: what is ticked is wanted."""
    kept = set(given.getlist("topic"))  # type: ignore[attr-defined]
    by = set(given.getlist("channel"))  # type: ignore[attr-defined]
    often, language = given.get("frequency", ""), given.get("language", "")
    return replace(
        standing,
        topics_off=frozenset(one.key for one in topics.current() if one.key not in kept),
        channels_off=frozenset(one for one in CHANNELS if one not in by),
        frequency=often if often in FREQUENCIES else standing.frequency,
        language=language if language in LANGUAGES else standing.language,
        measured="measured" in given,
    )


def _elsewhere(given: Mapping[str, Any], contact_id: int, *, now: datetime) -> tuple[str, str]:
    try:
        elsewhere.reach(contact_id, given.get("address", "")[:254], _born(given), now=now)
    except elsewhere.Refused as refused:
        return "", f"address_{refused.why}"
    return "address_kept", ""


def _born(given: Mapping[str, Any]) -> date | None:
    try:
        return date(*(int(str(given.get(part, ""))[:4]) for part in ("year", "month", "day")))
    except ValueError:
        return None


def _page(
    request: HttpRequest, token: str, contact_id: int, *, done: str, fault: str, now: datetime
) -> HttpResponse:
    standing = preferences.of(contact_id, now=now)
    language = asked(request, otherwise=standing.language)
    words = said(words_of.WORDS, language)
    context = {
        "pending": sign_ups.pending(contact_id, now=now),
        "chosen": standing,
        "spoken": standing.language or language,
        "topics": [
            (one.key, one.name(language), one.about(language), one.key not in standing.topics_off)
            for one in topics.current()
        ],
        "channels": [
            (one, words[f"by_{one}"], one not in standing.channels_off) for one in CHANNELS
        ],
        "frequencies": [
            (one, words[f"often_{one}"], one == standing.frequency) for one in FREQUENCIES
        ],
        "pauses": [(one, words[f"pause_{one}"]) for one in PAUSES],
        "done": words.get(f"done_{done}", ""),
        "fault": words.get(fault, ""),
        "parts": [("month", words["month"]), ("day", words["day"]), ("year", words["year"])],
    }
    return page(
        request,
        "public/choices.html",
        words_of.WORDS,
        language=language,
        status=422 if fault else 200,
        **context,
    )
