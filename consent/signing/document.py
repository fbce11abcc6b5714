"""A signed authorization as a PDF: the words that were shown, the signature, the checksum.

Typst sets it, from data that it never reads as markup, and tags it for screen readers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from uuid import UUID

from accounts.models import Organisation
from consent.models import Authorization, FormVersion
from consent.notices import keeping
from consent.signing import wording
from consent.signing.models import Signature
from consent.signing.signing import HEIGHT, WIDTH

TEMPLATE = Path(__file__).with_name("document.typ")

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "signature": "Signature",
        "drawn": "The signature as it was drawn",
        "name": "Signed by",
        "authority": "On behalf of the person, as",
        "signed_at": "Signed",
        "ends": "Holds until",
        "event": "Ends with",
        "withdrawn": "Withdrawn",
        "version": "Text",
        "notice": "Notice of Privacy Practices linked",
        "sha256": "SHA-256 of the text",
        "method": "How",
        "link": "by a personal link",
        "paper": "on paper; the scan is kept",
        "api": "by another system",
        "foot": "The checksum is over the UTF-8 bytes of the text above.",
    },
    "es": {
        "signature": "Firma",
        "drawn": "La firma tal como se dibujó",
        "name": "Firmado por",
        "authority": "En nombre de la persona, como",
        "signed_at": "Firmado el",
        "ends": "Válido hasta",
        "event": "Termina con",
        "withdrawn": "Retirado el",
        "version": "Texto",
        "notice": "Aviso de prácticas de privacidad enlazado",
        "sha256": "SHA-256 del texto",
        "method": "Cómo",
        "link": "con un enlace personal",
        "paper": "en papel; se guarda la copia escaneada",
        "api": "por otro sistema",
        "foot": "La suma de control es sobre los bytes UTF-8 del texto de arriba.",
    },
}


def pdf(signature: Signature) -> bytes:
    """Return the signed document as a PDF."""
    import typst  # a large library, for the few requests that need it

    authorization = signature.authorization
    version = authorization.form_version
    assert version is not None
    organisation = Organisation.objects.get(id=signature.organisation_id)
    document = wording.read(version.text, language=version.language)
    words = WORDS.get(version.language, WORDS["en"])
    data = {
        "title": document.title,
        "language": version.language.partition("-")[0],
        "organisation": organisation.name,
        "address": organisation.postal_address,
        "sections": [{"heading": one.heading, "text": one.text} for one in document.sections],
        "drawing": drawing(signature.evidence["strokes"]),
        "words": dict(words),
        "foot": words["foot"],
        "facts": _facts(authorization, signature, version, organisation, words),
    }
    made = typst.compile(TEMPLATE, format="pdf", sys_inputs={"data": json.dumps(data)})
    assert isinstance(made, bytes)
    return made


def _facts(
    authorization: Authorization,
    signature: Signature,
    version: FormVersion,
    organisation: Organisation,
    words: Mapping[str, str],
) -> list[tuple[str, str]]:
    evidence, zone = signature.evidence, organisation.zone
    moment = authorization.signed_at.astimezone(zone)
    facts = [
        (words["name"], evidence["name"]),
        (words["authority"], evidence["authority"] if evidence["representative"] else ""),
        (words["signed_at"], f"{moment:%Y-%m-%d %H:%M:%S} {zone.key}"),
        (words["method"], words[signature.method]),
        (words["ends"], authorization.expires_on.isoformat() if authorization.expires_on else ""),
        (words["event"], authorization.expires_event),
        (words["version"], f"{version.name}, {version.language}, {version.number}"),
        (words["sha256"], bytes(version.sha256).hex()),
        (words["notice"], _notice(evidence.get("notice", ""))),
    ]
    if authorization.revoked_at:
        ended = authorization.revoked_at.astimezone(zone)
        facts.append((words["withdrawn"], f"{ended:%Y-%m-%d %H:%M:%S} {zone.key}"))
    return [(label, value) for label, value in facts if value]


def _notice(notice_id: str) -> str:
    """Return which version of the notice was linked, and its checksum; empty where none was."""
    found = keeping.by_id(UUID(notice_id)) if notice_id else None
    if found is None:
        return ""
    text = found.text
    return f"{text.language}, {text.number}, {found.effective_on:%Y-%m-%d}, {text.checksum}"


def drawing(strokes: Sequence[Sequence[Sequence[int]]]) -> str:
    """Return a drawn signature as SVG, or an empty text where nothing was drawn."""
    lines = [" ".join(f"{int(x)},{int(y)}" for x, y in line) for line in strokes if line]
    if not lines:
        return ""
    drawn = "".join(
        f'<polyline points="{escape(points)}" fill="none" stroke="#14201f" stroke-width="3"'
        ' stroke-linecap="round" stroke-linejoin="round"/>'
        for points in lines
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">{drawn}</svg>'
