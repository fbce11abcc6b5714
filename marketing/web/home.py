"""Home: what needs me today, and how did yesterday go."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import guard
from marketing.web import attention, watches, yesterday


@guard.signed_in
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    user, now = guard.staff_of(request), timezone.now()
    watches.ready()
    context = {
        "matters": attention.matters(user, now=now),
        "as_of": now,
    }
    return render(request, "home/home.html", context)


@guard.signed_in
@require_safe
def last_day(request: HttpRequest) -> HttpResponse:
    """Answer the part of Home that counts, which the page fetches once it is shown."""
    user, now = guard.staff_of(request), timezone.now()
    context = {"figures": yesterday.figures(user, now=now), "as_of": now}
    return render(request, "home/_yesterday.html", context)
