"""The Notice of Privacy Practices as a patient reads it, from the page where a form is signed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import tenancy
from accounts.guard import public
from consent.notices import keeping
from consent.notices.models import Notice
from crypto import tokens
from crypto.tokens import TokenRefused
from messaging.words import notices
from messaging.words.showing import page

PURPOSE = "consent.notice"


def address(notice: Notice, *, now: datetime) -> str:
    """Return the address of one version, for good: what a form linked can be read years later."""
    token = tokens.issue(
        {"n": notice.id.hex},
        purpose=PURPOSE,
        now=now,
        lifetime=None,
        organisation_id=notice.organisation_id,
    )
    return reverse("public-notice", args=[token])


@public
@require_safe
def notice(request: HttpRequest, token: str) -> HttpResponse:
    try:
        read = tokens.read(token, purpose=PURPOSE, now=timezone.now())
    except TokenRefused:
        raise Http404 from None
    with tenancy.acting_for(read.organisation_id):
        found = keeping.by_id(UUID(read.payload["n"]))
        if found is None:
            raise Http404
        return page(
            request,
            "public/notice.html",
            notices.WORDS,
            language=found.text.language,
            notice=found,
        )
