"""What staff write to a person: free words, sealed, through the gate and the outbox as any message.

The words of a letter are nobody's template, so no review has seen them: they go for care and for
the daily work only, never for marketing, and they are taken to say anything of the person, so that
the protection policy sends them as it sends clinical facts. The page around them is a version of
ours, made once for an organisation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from audit import actor, trail
from consent.choices import replies
from consent.ledger import ConsentInvalid
from contacts import persons
from contacts.canonical import has_control
from crypto.ids import uuid7
from messaging import attachments, markup, outbox, templates_compile
from messaging.answers import reading, sealing
from messaging.attachments import Given
from messaging.models import (
    Answer,
    Approval,
    Letter,
    Message,
    Template,
    TemplateVersion,
    VersionTranslation,
)
from messaging.outbox import Order
from messaging.words import LANGUAGES, mails, said

SOURCE: Final = UUID("018f0000-0000-7000-8000-00006c657474")
"""The `source` of every letter."""
SLUG: Final = "letter-from-staff"
FIELD: Final = "letter"
"""The merge field that holds the words; no contact has it."""
PURPOSES: Final = (
    "treatment",
    "care_coordination",
    "appointment",
    "payment",
    "operations",
)
LONGEST: Final = 10_000
_AUTHOR: Final = "attune"


class LetterRefused(ValueError):
    """A letter cannot be written; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Written:
    """The message that carries the letter, or why the gate let none go."""

    message_id: int
    refusal_code: str = ""


def write(
    answer: Answer,
    words: str,
    *,
    purpose: str,
    files: Sequence[Given] = (),
    meant: str = "",
    now: datetime,
) -> Written:
    """Answer a person; raises LetterRefused or attachments.FileRefused.

    `meant` is what the person's words mean for consent, where that still waits for a reader
    (`consent.models.Reply.Decision`). It is decided first, so that a no counts, and counts alone.
    The letter, its message and its files are written together or not at all; the answer is done
    with it. Where the gate refuses, the refused message stands in the outbox and no word is kept.
    """
    words = words.strip()
    if has_control(words):
        raise LetterRefused("Your answer holds control characters. Write those places anew.")
    if not words:
        raise LetterRefused("Write something.")
    if len(words) > LONGEST:
        raise LetterRefused(f"This is longer than {LONGEST:,} characters. Shorten it.")
    if purpose not in PURPOSES:
        raise LetterRefused("Choose what it is about.")
    attachments.check(files)
    if reading.may_be_a_no(answer):
        _decide(answer, meant, now=now)
    number = uuid7()
    with transaction.atomic():
        (made,) = outbox.enqueue([_order(answer, number, purpose, now=now)], now=now)
        if made.state == "refused":
            return Written(made.message_id, made.refusal_code)
        _keep(answer, number, made.message_id, words, now=now)
        if files:
            attachments.attach(made.message_id, files, now=now)
        reading.done(answer, now=now)
    return Written(made.message_id)


def _decide(answer: Answer, meant: str, *, now: datetime) -> None:
    assert answer.reply_id is not None
    try:
        replies.decide(answer.reply_id, meant, now=now)
    except ConsentInvalid:
        raise LetterRefused("Say whether the person asks us to stop.") from None


def _order(answer: Answer, number: UUID, purpose: str, *, now: datetime) -> Order:
    answered = Message.objects.get(pk=answer.message_id)
    return Order(
        contact_id=persons.standing_for([answer.contact_id])[answer.contact_id],
        template_version=version(now=now).id,
        purpose=purpose,
        source=SOURCE,
        step="letter",
        visit=0,
        occurrence=number.hex,
        due_at=now,
        path_classes=reading.NEEDED | set(answered.classes),
    )


def _keep(answer: Answer, number: UUID, message_id: int, words: str, *, now: datetime) -> None:
    letter = Letter(
        id=number,
        message_id=message_id,
        contact_id=Message.objects.get(pk=message_id).contact_id,
        answer=answer,
        words=b"",
        written_by=actor.current().id,
        written_at=now,
    )
    try:
        letter.words = sealing.sealed(letter, words)
    except sealing.Erased:
        raise LetterRefused("The person was erased: nothing can be sent to them.") from None
    letter.save(force_insert=True)
    trail.record(
        "message.letter_written",
        subject=f"message:{message_id}",
        detail={"answer": str(answer.id)},
    )


