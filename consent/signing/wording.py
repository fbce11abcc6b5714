"""What an authorization says: its elements, the document made of them, and what is missing. Pure.

The six core elements and the three statements of 45 CFR 164.508(c) are named here once; a form that
lacks one cannot be published, and the fault says which. The document is plain text: its UTF-8 bytes
are what a signature is bound to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from consent.policy import NEEDS_AUTHORIZATION, Purpose
from contacts.fields import DataClass, Sensitivity

PSYCHOTHERAPY = "psychotherapy"
COVERED = frozenset(
    [*(one.value for one in DataClass), *(one.name.lower() for one in Sensitivity if one.name)]
)
"""What a form may name as covered: data classes and sensitivity labels."""
LONGEST = 40_000
MOST_YEARS = 10

Ends = Literal["years", "date", "event", "never"]


@dataclass(frozen=True, slots=True)
class Expiry:
    """When an authorization ends: so many years after the signature, on a day, or by an event.

    `never` is for research alone (164.508(c)(1)(v)).
    """

    kind: Ends
    years: int = 0
    day: date | None = None
    event: str = ""

    def last_day(self, signed_on: date) -> date | None:
        """Return the last day that an authorization signed on this day holds."""
        if self.kind == "date":
            return self.day
        if self.kind != "years":
            return None
        try:
            return signed_on.replace(year=signed_on.year + self.years)
        except ValueError:  # 29 February
            return signed_on.replace(year=signed_on.year + self.years, day=28)


@dataclass(frozen=True, slots=True)
class Words:
    """The elements as people of one language read them."""

    title: str = ""
    information: str = ""
    """(c)(1)(i): what information, specifically and meaningfully."""
    disclosers: str = ""
    """(c)(1)(ii): who may use or disclose it."""
    recipients: str = ""
    """(c)(1)(iii): to whom."""
    purpose: str = ""
    """(c)(1)(iv): each purpose."""
    expiry: str = ""
    """(c)(1)(v): the date or the event, in words."""
    revocation: str = ""
    """(c)(2)(i): the right to revoke, its exceptions, and how."""
    conditioning: str = ""
    """(c)(2)(ii): whether anything depends on the signature."""
    redisclosure: str = ""
    """(c)(2)(iii): that the information may be disclosed again."""
    remuneration: str = ""
    """164.508(a)(3)(ii): that somebody pays, where somebody does."""


@dataclass(frozen=True, slots=True)
class Elements:
    """One form: what is decided by codes, and the words of each language."""

    purposes: frozenset[str]
    covers: frozenset[str]
    expiry: Expiry
    words: Mapping[str, Words]
    channels: frozenset[str] = frozenset()
    conditioned: bool = False
    """Care, payment, enrolment or benefits depend on the signature."""
    preticked: bool = False

    @property
    def remunerated(self) -> bool:
        return Purpose.REMUNERATED_MARKETING in self.purposes


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """What keeps a form from being published: the element, a stable code, a sentence."""

    element: str
    code: str
    sentence: str
    language: str = ""


ELEMENTS: Mapping[str, str] = {
    "information": "what information is used: describe it so that a person can tell what is meant",
    "disclosers": "who may use or disclose the information",
    "recipients": "to whom it may be disclosed",
    "purpose": "what it is used for",
    "expiry": "when the authorization ends",
    "revocation": "that it can be revoked, how, and when that has no effect any more",
    "conditioning": "whether treatment, payment, enrolment or benefits depend on it",
    "redisclosure": "that the information may be disclosed again and is then not protected",
}
"""The elements that stand in words, each with what it must say; the signature is the sixth."""


def faults(elements: Elements) -> list[Fault]:
    """Return everything that keeps the form from being published, each element named."""
    return sorted({*_codes(elements), *_ends(elements), *_wordings(elements)})


def _codes(elements: Elements) -> Iterator[Fault]:
    if not elements.purposes:
        yield Fault("purpose", "incomplete", "Choose at least one purpose.")
    for unknown in sorted(elements.purposes - set(Purpose)):
        yield Fault("purpose", "unknown", f"{unknown} is not a purpose.")
    exempt = sorted(elements.purposes - NEEDS_AUTHORIZATION)
    if exempt and elements.purposes & NEEDS_AUTHORIZATION:
        sentence = (
            f"One signature cannot cover {', '.join(exempt)} together with what needs an"
            " authorization (164.508(b)(3)): make two forms, with two signatures."
        )
        yield Fault("purpose", "compound", sentence)
    if not elements.covers:
        yield Fault("information", "incomplete", "Choose which information it covers.")
    for unknown in sorted(elements.covers - COVERED):
        yield Fault("information", "unknown", f"{unknown} is not a class of information.")
    if PSYCHOTHERAPY in elements.covers and len(elements.covers) > 1:
        sentence = "Psychotherapy notes need an authorization of their own (164.508(b)(3)(ii))."
        yield Fault("information", "compound", sentence)
    if elements.conditioned or elements.preticked:
        sentence = (
            "Care, payment, enrolment or benefits may not depend on this signature, and no box of"
            " it may be ticked beforehand (164.508(b)(4))."
        )
        yield Fault("conditioning", "conditioning", sentence)


def _ends(elements: Elements) -> Iterator[Fault]:
    expiry = elements.expiry
    if expiry.kind == "never" and elements.purposes != {Purpose.RESEARCH}:
        yield Fault("expiry", "no_expiry", "Only research may go without an end: give one.")
    if expiry.kind == "years" and not 0 < expiry.years <= MOST_YEARS:
        yield Fault("expiry", "incomplete", f"Give 1 to {MOST_YEARS} years.")
    if expiry.kind == "date" and expiry.day is None:
        yield Fault("expiry", "incomplete", "Give the last day.")
    if expiry.kind == "event" and not expiry.event:
        yield Fault("expiry", "incomplete", "Name the event that ends it.")


def _wordings(elements: Elements) -> Iterator[Fault]:
    if not elements.words:
        yield Fault("title", "incomplete", "Write the form in at least one language.")
    for language, words in elements.words.items():
        for element, must in {"title": "what the form is called", **ELEMENTS}.items():
            if not getattr(words, element).strip():
                yield Fault(element, "incomplete", f"The form must say {must}.", language)
        if elements.remunerated and not words.remuneration.strip():
            sentence = "Somebody pays for these messages: the form must say so (164.508(a)(3)(ii))."
            yield Fault("remuneration", "remuneration_not_stated", sentence, language)
        if sum(len(getattr(words, one)) for one in ("title", *ELEMENTS, "remuneration")) > LONGEST:
            yield Fault("title", "too_long", f"At most {LONGEST} characters.", language)


@dataclass(frozen=True, slots=True)
class Section:
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """The whole text of one language, in the order in which it is read."""

    title: str
    language: str
    sections: tuple[Section, ...] = field(default=())

    @property
    def text(self) -> str:
        """What is kept and signed; its UTF-8 bytes are what the checksum is over."""
        parts = [self.title, *(f"{one.heading}\n{one.text}" for one in self.sections)]
        return "\n\n".join(parts) + "\n"


def compose(elements: Elements, language: str) -> Document:
    """Return the document of one language."""
    words, heads = elements.words[language], HEADINGS.get(language, HEADINGS["en"])
    keys = [*ELEMENTS, *(["remuneration"] if words.remuneration.strip() else [])]
    sections = tuple(Section(heads[key], _tidy(getattr(words, key))) for key in keys)
    return Document(_tidy(words.title), language, sections)


def read(text: str, *, language: str) -> Document:
    """Return a document as it was composed, from its kept text."""
    title, *rest = text.rstrip("\n").split("\n\n")
    heads = {*HEADINGS["en"].values(), *HEADINGS.get(language, {}).values()}
    sections: list[Section] = []
    for part in rest:
        heading, _, body = part.partition("\n")
        if heading in heads:
            sections.append(Section(heading, body))
        elif sections:
            last = sections[-1]
            sections[-1] = Section(last.heading, f"{last.text}\n\n{part}")
        else:
            sections.append(Section("", part))
    return Document(title, language, tuple(sections))


def _tidy(text: str) -> str:
    lines = (line.rstrip() for line in text.strip().splitlines())
    return "\n".join(lines)


HEADINGS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "information": "What information",
        "disclosers": "Who may use or disclose it",
        "recipients": "Who may receive it",
        "purpose": "What for",
        "expiry": "When this ends",
        "revocation": "You can withdraw this",
        "conditioning": "Your care does not depend on this",
        "redisclosure": "Once disclosed",
        "remuneration": "Somebody pays for these messages",
    },
    "es": {
        "information": "Qué información",
        "disclosers": "Quién puede usarla o divulgarla",
        "recipients": "Quién puede recibirla",
        "purpose": "Para qué",
        "expiry": "Cuándo termina",
        "revocation": "Puede retirar esta autorización",
        "conditioning": "Su atención no depende de esto",
        "redisclosure": "Una vez divulgada",
        "remuneration": "Alguien paga por estos mensajes",
    },
}

STANDARD: Mapping[str, Words] = {
    "en": Words(
        title="Authorization to use health information",
        revocation=(
            "You may withdraw this authorization at any time: by the link in every message, by"
            " telephone, or in writing to our privacy officer at the address below. It ends as soon"
            " as we receive it. It does not undo what was done before."
        ),
        conditioning=(
            "Your treatment, payment, enrolment and eligibility for benefits do not depend on"
            " whether you sign."
        ),
        redisclosure=(
            "Information disclosed under this authorization may be disclosed again by who receives"
            " it, and is then no longer protected by federal privacy rules."
        ),
    ),
    "es": Words(
        title="Autorización para usar información de salud",
        revocation=(
            "Puede retirar esta autorización en cualquier momento: con el enlace de cada mensaje,"
            " por teléfono o por escrito a nuestro responsable de privacidad en la dirección de"
            " abajo. Termina en cuanto la recibimos. No deshace lo que ya se hizo."
        ),
        conditioning=(
            "Su tratamiento, el pago, la inscripción y su derecho a prestaciones no dependen de que"
            " firme."
        ),
        redisclosure=(
            "La información divulgada con esta autorización puede ser divulgada de nuevo por quien"
            " la recibe, y entonces ya no está protegida por las normas federales de privacidad."
        ),
    ),
}
"""Words to begin with; staff may change them."""

SOON = timedelta(days=30)


def languages(elements: Elements) -> Sequence[str]:
    return sorted(elements.words)
