"""The mails of the sample: a diabetes education series in plain words, and a newsletter.

`diabetes-education` opens the series, `diabetes-class-invitation` goes to who clicked in it,
`diabetes-reminder` to who did not. No subject names a condition: the words do, inside the mail.
`harbor-walks` is a newsletter that says nothing clinical; the sample campaign sends it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from audit.actor import Actor, acting_as, current
from messaging import versions
from messaging.models import Template, TemplateVersion

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Sample:
    slug: str
    name: str
    subject: str
    declared: tuple[str, ...] = ("given_name",)
    words: str = ""
    """The file of its words, where two mails share them under different subjects."""

    def part(self, ending: str) -> str:
        return (FOLDER / f"{self.words or self.slug}.{ending}").read_text(encoding="utf-8")


SAMPLES = (
    Sample(
        "diabetes-education",
        "Diabetes education: small steps",
        "Small steps that help, from {{ organisation.name }}",
    ),
    Sample(
        "diabetes-class-invitation",
        "Diabetes education: class invitation",
        "An invitation from {{ organisation.name }}",
    ),
    Sample(
        "diabetes-reminder",
        "Diabetes education: reminder in plain words",
        "The short version, from {{ organisation.name }}",
    ),
)

NEWS = (
    Sample("harbor-walks", "Harbor walks", "Walk with us on Saturday, {{ organisation.name }}"),
    Sample(
        "harbor-walks-question",
        "Harbor walks, asked",
        "Shall we take a walk? {{ organisation.name }}",
        words="harbor-walks",
    ),
)
"""The sample campaign tries these two subjects against each other."""


def ensure_sample_templates(
    which: Sequence[Sample] = SAMPLES,
    *,
    now: datetime,
    purpose: str = "marketing",
    approver: Actor | None = None,
) -> Mapping[str, TemplateVersion]:
    """Write the samples where they are missing; return each one's approved version by slug.

    The acting actor is the author; `approver` must be another one.
    """
    second = approver or Actor("system", "sample-approver")
    return {one.slug: _ensure(one, purpose, second, now=now) for one in which}


def _ensure(one: Sample, purpose: str, approver: Actor, *, now: datetime) -> TemplateVersion:
    template, _ = Template.objects.get_or_create(
        slug=one.slug,
        defaults={
            "name": one.name,
            "purpose": purpose,
            "subject": one.subject,
            "mjml": one.part("mjml"),
            "text": one.part("txt"),
            "declared": list(one.declared),
            "created_at": now,
            "changed_at": now,
        },
    )
    approved = versions.latest_approved(template.id)
    if approved is not None:
        return approved
    version = versions.save(template, now=now)
    if current().id == approver.id:
        raise ValueError("the approver of the samples must be somebody else than their author")
    with acting_as(approver):
        versions.approve(version, now=now)
    return version
