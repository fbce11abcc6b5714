"""One authorization, proven: what was signed, what it said, who may use what until when, what was
sent under it, and when it ended; and the link by which a person is asked to sign."""

from __future__ import annotations

import base64
import hashlib
import io
from datetime import datetime, time
from typing import Any
from uuid import UUID

import segno
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.guard import requires, staff_of
from accounts.models import Organisation
from accounts.roles import Permission
from audit import trail
from consent import report
from consent.models import Authorization, FormVersion
from consent.signing import asking, document, signing, wording
from consent.signing.models import Defect, Form, Signature
from consent.signing.signing import LARGEST_SCAN, SignatureInvalid, Signer
from contacts import persons
from contacts.models import Contact
from messaging.models import Message

MOST_SHOWN = 200


class Paper(forms.Form):
    """A signature on paper, with its scan."""

    version = forms.ModelChoiceField(
        label="Text that was signed", queryset=FormVersion.objects.none(), empty_label="Choose"
    )
    name = forms.CharField(label="Name as signed", max_length=200)
    authority = forms.CharField(
        label="Signed for the person, as",
        max_length=200,
        required=False,
        help_text="Only for a representative: parent, guardian, health care proxy ...",
    )
    signed_on = forms.DateField(
        label="Date of the signature", widget=forms.DateInput(attrs={"type": "date"})
    )
    scan = forms.FileField(label="Scan", help_text="PDF, PNG or JPEG, at most 10 MB.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["version"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = FormVersion.objects.filter(elements__isnull=False).order_by(
            "name", "-number", "language"
        )


