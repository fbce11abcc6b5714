"""The sample clinic's authorization form, published in two languages, with a link still open."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from consent.signing import asking, designing
from consent.signing.models import Form
from consent.signing.wording import STANDARD, Elements, Expiry

NAME = "Health news and classes"


def ensure(contact_id: int, *, clinic: str, now: datetime) -> None:
    """Write and publish the form and ask this person to sign it; what is there already stays."""
    if Form.objects.filter(name=NAME).exists():
        return
    form = designing.create(NAME, now=now)
    designing.save(form.id, _elements(clinic), now=now)
    designing.publish(form.id, now=now)
    form.refresh_from_db()
    asking.ask(contact_id, form, now=now)


def _elements(clinic: str) -> Elements:
    english = replace(
        STANDARD["en"],
        title=NAME,
        information="Your name, your e-mail address and the conditions in your health record.",
        disclosers=f"{clinic}.",
        recipients=f"Nobody outside {clinic}.",
        purpose="To send you news about health and invitations to classes.",
        expiry="Two years after you sign.",
    )
    spanish = replace(
        STANDARD["es"],
        title="Noticias de salud y clases",
        information="Su nombre, su correo electrónico y los diagnósticos de su expediente.",
        disclosers=f"{clinic}.",
        recipients=f"Nadie fuera de {clinic}.",
        purpose="Para enviarle noticias de salud e invitaciones a clases.",
        expiry="Dos años después de su firma.",
    )
    return Elements(
        purposes=frozenset({"marketing"}),
        covers=frozenset({"identity", "clinical"}),
        expiry=Expiry("years", years=2),
        words={"en": english, "es": spanish},
        channels=frozenset({"email"}),
    )
