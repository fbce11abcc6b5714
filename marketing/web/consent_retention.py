"""What proves consent and may go: shown with its days, and purged by an act."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts import guard
from accounts.roles import Permission
from consent.retention import keeping
from marketing.web.consent_tabs import tabs


@guard.requires(Permission.CONSENT_VIEW)
@require_safe
def retention(request: HttpRequest) -> HttpResponse:
    """What is kept, what may go on a day, and which papers those are."""
    user, fault = guard.staff_of(request), ""
    today = timezone.now().astimezone(user.organisation.zone).date()
    asked = request.GET.get("on", "").strip()
    on = _day(asked) if asked else today
    if on is None:
        on, fault = today, "On: write a day like 2032-06-02."
    kind = request.GET.get("kind", "")
    kind = kind if kind in keeping.KINDS else ""
    standing = keeping.standing(on=on)
    rows = keeping.offered(on=on, kind=kind, after=_after(request), size=keeping.PAGE + 1)
    more = len(rows) > keeping.PAGE
    context: dict[str, Any] = {
        "tabs": tabs("consent-retention"),
        "standing": standing,
        "offered": sum(one.offered for one in standing),
        "rows": rows[: keeping.PAGE],
        "next": _next(on, kind, rows[keeping.PAGE - 1].id) if more else "",
        "on": on,
        "today": on == today,
        "kind": kind,
        "kinds": keeping.KINDS,
        "fault": fault,
        "may_purge": user.may(Permission.CONTACTS_ERASE),
        "as_of": timezone.now(),
    }
    return render(request, "consent/retention.html", context, status=422 if fault else 200)


@guard.requires(Permission.CONTACTS_ERASE)
@require_POST
def purge(request: HttpRequest) -> HttpResponse:
    """Remove what may go today: exactly as many papers as the page showed, or none."""
    shown = request.POST.get("expected", "")
    try:
        gone = keeping.purge(expected=int(shown) if shown.isdecimal() else -1)
    except keeping.CountChanged:
        messages.error(request, "Nothing was purged: what may go changed since. Look again.")
    else:
        messages.success(request, _told(sum(gone.values())))
    return redirect("consent-retention")


def _told(count: int) -> str:
    papers = "1 paper was" if count == 1 else f"{count:,} papers were"
    return f"{papers} purged; the counts stand in the trail."


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _after(request: HttpRequest) -> UUID:
    try:
        return UUID(request.GET.get("after", ""))
    except ValueError:
        return keeping.FIRST


def _next(on: date, kind: str, last: UUID) -> str:
    return f"{reverse('consent-retention')}?on={on}&kind={kind}&after={last}"
