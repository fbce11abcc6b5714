"""Signing up from a web site, in two steps: the form asks, a press in the mail's page confirms.

Asking stores a lead (regime `consumer`) and counts for nothing. Confirming records what was agreed
to: the wording's version, the time, the address and the method. It ends when the lead becomes a
patient, because a patient's data need an authorization of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction

from audit import actions, trail
from consent import addresses, completed, forms, ledger
from consent.addresses import FIELD_OF_CHANNEL
from consent.choices import preferences, regimes
from consent.ledger import ConsentInvalid
from consent.models import FormVersion, Regime, SignUp, SignUpForm
from contacts import persons, records
from contacts.canonical import email_form

SOURCE = "sign-up"
LASTS = timedelta(days=7)
"""How long the mail's page confirms."""
COVERS = frozenset({"identity", "contact_point", "engagement"})

actions.register("signup.form_made", ("languages", "sites"))
actions.register("signup.form_archived", ())
actions.register("signup.asked", ("form",))
actions.register("signup.confirmed", ("form",))


@dataclass(frozen=True, slots=True)
class Visit:
    """Who asked or confirmed, as the proof keeps it."""

    address: str = field(repr=False)
    program: str = field(repr=False)
    no_sale: bool = False
    """The browser sent Sec-GPC: 1."""

    def stored(self) -> dict[str, str]:
        return {"address": self.address, "program": self.program[:300]}


@transaction.atomic
def make(
    name: str,
    wordings: Mapping[str, str],
    *,
    confirmation: UUID,
    topics: Collection[str] = (),
    channels: Collection[str] = ("email",),
    sites: Collection[str] = (),
    now: datetime,
) -> SignUpForm:
    """Make a form; what people agree to in each language becomes a version that never changes."""
    if not wordings.get("en", "").strip():
        raise ConsentInvalid("wording: say in English what people agree to")
    if set(channels) - set(FIELD_OF_CHANNEL) or not channels:
        raise ConsentInvalid("channels: use email, sms")
    if SignUpForm.objects.filter(name=name).exists():
        raise ConsentInvalid("name: there is a form of this name")
    form = SignUpForm.objects.create(
        name=name,
        topics=sorted(topics),
        channels=sorted(channels),
        sites=sorted({origin(one) for one in sites}),
        confirmation=confirmation,
        made_at=now,
    )
    said = {language: text for language, text in wordings.items() if text.strip()}
    for language, text in said.items():
        forms.add_version(_title(form), language=language, text=text.strip(), now=now)
    trail.record(
        "signup.form_made",
        subject=f"signup:{form.id}",
        detail={"languages": sorted(said), "sites": len(form.sites)},
    )
    return form


def origin(site: str) -> str:
    """Return scheme and host; a frame's ancestor may be nothing else, and no pattern."""
    parts = urlsplit(site.strip())
    host = parts.netloc
    if parts.scheme != "https" or not host or set(host) & set("*;,' \"@"):
        raise ConsentInvalid("sites: write each as https://www.clinic.example")
    return f"https://{host.lower()}"


def archive(form: SignUpForm, *, now: datetime) -> None:
    with transaction.atomic():
        if SignUpForm.objects.filter(id=form.id, archived_at=None).update(archived_at=now):
            trail.record("signup.form_archived", subject=f"signup:{form.id}")


def wording(form: SignUpForm, language: str) -> FormVersion:
    """Return what people agree to, in this language or in English."""
    versions = FormVersion.objects.filter(name=_title(form)).order_by("-number")
    found = versions.filter(language=language).first() or versions.filter(language="en").first()
    assert found is not None  # every form is made with English words
    return found


@transaction.atomic
def ask(
    form: SignUpForm, version: FormVersion, email: str, *, visit: Visit, now: datetime
) -> SignUp:
    """Keep that somebody asked; nothing counts yet, and nobody who is known is touched."""
    number = addresses.hash_of(email_form(email), channel=addresses.EMAIL).hex()
    change = records.Change(
        source=SOURCE,
        record_number=number,
        values={"email": email, "language": version.language},
    )
    (contact_id,) = records.upsert([change], now=now).contact_ids
    if not Regime.objects.filter(contact_id=contact_id).exists():
        regimes.begin(contact_id, Regime.Kind.CONSUMER, reason=SOURCE, now=now)
    if visit.no_sale:
        preferences.refuse_sale(contact_id, received_by="gpc", now=now)
    row = SignUp.objects.create(
        form=form,
        form_version=version,
        contact_id=contact_id,
        topics=form.topics,
        channels=form.channels,
        evidence=visit.stored(),
        asked_at=now,
    )
    trail.record("signup.asked", subject=f"contact:{contact_id}", detail={"form": str(form.id)})
    return row


def pending(contact_id: int, *, now: datetime) -> SignUp | None:
    """Return the latest sign-up of this person that can still be confirmed."""
    family = persons.ids_of([contact_id])[contact_id]
    rows = SignUp.objects.filter(contact_id__in=family, confirmed_at=None, asked_at__gt=now - LASTS)
    return rows.select_related("form", "form_version").order_by("asked_at").last()


@transaction.atomic
def confirm(row: SignUp, *, visit: Visit, now: datetime) -> bool:
    """Record the yes with its proof; say whether it was still to be said."""
    row = SignUp.objects.select_for_update().get(id=row.id)
    if row.confirmed_at is not None:
        return False
    signing = ledger.Signing(
        contact_id=row.contact_id,
        purposes=frozenset({"marketing"}),
        classes=COVERS,
        signed_at=now,
        expires_event=regimes.BECAME_PATIENT,
        form_version=row.form_version_id,
        channels=frozenset(row.channels),
    )
    row.authorization_id = ledger.record_authorization(signing, received_by="web_form", now=now)
    row.confirmed_at, row.confirmation = now, visit.stored()
    row.save(update_fields=["authorization_id", "confirmed_at", "confirmation"])
    for topic in row.topics:
        ledger.opt_in(row.contact_id, topic=topic, received_by="web_form", now=now)
    completed.tell(row.contact_id, row.form_id, now=now)
    trail.record(
        "signup.confirmed",
        subject=f"contact:{row.contact_id}",
        detail={"form": str(row.form_id)},
    )
    return True


def _title(form: SignUpForm) -> str:
    return f"Sign-up {form.id}"