def words_of(message_ids: Iterable[int]) -> Mapping[int, str]:
    """Return the words by message, for those among these that carry a letter: two statements."""
    rows = list(Letter.objects.filter(message_id__in=list(message_ids)))
    opened = sealing.unsealed(rows)
    return {row.message_id: opened[row.id] for row in rows}


def answered_by(message: Message) -> Answer | None:
    """Return what of the person the message answers, where it is a letter."""
    row = Letter.objects.filter(message_id=message.pk).select_related("answer").first()
    return row.answer if row else None


def version(*, now: datetime) -> TemplateVersion:
    """Return the page around letters; the first call makes it."""
    found = TemplateVersion.objects.filter(template__slug=SLUG).order_by("-number").first()
    return found or _made(now=now)


@transaction.atomic
def _made(*, now: datetime) -> TemplateVersion:
    template, fresh = Template.objects.get_or_create(
        slug=SLUG,
        defaults={
            "id": uuid7(),
            "name": "Letter from staff",
            "purpose": "treatment",
            "created_at": now,
            "changed_at": now,
            "archived_at": now,  # nobody writes on it: it is no draft of anybody's
        },
    )
    if not fresh:
        return TemplateVersion.objects.get(template=template)
    parts = {language: _parts(language) for language in LANGUAGES}
    subject, html, plain = parts["en"]
    made = TemplateVersion.objects.create(
        template=template,
        number=1,
        purpose=template.purpose,
        subject=subject,
        mjml=_MJML,
        text=_TEXT,
        html=html,
        plain=plain,
        fields_read=[FIELD],
        data_classes=sorted(reading.NEEDED),
        opened=[],
        unsubscribes=False,
        sha256=templates_compile.fingerprint(
            {language: one[0] for language, one in parts.items()}, html=html, text=plain
        ),
        author_id=_AUTHOR,
        created_at=now,
    )
    VersionTranslation.objects.bulk_create(
        VersionTranslation(
            version=made,
            language=language,
            subject=subject,
            mjml=_MJML,
            text=_TEXT,
            html=html,
            plain=plain,
        )
        for language, (subject, html, plain) in parts.items()
        if language != made.language
    )
    Approval.objects.create(version=made, sha256=made.sha256, approver_id=_AUTHOR, approved_at=now)
    return made


def _parts(language: str) -> tuple[str, str, str]:
    words = said(mails.LETTER, language)
    source, tags = markup.marked(_MJML.format(language=language, **words))
    html = markup.restored(markup.to_html(source, tags), tags)
    return words["subject"], html, _TEXT.format(**words)


_MJML = """<mjml lang="{language}">
  <mj-head>
    <mj-preview>{preview}</mj-preview>
    <mj-attributes>
      <mj-all font-family="Helvetica, Arial, sans-serif" />
      <mj-text font-size="16px" line-height="1.5" color="#1f2937" />
    </mj-attributes>
  </mj-head>
  <mj-body background-color="#f3f4f6">
    <mj-section background-color="#ffffff" padding="24px"><mj-column>
      <mj-text font-size="14px" color="#4b5563">{{{{ organisation.name }}}}</mj-text>
      <mj-text font-size="22px" font-weight="bold">{title}</mj-text>
      <mj-text><div style="white-space: pre-wrap">{{{{ contact.letter }}}}</div></mj-text>
      <mj-text font-size="13px" color="#4b5563">{{{{ organisation.name }}}}<br />
        {{{{ organisation.postal_address }}}}</mj-text>
    </mj-column></mj-section>
  </mj-body>
</mjml>"""
_TEXT = """{{{{ organisation.name }}}}

{title}

{{{{ contact.letter }}}}

{{{{ organisation.name }}}}
{{{{ organisation.postal_address }}}}
"""
