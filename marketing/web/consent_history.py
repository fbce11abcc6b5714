"""A person's whole consent on one page that prints, and as a PDF."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models.fields.json import KT
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import guard
from accounts.roles import Permission
from audit import trail
from consent.desk import history
from contacts.models import Contact
from marketing.web.consent import PURPOSE_NAMES
from messaging.models import Message

MOST_SENT = 500


@guard.requires(Permission.CONSENT_VIEW)
@require_safe
def whole(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What was signed, what the text said, who may use what for what, what was sent, the end."""
    contact = get_object_or_404(Contact, public_id=public_id)
    now, user = timezone.now(), guard.staff_of(request)
    found = history.of_person(contact.id, now=now)
    sent = sent_under(found.ids)
    within = "identity" in user.data_classes
    trail.record(
        "consent.viewed", subject=f"contact:{contact.id}", detail={"count": len(found.acts)}
    )
    context: dict[str, Any] = {
        "contact": contact,
        "found": found,
        "agreements": [
            {
                "one": one,
                "evidence": one.signature.evidence if one.signature and within else None,
                "sent": sent.get(str(one.authorization.id), []),
            }
            for one in found.agreements
        ],
        "other_records": len(found.ids) - 1,
        "may_name": within and "clinical" in user.data_classes,
        "may_export": user.may(Permission.CONSENT_EXPORT),
        "names": PURPOSE_NAMES,
        "as_of": now,
    }
    return render(request, "consent/history.html", context)


def sent_under(ids: Sequence[int]) -> Mapping[str, list[Message]]:
    """Return what went out under each authorization of a person, the first first."""
    rows = (
        Message.objects.filter(contact_id__in=ids, state=Message.State.SENT)
        .annotate(under=KT("permit__authorization"))
        .exclude(under=None)
        .select_related("version__template")
        .order_by("id")
    )
    found: dict[str, list[Message]] = defaultdict(list)
    for row in rows[:MOST_SENT]:
        found[row.under].append(row)
    return found
