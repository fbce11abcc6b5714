"""The page behind a link to sign: read, choose, sign or not. GET changes nothing (W14).

No cookie is set and none is needed: the address is the secret, and the date of birth is asked where
it is known. The page works without JavaScript; drawing a signature is an addition to typing it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from accounts import tenancy
from accounts.guard import public
from accounts.models import Organisation
from audit.actor import acting_as
from consent.models import FormVersion
from consent.notices import keeping
from consent.notices.models import Notice
from consent.signing import asking, designing, document, signing, wording
from consent.signing.models import Signature, SigningRequest
from consent.signing.signing import SignatureInvalid, Signer
from crypto import tokens
from crypto.tokens import TokenRefused
from marketing.web import public_notice
from messaging import words as public_words
from messaging.words import frame
from messaging.words import signing as signing_words
from messaging.words.showing import private

COPY = "consent.copy"
COPY_LASTS = timedelta(days=1)
_SAYS = {"name": "name_needed", "authority": "authority_needed", "drawing": "drawing_wrong"}


@public
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def sign(request: HttpRequest, token: str) -> HttpResponse:
    now = timezone.now()
    try:
        with asking.at(token, now=now) as asked:
            version = designing.in_language(asked.form, _language(request, asked))
            words = {
                **public_words.said(frame.WORDS, version.language),
                **public_words.said(signing_words.WORDS, version.language),
            }
            if shut := asking.shut(asked, now=now):
                return _page(request, "shut", version, words, why=words[f"shut_{shut}"])
            if request.method != "POST":
                return _page(request, "sign", version, words, **_form(asked, {}))
            if request.POST.get("act") == "decline":
                asking.decline(asked, now=now)
                return _page(request, "declined", version, words)
            return _sign(request, asked, version, words)
    except TokenRefused:
        raise Http404 from None


def _sign(
    request: HttpRequest, asked: SigningRequest, version: FormVersion, words: Mapping[str, str]
) -> HttpResponse:
    now, given = timezone.now(), request.POST
    faults, signer = _read(request, asked, words)
    if not faults and signer is not None:
        try:
            authorization = signing.sign(asked, version, signer, now=now)
        except SignatureInvalid as invalid:
            faults = {invalid.field: words.get(_SAYS.get(invalid.field, ""), str(invalid))}
        else:
            copy = tokens.issue(
                {"a": authorization.id.hex},
                purpose=COPY,
                now=now,
                lifetime=COPY_LASTS,
                organisation_id=tenancy.current(),
            )
            return _page(request, "thanks", version, words, copy=copy)
    asked.refresh_from_db(fields=["attempts"])
    if shut := asking.shut(asked, now=now):
        return _page(request, "shut", version, words, why=words[f"shut_{shut}"])
    context = _form(asked, given) | {"faults": faults}
    return _page(request, "sign", version, words, status=422, **context)


def _read(
    request: HttpRequest, asked: SigningRequest, words: Mapping[str, str]
) -> tuple[dict[str, str], Signer | None]:
    """Return what is wrong by field, and the signer where nothing is.

    The date of birth is judged last: a slip elsewhere must not cost one of five attempts.
    """
    given, faults = request.POST, {}
    if not given.get("agree"):
        faults["agree"] = words["agree_needed"]
    try:
        signer = Signer(
            name=given.get("name", "")[:200],
            representative=given.get("who") == "other",
            authority=given.get("authority", "")[:200],
            strokes=signing.strokes_of(given.get("drawing", "")[:100_000]),
            address=request.META.get("REMOTE_ADDR", ""),
            program=request.headers.get("User-Agent", ""),
            notice=_linked(given.get("notice", "")),
        )
        signing.check(signer)
    except SignatureInvalid as invalid:
        return faults | {invalid.field: words[_SAYS[invalid.field]]}, None
    if not faults and asking.asks_birth_date(asked):
        born = _born(given)
        if born is None:
            faults["born"] = words["bad_born"]
        elif not asking.is_born(asked, born):
            faults["born"] = words["wrong_born"]
    return faults, signer


def _in_force(language: str) -> Notice | None:
    """Return the notice of today, by the organisation's clock."""
    zone = Organisation.objects.get(id=tenancy.current()).zone
    return keeping.in_force(timezone.now().astimezone(zone).date(), language=language)


def _linked(number: str) -> str:
    """Return the notice that the page linked, if it is one of ours."""
    try:
        found = keeping.by_id(UUID(number))
    except ValueError:
        return ""
    return str(found.id) if found is not None else ""


def _born(given: Mapping[str, Any]) -> date | None:
    try:
        return date(*(int(str(given.get(part, ""))[:4]) for part in ("year", "month", "day")))
    except ValueError:
        return None


def _form(asked: SigningRequest, given: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: given.get(key, "") for key in ("name", "who", "authority", "month", "day", "year")}
    return {
        "given": kept,
        "ask_born": asking.asks_birth_date(asked),
        "left": SigningRequest.MOST_ATTEMPTS - asked.attempts,
        "tried": asked.attempts > 0,
        "width": signing.WIDTH,
        "height": signing.HEIGHT,
    }


def _language(request: HttpRequest, asked: SigningRequest) -> str:
    chosen = request.POST.get("lang") or request.GET.get("lang") or ""
    if chosen:
        return chosen[:16]
    return request.headers.get("Accept-Language", "en").split(",")[0].strip()[:16]


def _page(
    request: HttpRequest,
    state: str,
    version: FormVersion,
    words: Mapping[str, str],
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    others = FormVersion.objects.filter(name=version.name, number=version.number)
    context = {
        "organisation": Organisation.objects.get(id=tenancy.current()),
        "state": state,
        "version": version,
        "document": wording.read(version.text, language=version.language),
        "language": version.language,
        "languages": [
            (one.language, public_words.LANGUAGES.get(one.language, one.language))
            for one in others.order_by("language")
        ],
        "words": words,
        "notice": (notice := _in_force(version.language)),
        "notice_address": public_notice.address(notice, now=timezone.now()) if notice else "",
    }
    return private(render(request, "public/sign.html", context | more, status=status))


@public
@csrf_exempt
@require_POST
def copy(request: HttpRequest, token: str) -> HttpResponse:
    """Hand the signer the signed document; that it was handed out is on record (PR-13)."""
    now = timezone.now()
    try:
        read = tokens.read(token, purpose=COPY, now=now)
    except TokenRefused:
        raise Http404 from None
    with tenancy.acting_for(read.organisation_id), acting_as(asking.SIGNER):
        signature = Signature.objects.select_related("authorization__form_version").get(
            authorization_id=read.payload["a"]
        )
        content = document.pdf(signature)
        signing.hand_out(signature, now=now)
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = 'attachment; filename="authorization.pdf"'
    return private(response)
