"""Forms that people complete: which there are, and the event that says so."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from consent.models import SignUpForm
from consent.signing.models import Form
from contacts import events

COMPLETED = "form.completed"


def there() -> dict[UUID, str]:
    """Return the forms in use by name: those of sign-ups, and those that people sign."""
    sign_ups = SignUpForm.objects.filter(archived_at=None).values_list("id", "name")
    signed = Form.objects.filter(archived_at=None).values_list("id", "name")
    return {**dict(sign_ups), **dict(signed)}


def tell(contact_id: int, form_id: UUID, *, now: datetime) -> None:
    """Write that a person has completed a form, in the transaction that takes it in."""
    events.write_own(
        [
            events.NewEvent(
                contact_id=contact_id,
                kind=COMPLETED,
                occurred_at=now,
                source="consent",
                campaign=form_id,
            )
        ],
        now=now,
    )


def of_name(name: str) -> UUID | None:
    """Return the form that people sign by the name that its versions carry."""
    return Form.objects.filter(name=name).values_list("id", flat=True).first()