@requires(Permission.CONSENT_RECORD)
@require_POST
def ask(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Make a link to sign, and show it once: to copy, or to scan from this screen."""
    now = timezone.now()
    contact = get_object_or_404(Contact, public_id=public_id, erased_at=None)
    form = get_object_or_404(Form, id=_id(request.POST.get("form", "")))
    try:
        asked, token = asking.ask(contact.id, form, now=now)
    except asking.NotPublished:
        messages.error(request, "This form is not published: publish it first.")
        return redirect("consent-person", public_id)
    address = settings.ATTUNE_PUBLIC_ORIGIN.rstrip("/") + reverse("sign", args=[token])
    context = {
        "contact": contact,
        "form": form,
        "asked": asked,
        "address": address,
        "qr": _qr(address),
    }
    return render(request, "consent/asked.html", context)


def _qr(address: str) -> str:
    drawn = io.BytesIO()
    segno.make_qr(address, error="m").save(drawn, kind="svg", border=2, xmldecl=False)
    return "data:image/svg+xml;base64," + base64.b64encode(drawn.getvalue()).decode()


@requires(Permission.CONSENT_RECORD)
@require_POST
def paper(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Record a signed paper with its scan."""
    contact = get_object_or_404(Contact, public_id=public_id, erased_at=None)
    form, now = Paper(request.POST, request.FILES), timezone.now()
    if form.is_valid():
        try:
            made = signing.take_paper(
                contact.id, now=now, **_taken(form, staff_of(request).organisation)
            )
        except (SignatureInvalid, ValueError) as invalid:
            form.add_error(_field_of(invalid), str(invalid))
        else:
            messages.success(request, "The signed paper is on record and counts from now on.")
            return redirect("authorization", public_id, made.id)
    return render(request, "consent/paper.html", {"contact": contact, "form": form}, status=422)


def _field_of(invalid: Exception) -> str | None:
    field = getattr(invalid, "field", "")
    return field if field in Paper.base_fields else None


def _taken(form: Paper, organisation: Organisation) -> dict[str, Any]:
    given = form.cleaned_data
    authority = given["authority"].strip()
    return {
        "version": given["version"],
        "signer": Signer(name=given["name"], representative=bool(authority), authority=authority),
        "scan": given["scan"].read(LARGEST_SCAN + 1),
        "signed_at": datetime.combine(given["signed_on"], time(), tzinfo=organisation.zone),
    }


@requires(Permission.CONSENT_VIEW)
@require_safe
def authorization(request: HttpRequest, public_id: UUID, authorization_id: UUID) -> HttpResponse:
    """The proof of one authorization, on one page that prints."""
    contact, found = _found(public_id, authorization_id)
    signature = Signature.objects.filter(authorization=found).first()
    version = found.form_version
    trail.record(
        "consent.viewed", subject=f"contact:{contact.id}", detail={"concerns": str(found.id)}
    )
    sent = Message.objects.filter(
        contact_id__in=persons.ids_of([contact.id])[contact.id],
        permit__authorization=str(found.id),
        state=Message.State.SENT,
    )
    user = staff_of(request)
    within = "identity" in user.data_classes
    context = {
        "contact": contact,
        "found": found,
        "state": _state(found),
        "version": version,
        "document": wording.read(version.text, language=version.language) if version else None,
        "intact": version is None or _intact(version),
        "signature": signature,
        "evidence": signature.evidence if signature and within else None,
        "drawing": _drawn(signature) if within else "",
        "copies": found.copies.order_by("given_at"),
        "defects": found.defects.order_by("found_at"),
        "defect_kinds": Defect.Kind.choices,
        "sent": sent.select_related("version__template").order_by("id")[:MOST_SHOWN],
        "sent_in_all": sent.count(),
        "may_record": user.may(Permission.CONSENT_RECORD),
        "may_name": within and "clinical" in user.data_classes,
        "as_of": timezone.now(),
    }
    return render(request, "consent/authorization.html", context)


def _state(found: Authorization) -> str:
    now = timezone.now()
    if found.defects.exists():
        return "defective"
    return report.signed([found], now=now)[0].state


def _intact(version: FormVersion) -> bool:
    """Work the checksum out again, over the bytes that are kept."""
    return hashlib.sha256(version.text.encode()).digest() == bytes(version.sha256)


def _drawn(signature: Signature | None) -> str:
    svg = document.drawing(signature.evidence["strokes"]) if signature else ""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode() if svg else ""


@requires(Permission.CONSENT_VIEW)
@require_safe
def pdf(request: HttpRequest, public_id: UUID, authorization_id: UUID) -> HttpResponse:
    """The signed document for the file."""
    contact, found = _found(public_id, authorization_id)
    signature = _signature(request, found)
    trail.record(
        "consent.exported", subject=f"contact:{contact.id}", detail={"concerns": str(found.id)}
    )
    return _file(document.pdf(signature), "application/pdf", "authorization.pdf")


@requires(Permission.CONSENT_VIEW)
@require_safe
def scan(request: HttpRequest, public_id: UUID, authorization_id: UUID) -> HttpResponse:
    """The paper as it was scanned."""
    contact, found = _found(public_id, authorization_id)
    paper = _signature(request, found).evidence.get("paper")
    if paper is None:
        raise Http404
    trail.record(
        "consent.exported", subject=f"contact:{contact.id}", detail={"concerns": str(found.id)}
    )
    ending = {"application/pdf": "pdf", "image/png": "png"}.get(paper["type"], "jpg")
    return _file(base64.b64decode(paper["content"]), paper["type"], f"signed-paper.{ending}")


def _signature(request: HttpRequest, found: Authorization) -> Signature:
    if "identity" not in staff_of(request).data_classes:
        raise Http404
    return get_object_or_404(
        Signature.objects.select_related("authorization__form_version"), authorization=found
    )


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@requires(Permission.CONSENT_RECORD)
@require_POST
def copied(request: HttpRequest, public_id: UUID, authorization_id: UUID) -> HttpResponse:
    """Record that the signer was handed a copy."""
    _, found = _found(public_id, authorization_id)
    version = found.form_version
    if version is None:
        raise Http404
    signing.give_copy(found, how="handed", sha256=bytes(version.sha256), now=timezone.now())
    messages.success(request, "On record: the signer has a copy.")
    return redirect("authorization", public_id, authorization_id)


@requires(Permission.CONSENT_RECORD)
@require_POST
def defective(request: HttpRequest, public_id: UUID, authorization_id: UUID) -> HttpResponse:
    """Record why it never was valid; it ends at once."""
    _, found = _found(public_id, authorization_id)
    kind = request.POST.get("kind", "")
    if kind not in Defect.Kind.values:
        messages.error(request, "Choose what is wrong with it.")
        return redirect("authorization", public_id, authorization_id)
    signing.find_defective(
        found, Defect.Kind(kind), found_by=str(staff_of(request).pk), now=timezone.now()
    )
    messages.success(request, "It counts no more. What was sent under it is listed here.")
    return redirect("authorization", public_id, authorization_id)


def _found(public_id: UUID, authorization_id: UUID) -> tuple[Contact, Authorization]:
    contact = get_object_or_404(Contact, public_id=public_id)
    found = get_object_or_404(
        Authorization.objects.select_related("form_version"),
        id=authorization_id,
        contact_id__in=persons.ids_of([contact.id])[contact.id],
    )
    return contact, found


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def askable() -> list[Form]:
    """Return the forms that a person can be asked to sign."""
    return list(Form.objects.filter(archived_at=None, number__gt=0).order_by("name"))
