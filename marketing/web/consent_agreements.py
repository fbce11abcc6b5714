"""Who agreed to what, when, to which text: the list, its filters, and the list as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import guard
from accounts.roles import Permission
from audit import trail
from consent.desk import agreements, part2
from consent.desk.agreements import Wanted
from consent.models import Authorization, FormVersion
from consent.signing.models import Signature
from contacts import matching
from contacts.exporting import cell
from marketing.web.consent import PURPOSE_NAMES
from marketing.web.consent_tabs import tabs
from marketing.web.days import PLAUSIBLE

MOST_EXPORTED = 100_000
AT_A_TIME = 1_000
STATES = [
    ("live", "Live"),
    ("expired", "Expired"),
    ("revoked", "Withdrawn"),
    ("defective", "Not valid"),
]
COLUMNS = (
    "authorization",
    "person",
    "state",
    "purposes",
    "information",
    "channels",
    "text",
    "text_sha256",
    "signed_at",
    "received_at",
    "last_day",
    "zone",
    "ends_with_event",
    "withdrawn_at",
    "defects",
    "copy_given_at",
)


class Filters(forms.Form):
    state = forms.ChoiceField(label="State", required=False, choices=[("", "Any"), *STATES])
    purpose = forms.ChoiceField(
        label="Purpose", required=False, choices=[("", "Any"), *PURPOSE_NAMES.items()]
    )
    text = forms.ChoiceField(label="Text", required=False)
    method = forms.ChoiceField(
        label="Signed",
        required=False,
        choices=[("", "Any way"), *Signature.Method.choices, ("none", "No signature kept")],
    )
    signed_from = forms.DateField(
        label="From",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        validators=PLAUSIBLE,
    )
    signed_until = forms.DateField(
        label="To",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        validators=PLAUSIBLE,
    )
    ends_within = forms.IntegerField(
        label="Ends within days", required=False, min_value=1, max_value=3660
    )
    without_copy = forms.BooleanField(label="No copy given yet", required=False)
    before = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["text"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "Any"), *_texts()]


def _texts() -> list[tuple[str, str]]:
    used = Authorization.objects.exclude(form_version=None).values("form_version")
    versions = FormVersion.objects.filter(id__in=used).order_by("name", "-number", "language")
    return [(str(one.id), f"{one.name}, {one.language}, version {one.number}") for one in versions]


def wanted_of(given: dict[str, Any]) -> Wanted:
    """Return what a form with these filters asks for."""
    return Wanted(
        state=given.get("state", ""),
        purpose=given.get("purpose", ""),
        text=UUID(given["text"]) if given.get("text") else None,
        method=given.get("method", ""),
        signed_from=given.get("signed_from"),
        signed_until=given.get("signed_until"),
        ends_within=given.get("ends_within"),
        without_copy=bool(given.get("without_copy")),
    )


@guard.requires(Permission.CONSENT_VIEW)
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """One page of authorizations, by filters that an address can carry."""
    now, user = timezone.now(), guard.staff_of(request)
    form = Filters(request.GET)
    given = form.cleaned_data if form.is_valid() else {}
    rows = agreements.page(
        wanted_of(given), before=given.get("before"), now=now, zone=user.organisation.zone
    )
    trail.record("report.viewed", detail={"report": "agreements", "count": len(rows)})
    context = {
        "tabs": tabs("agreements"),
        "views": _views(request.GET),
        "form": form,
        "rows": _with_people(rows, now=now),
        "names": PURPOSE_NAMES,
        "next": _address(request, before=str(rows[-1].id)) if len(rows) == agreements.PAGE else "",
        "first": _address(request) if given.get("before") else "",
        "file": _address(request, route="agreements-csv")
        if user.may(Permission.CONSENT_EXPORT)
        else "",
        "as_of": now,
    }
    return render(request, "consent/agreements.html", context, status=200 if given else 422)


def _views(asked: QueryDict) -> list[dict[str, Any]]:
    """The questions that come up every week, as links."""
    views = [
        ("Everything", ""),
        ("Ending within 30 days", f"ends_within={agreements.SOON}"),
        ("Signer has no copy", "without_copy=on"),
        ("Not valid", "state=defective"),
        ("Withdrawn", "state=revoked"),
    ]
    here = "&".join(f"{name}={asked[name]}" for name in asked if asked[name] and name != "before")
    return [
        {
            "address": reverse("agreements") + (f"?{query}" if query else ""),
            "label": label,
            "here": query == here,
            "count": None,
        }
        for label, query in views
    ]


def _address(request: HttpRequest, *, route: str = "agreements", before: str = "") -> str:
    query = QueryDict(mutable=True)
    query.update({name: request.GET[name] for name in request.GET if request.GET[name]})
    query.pop("before", None)
    if before:
        query["before"] = before
    return f"{reverse(route)}?{query.urlencode()}"


def _with_people(rows: list[Authorization], *, now: datetime) -> list[dict[str, Any]]:
    people = matching.public_ids({row.contact_id for row in rows})
    states = agreements.states(rows, now=now)
    return [
        {"row": row, "person": people.get(row.contact_id), "state": states.get(row.id, "")}
        for row in rows
    ]


@guard.requires(Permission.CONSENT_EXPORT)
@require_safe
def exported(request: HttpRequest) -> HttpResponse:
    """The same list as a file that no spreadsheet takes for formulas."""
    now, zone = timezone.now(), guard.staff_of(request).organisation.zone
    form = Filters(request.GET)
    if not form.is_valid():
        return HttpResponse("One of the filters is not readable.", status=422)
    rows = agreements.matching(wanted_of(form.cleaned_data), now=now, zone=zone)
    ids = list(rows[:MOST_EXPORTED].values_list("id", flat=True))
    try:
        along = part2.accompaniment(list(Authorization.objects.filter(id__in=ids)), now=now)
    except part2.NotAccompanied as refused:
        messages.error(request, f"Nothing left the house: {refused}.")
        return redirect(_address(request))
    written, count = csv_of(ids, now=now, along=along)
    trail.record("consent.exported", detail={"format": "csv", "count": count})
    response = HttpResponse(written, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="authorizations.csv"'
    return response


def csv_of(ids: list[UUID], *, now: datetime, along: list[str]) -> tuple[str, int]:
    """Return the authorizations as CSV, in this order, and how many there are.

    What goes `along` with them stands below, a line each.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    count = 0
    for start in range(0, len(ids), AT_A_TIME):
        for line in _lines(ids[start : start + AT_A_TIME], now=now):
            writer.writerow([cell(one) for one in line])
            count += 1
    for told in along:
        writer.writerow([cell(told)])
    return out.getvalue(), count


def _lines(ids: list[UUID], *, now: datetime) -> Iterator[list[str]]:
    rows = Authorization.objects.select_related("form_version").prefetch_related(
        "defects", "copies"
    )
    found = rows.in_bulk(ids)
    for one in _with_people([found[id_] for id_ in ids], now=now):
        yield _line(one["row"], one["person"], one["state"])


def _line(row: Authorization, person: UUID | None, state: str) -> list[str]:
    version = row.form_version
    copies = sorted(one.given_at for one in row.copies.all())
    return [
        str(row.id),
        str(person or ""),
        state,
        " ".join(row.purposes),
        " ".join(row.classes),
        " ".join(row.channels),
        str(version or ""),
        version.checksum if version else "",
        row.signed_at.isoformat(),
        row.received_at.isoformat(),
        row.expires_on.isoformat() if row.expires_on else "",
        row.zone,
        row.expires_event,
        row.revoked_at.isoformat() if row.revoked_at else "",
        " ".join(one.kind for one in row.defects.all()),
        copies[0].isoformat() if copies else "",
    ]
