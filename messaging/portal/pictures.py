"""Pictures of mails, for everybody: no cookie, no count, kept by whoever loaded them."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.guard import public
from crypto.tokens import TokenRefused
from messaging.pictures import keeping


@public
@require_safe
def picture(request: HttpRequest, token: str, kind: str) -> HttpResponse:
    try:
        found = keeping.by_token(token, now=timezone.now())
    except TokenRefused:
        raise Http404 from None
    if kind != found.kind:
        raise Http404
    response = HttpResponse(bytes(found.content), content_type=f"image/{found.kind}")
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"  # it stands in mail programs' pages
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'"
    return response
