"""Delivery, not delivered: the protocol for what said something of a person and did not arrive."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.models import User
from accounts.roles import Permission
from contacts.models import Contact
from marketing.web.going_out import name_of, tabs
from messaging import reasons
from messaging.models import PURPOSES, Undelivered
from messaging.undelivered import cases

SEE, CHANGE = Permission.MESSAGES_VIEW, Permission.MESSAGES_SEND
PAGE = 50
CLOSED = [
    (Undelivered.Outcome.OTHER_MEANS.value, "I reached the person by other means"),
    (Undelivered.Outcome.NOT_NEEDED.value, "It is not needed any more"),
]


class ResendForm(forms.Form):
    channel = forms.ChoiceField(
        label="The address was verified",
        choices=[("", "Choose how"), *Undelivered.Channel.choices],
    )


@requires(SEE)
@require_safe
def undelivered(request: HttpRequest) -> HttpResponse:
    """List what is open, oldest first, and what was settled last."""
    rows = Undelivered.objects.select_related("message__version__template")
    waiting = list(rows.filter(closed_at=None).order_by("opened_at")[: PAGE + 1])
    settled = list(rows.exclude(closed_at=None).order_by("-closed_at")[:PAGE])
    user = staff_of(request)
    people = _people([*waiting, *settled], user)
    context = {
        "waiting": [_row(one, people) for one in waiting[:PAGE]],
        "more": len(waiting) > PAGE,
        "settled": [_row(one, people) for one in settled],
        "channels": ResendForm.base_fields["channel"].choices,  # type: ignore[attr-defined]
        "closed": CLOSED,
        "may_change": user.may(CHANGE),
        "tabs": tabs("undelivered", user),
        "as_of": timezone.now(),
    }
    return render(request, "messaging/undelivered.html", context)


def _people(rows: list[Undelivered], user: User) -> dict[int, UUID]:
    """Return the public ids of those whom the role may join to their messages."""
    seen = {one.message.contact_id for one in rows if set(one.message.classes) <= user.data_classes}
    return dict(Contact.objects.filter(id__in=seen).values_list("id", "public_id"))


def _row(one: Undelivered, people: dict[int, UUID]) -> dict[str, Any]:
    explained = reasons.explain(one.cause)
    return {
        "case": one,
        "contact": people.get(one.message.contact_id),
        "purpose": dict(PURPOSES)[one.message.purpose],
        "cause": explained.sentence if explained and explained.code in reasons.OWN else one.cause,
        "by": name_of(one.verified_by) if one.verified_by else "",
    }


@requires(CHANGE)
@require_POST
def resend(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Send it again to the address that stands now."""
    form = ResendForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say by which other channel you verified the address.")
        return redirect("undelivered")
    try:
        made = cases.resend(case_id, channel=form.cleaned_data["channel"], now=timezone.now())
    except cases.NotOpen:
        messages.info(request, "Somebody else has settled it already.")
        return redirect("undelivered")
    if made.state == "refused":
        why = reasons.explain(made.refusal_code)
        said = f"{why.sentence} {why.remedy}" if why else ""
        messages.error(request, f"It is not permitted to go again. {said}")
    else:
        messages.success(request, "It goes again, to the address that stands now.")
    return redirect("undelivered")


@requires(CHANGE)
@require_POST
def close(request: HttpRequest, case_id: UUID) -> HttpResponse:
    try:
        cases.close(case_id, outcome=request.POST.get("outcome", ""), now=timezone.now())
    except cases.NotOpen:
        messages.info(request, "Somebody else has settled it already.")
    except ValueError:
        messages.error(request, "Choose how it was settled.")
    else:
        messages.success(request, "Settled.")
    return redirect("undelivered")
