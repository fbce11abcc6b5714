"""Consents as FHIR: one person's to take along, and those that came in and need a look."""

from __future__ import annotations

import json
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts import guard
from accounts.roles import Permission
from audit import trail
from consent.arriving import keeping
from consent.desk import as_fhir
from consent.desk.part2 import NotAccompanied
from consent.models import ImportedConsent
from contacts import matching
from contacts.models import Contact
from marketing.web.consent_tabs import tabs

SHOWN = 200


@guard.requires(Permission.CONSENT_EXPORT)
@require_safe
def of_person(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One person's authorizations as a Bundle of Consents."""
    contact = get_object_or_404(Contact, public_id=public_id)
    organisation = guard.staff_of(request).organisation
    try:
        made = as_fhir.of_person(
            contact.id, patient=str(public_id), organisation=organisation, now=timezone.now()
        )
    except NotAccompanied as refused:
        messages.error(request, f"Nothing left the house: {refused}.")
        return redirect("consent-person", public_id)
    trail.record(
        "consent.exported",
        subject=f"contact:{contact.id}",
        detail={"format": "fhir", "count": len(made["entry"])},
    )
    response = HttpResponse(json.dumps(made, indent=1), content_type="application/fhir+json")
    response["Content-Disposition"] = 'attachment; filename="consents.json"'
    return response


@guard.requires(Permission.CONSENT_VIEW)
@require_safe
def imported(request: HttpRequest) -> HttpResponse:
    """What came in and was not understood: it permits nothing until somebody looks."""
    rows = ImportedConsent.objects.filter(reviewed_at=None).exclude(faults=[])
    shown = list(rows.order_by("id")[:SHOWN])
    people = matching.public_ids({row.contact_id for row in shown})
    trail.record("report.viewed", detail={"report": "imported_consents", "count": len(shown)})
    context = {
        "tabs": tabs("consent-imported"),
        "rows": [(row, people.get(row.contact_id)) for row in shown],
        "may_record": guard.staff_of(request).may(Permission.CONSENT_RECORD),
        "as_of": timezone.now(),
    }
    return render(request, "consent/imported.html", context)


@guard.requires(Permission.CONSENT_RECORD)
@require_POST
def reviewed(request: HttpRequest, imported_id: UUID) -> HttpResponse:
    """Take one off the list; what it refused stays refused."""
    by = str(guard.staff_of(request).pk)
    if keeping.review(imported_id, by=by, now=timezone.now()):
        messages.success(request, "Looked at. What it refused stays refused.")
    return redirect("consent-imported")
