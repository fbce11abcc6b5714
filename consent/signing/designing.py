"""Forms: drafted, checked, published as versions that never change (PR-05, PR-06, PR-15)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from audit import actions, trail
from consent import forms
from consent.models import FormVersion
from consent.signing import stored, wording
from consent.signing.models import Form
from consent.signing.wording import Elements, Fault

for _action in ("form.created", "form.changed", "form.published", "form.archived"):
    actions.register(_action, ("version", "languages", "elements"))


class FormInvalid(ValueError):
    """The form cannot be published; `faults` names every element that keeps it from that."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{one.element}: {one.sentence}" for one in faults))


class NameTaken(ValueError):
    """Another form of the organisation has this name."""


def create(name: str, *, now: datetime) -> Form:
    """Begin a form with the standard statements."""
    try:
        with transaction.atomic():
            form = Form.objects.create(name=name, draft=stored.dump(stored.empty()), changed_at=now)
            trail.record("form.created", subject=f"form:{form.id}")
    except IntegrityError:
        raise NameTaken(name) from None
    return form


def save(form_id: UUID, elements: Elements, *, now: datetime) -> list[Fault]:
    """Keep the draft, whole or not, and return what keeps it from being published."""
    with transaction.atomic():
        form = Form.objects.select_for_update().get(id=form_id)
        form.draft, form.changed_at = stored.dump(elements), now
        form.save(update_fields=["draft", "changed_at"])
        trail.record("form.changed", subject=f"form:{form_id}")
    return wording.faults(elements)


def publish(form_id: UUID, *, now: datetime) -> list[FormVersion]:
    """Publish the draft in each of its languages, or raise FormInvalid.

    A draft that says what is published already publishes nothing new.
    """
    with transaction.atomic():
        form = Form.objects.select_for_update().get(id=form_id)
        elements = stored.load(form.draft)
        if found := wording.faults(elements):
            raise FormInvalid(found)
        known = published(form)
        if known and known[0].elements == form.draft:
            return known
        form.number = _next_number(form)
        form.save(update_fields=["number"])
        versions = [
            forms.add_composed(
                form.name,
                language=language,
                number=form.number,
                text=wording.compose(elements, language).text,
                elements=form.draft,
                states_remuneration=elements.remunerated,
                now=now,
            )
            for language in sorted(elements.words)
        ]
        trail.record(
            "form.published",
            subject=f"form:{form_id}",
            detail={"version": form.number, "languages": sorted(elements.words)},
        )
    return versions


def _next_number(form: Form) -> int:
    """Texts may have been added under this name before it was drawn here."""
    taken = FormVersion.objects.filter(name=form.name).order_by("-number").first()
    return max(form.number, taken.number if taken else 0) + 1


def published(form: Form) -> list[FormVersion]:
    """Return the newest version, a row for each language."""
    if not form.number:
        return []
    rows = FormVersion.objects.filter(name=form.name, number=form.number)
    return list(rows.order_by("language"))


def in_language(form: Form, language: str) -> FormVersion:
    """Return the newest version in this language, else in English, else in its first (AC-02)."""
    rows = {row.language: row for row in published(form)}
    wanted = (language, language.partition("-")[0], "en")
    return next((rows[one] for one in wanted if one in rows), next(iter(rows.values())))


def archive(form_id: UUID, *, now: datetime) -> None:
    """Offer the form to nobody any more; what was signed stands."""
    with transaction.atomic():
        Form.objects.filter(id=form_id, archived_at=None).update(archived_at=now)
        trail.record("form.archived", subject=f"form:{form_id}")
