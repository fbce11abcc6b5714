"""Lists made by hand: which are there, who made them grow, who is on one."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.roles import Permission
from audit import trail
from contacts import lists as listing
from contacts import matching
from contacts.models import Contact, ContactList
from marketing.web.contacts import rows_of

PAGE = 50


class Naming(forms.Form):
    """A new list's name."""

    name = forms.CharField(
        max_length=120,
        label="Name",
        help_text="Sealed at rest: a name often says what people have.",
    )


class Joining(forms.Form):
    """Who is to be put on the list, by exact record number."""

    number = forms.CharField(max_length=200, label="Record number")


@require_http_methods(["GET", "POST"])
@requires(Permission.CONTACTS_VIEW, changing=Permission.SEGMENTS_EDIT)
def lists(request: HttpRequest) -> HttpResponse:
    """Show the lists; make one."""
    form = Naming(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = listing.create(form.cleaned_data["name"], now=timezone.now())
        return redirect("list", made.id)
    rows = ContactList.objects.annotate(count=Count("members")).order_by("-created_at")
    may_edit = staff_of(request).may(Permission.SEGMENTS_EDIT)
    return render(request, "lists/list.html", {"rows": rows, "form": form, "may_edit": may_edit})


@require_safe
@requires(Permission.CONTACTS_VIEW)
def one(request: HttpRequest, list_id: UUID) -> HttpResponse:
    """Show who is on a list, newest first."""
    chosen = get_object_or_404(ContactList, pk=list_id)
    members = chosen.members.order_by("-contact_id")
    if before := request.GET.get("before", ""):
        known = matching.ids_by_public_id([_uuid(before)])
        members = members.filter(contact_id__lt=next(iter(known.values()), 0))
    ids = list(members.values_list("contact_id", flat=True)[: PAGE + 1])
    found = list(Contact.objects.filter(pk__in=ids[:PAGE], erased_at=None).order_by("-id"))
    trail.record("contact.listed", subject=f"list:{list_id}", detail={"count": len(found)})
    context = {
        "list": chosen,
        "rows": rows_of(found),
        "count": chosen.members.count(),
        "form": Joining(),
        "may_edit": staff_of(request).may(Permission.SEGMENTS_EDIT),
        "next": f"?before={found[-1].public_id}" if len(ids) > PAGE and found else "",
    }
    return render(request, "lists/one.html", context)


@require_POST
@requires(Permission.SEGMENTS_EDIT)
def join(request: HttpRequest, list_id: UUID) -> HttpResponse:
    """Put the person with this record number on the list."""
    chosen = get_object_or_404(ContactList, pk=list_id)
    form = Joining(request.POST)
    found = matching.find("record_number", form.data.get("number", "")) if form.is_valid() else []
    if len(found) == 1:
        joined = listing.add(chosen.id, [found[0].id], now=timezone.now())
        messages.success(request, "Added 1 person." if joined else "That person is on it already.")
    else:
        why = "Nobody has" if not found else "Several people have"
        messages.error(request, f"{why} this record number. Give it whole.")
    return redirect("list", chosen.id)


@require_POST
@requires(Permission.SEGMENTS_EDIT)
def leave(request: HttpRequest, list_id: UUID) -> HttpResponse:
    """Take one person off the list."""
    chosen = get_object_or_404(ContactList, pk=list_id)
    known = matching.ids_by_public_id([_uuid(request.POST.get("contact", ""))])
    left = listing.remove(chosen.id, list(known.values()), now=timezone.now())
    messages.success(request, "Removed 1 person." if left else "That person was not on it.")
    return redirect("list", chosen.id)


def _uuid(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        return UUID(int=0)
