"""The Notice of Privacy Practices: its versions, who has none, and what one person got (PR-39)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts import guard
from accounts.roles import Permission
from audit import trail
from consent.ledger import ConsentInvalid
from consent.models import Notice, NoticeReceipt
from consent.notices import keeping
from contacts import matching
from contacts.models import Contact
from marketing.web.consent_person import CAME_BY
from marketing.web.consent_tabs import tabs

LANGUAGES = [("en", "English"), ("es", "Spanish")]
DAY = {"type": "date"}


class Publishing(forms.Form):
    language = forms.ChoiceField(label="Language", choices=LANGUAGES)
    effective_on = forms.DateField(label="In force from", widget=forms.DateInput(attrs=DAY))
    text = forms.CharField(label="The words", widget=forms.Textarea(attrs={"rows": 12}))


class Receiving(forms.Form):
    notice = forms.ModelChoiceField(
        label="Version", queryset=Notice.objects.none(), empty_label="Choose"
    )
    kind = forms.ChoiceField(label="What happened", choices=NoticeReceipt.Kind.choices)
    given_on = forms.DateField(label="On", widget=forms.DateInput(attrs=DAY))
    received_by = forms.ChoiceField(label="How", choices=CAME_BY)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["notice"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Notice.objects.select_related("text").order_by("-effective_on")
        field.label_from_instance = lambda one: (  # type: ignore[method-assign,assignment]
            f"{one.text.language}, version {one.text.number}, from {one.effective_on}"
        )


@guard.requires(Permission.CONSENT_VIEW)
@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """The versions, and the people who never got one."""
    return _show(request)


def _show(request: HttpRequest, *, status: int = 200, **more: Any) -> HttpResponse:
    now, user = timezone.now(), guard.staff_of(request)
    without = keeping.without(after=_after(request))
    public = matching.public_ids(without)
    trail.record("report.viewed", detail={"report": "notices", "count": len(without)})
    last = str(public[without[-1]]) if len(without) == keeping.PAGE else ""
    context = {
        "tabs": tabs("notices"),
        "notices": Notice.objects.select_related("text").order_by("-effective_on", "-id"),
        "in_force": keeping.in_force(now.astimezone(user.organisation.zone).date()),
        "without": [public[one] for one in without if one in public],
        "in_all": keeping.count_without(),
        "next": f"{reverse('notices')}?after={last}" if last else "",
        "first": reverse("notices") if "after" in request.GET else "",
        "may_publish": user.may(Permission.FORMS_EDIT),
        "form": Publishing(),
        "as_of": now,
    } | more
    return render(request, "consent/notices.html", context, status=status)


def _after(request: HttpRequest) -> int:
    try:
        seen = matching.ids_by_public_id([UUID(request.GET.get("after", ""))])
    except ValueError:
        return 0
    return next(iter(seen.values()), 0)


@guard.requires(Permission.FORMS_EDIT)
@require_POST
def publish(request: HttpRequest) -> HttpResponse:
    """Publish a version; it never changes afterwards."""
    form = Publishing(request.POST)
    if form.is_valid():
        try:
            keeping.publish(**form.cleaned_data, now=timezone.now())
        except ConsentInvalid as wrong:
            form.add_error("text", str(wrong).partition(": ")[2].capitalize() + ".")
        else:
            messages.success(request, "Published. It is the notice from its day on.")
            return redirect("notices")
    return _show(request, status=422, form=form)


@guard.requires(Permission.CONSENT_VIEW)
@require_safe
def notice(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """The words of one version."""
    found = keeping.by_id(notice_id)
    if found is None:
        raise Http404
    return render(request, "consent/notice.html", {"notice": found, "as_of": timezone.now()})


@guard.requires(Permission.CONSENT_VIEW)
@require_safe
def of_person(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What one person got."""
    contact = get_object_or_404(Contact, public_id=public_id)
    return _show_person(request, contact, Receiving())


@guard.requires(Permission.CONSENT_RECORD)
@require_POST
def received(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Record that a person got a version."""
    contact = get_object_or_404(Contact, public_id=public_id, erased_at=None)
    form = Receiving(request.POST)
    if form.is_valid():
        try:
            keeping.record(contact.id, **form.cleaned_data, now=timezone.now())
        except ConsentInvalid as wrong:
            form.add_error("given_on", str(wrong).partition(": ")[2].capitalize() + ".")
        else:
            messages.success(request, "On record.")
            return redirect("consent-notices", public_id)
    return _show_person(request, contact, form, status=422)


def _show_person(
    request: HttpRequest, contact: Contact, form: Receiving, *, status: int = 200
) -> HttpResponse:
    rows = keeping.of_person(contact.id)
    trail.record("consent.viewed", subject=f"contact:{contact.id}", detail={"count": len(rows)})
    user = guard.staff_of(request)
    context = {
        "contact": contact,
        "rows": rows,
        "form": form,
        "may_record": user.may(Permission.CONSENT_RECORD) and contact.erased_at is None,
        "as_of": timezone.now(),
    }
    return render(request, "consent/notices_person.html", context, status=status)
