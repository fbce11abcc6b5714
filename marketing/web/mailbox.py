"""The sample's mailbox: read a mail as its patient would. Not there outside the sample."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.guard import signed_in
from deploy.mailbox_store import Letter, MailboxStore

PAGE = 50
MAIL_POLICY = "; ".join(
    [
        "default-src 'none'",
        "img-src {origin} data:",
        "style-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
        "sandbox allow-popups allow-popups-to-escape-sandbox",
    ]
)
"""A mail may show its own styles and our pictures. It runs nothing, and its links open outside."""


def _store() -> MailboxStore:
    if not settings.SAMPLE:
        raise Http404("there is a mailbox in the sample only")
    return MailboxStore(settings.ATTUNE_MAILBOX)


def _letter(key: str) -> Letter:
    try:
        return _store().read(key)
    except KeyError:
        raise Http404("no such mail") from None


@require_safe
@signed_in
def mailbox(request: HttpRequest) -> HttpResponse:
    """List the mails that the sample sent, newest first."""
    before = request.GET.get("before", "")
    letters = _store().newest(limit=PAGE + 1, before=before)
    context = {
        "letters": letters[:PAGE],
        "count": len(_store().keys()),
        "first": reverse("mailbox") if before else "",
        "next": f"?before={letters[PAGE - 1].key}" if len(letters) > PAGE else "",
    }
    return render(request, "mailbox/list.html", context)


@require_safe
@signed_in
def letter(request: HttpRequest, key: str) -> HttpResponse:
    """Show one mail: its heads, its text, and its page in a frame of its own."""
    found = _letter(key)
    shown = ("From", "To", "Subject", "Date", "List-Unsubscribe", "List-Unsubscribe-Post")
    context = {
        "letter": found,
        "heads": [(name, str(found.message[name])) for name in shown if found.message[name]],
        "text": found.body("plain"),
        "has_page": bool(found.body("html")),
    }
    return render(request, "mailbox/letter.html", context)


@require_safe
@signed_in
def page(request: HttpRequest, key: str) -> HttpResponse:
    """Give the mail's HTML for the frame, under its own strict policy."""
    html = _letter(key).body("html")
    response = HttpResponse(_opening_outside(html))
    origin = f"'self' {settings.ATTUNE_PUBLIC_ORIGIN}"
    response["Content-Security-Policy"] = MAIL_POLICY.format(origin=origin)
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _opening_outside(html: str) -> str:
    """Let links open in a tab of their own, as they do in a mail program."""
    head, found, rest = html.partition("<head>")
    base = '<base target="_blank">'
    return f"{head}{found}{base}{rest}" if found else base + html
