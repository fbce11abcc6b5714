"""Save, approve and load template versions. A version never changes; saving makes the next one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts import tenancy
from audit import trail
from audit.actor import current
from consent.ledger import LABELS
from consent.purposes import Remuneration
from contacts import registry
from contacts.fields import CUSTOM, Field
from contacts.segments.references import label_names
from messaging.filters import Locale
from messaging.making import drafts, reviews
from messaging.making.models import Step
from messaging.making.reviews import ApprovalRefused
from messaging.models import Approval, Link, Template, TemplateVersion, VersionTranslation
from messaging.render import Parts
from messaging.templates_compile import Compiled

__all__ = ["ApprovalRefused", "Loaded", "approve", "latest_approved", "load", "parts_of", "save"]
KEPT = 128


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the sending path needs of a version, loaded once for each process."""

    id: UUID
    template_id: UUID
    number: int
    channel: str
    purpose: str
    topic: str
    fields_read: frozenset[str]
    data_classes: frozenset[str]
    unsubscribes: bool
    approved: bool
    parts: Parts
    remuneration: Remuneration | None = None
    new_formulation: bool = False
    drug: UUID | None = None
    opened: frozenset[str] = frozenset()
    """The classes of what is printed: these alone are decrypted."""
    says: frozenset[str] = frozenset()
    """What the gate is told that the message says, wherever it is sent from (`said_by`); `load`
    adds the labels that its fields have at that moment."""
    language: str = "en"
    conditions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    translations: Mapping[str, Parts] = field(default_factory=dict)

    def speaks(self, preferred: str) -> str:
        """Return the language that somebody who prefers this one gets: it, or the template's own
        as the declared fallback (AC-02)."""
        return speaks(preferred, self.language, self.translations)

    def parts_in(self, locale: Locale | None) -> Parts:
        language = locale.language if locale else self.language
        return self.translations.get(language, self.parts)


def speaks(preferred: str, own: str, others: Collection[str]) -> str:
    """Return which of a template's languages fits best: the very one, one of the same tongue, or
    its own."""
    there = [own, *others]
    if preferred in there:
        return preferred
    tongue = preferred.partition("-")[0].lower()
    return next((one for one in there if one.partition("-")[0].lower() == tongue), own)


_cache: OrderedDict[tuple[int, UUID], Loaded] = OrderedDict()
_lock = Lock()


def problems_free(template: Template) -> Compiled:
    """Return the compiled draft; raises `TemplateInvalid` with every problem."""
    return drafts.compiled(template)


becomes = drafts.becomes


@transaction.atomic
def save(template: Template, *, now: datetime) -> TemplateVersion:
    """Compile the draft into the next version; a draft that says the same makes no new one."""
    compiled = problems_free(template)
    Template.objects.select_for_update().get(id=template.id)
    latest = template.versions.order_by("-number").first()
    if latest and latest.sha256 == compiled.sha256 and _promises_the_same(latest, template):
        return latest
    version = _made(template, compiled, number=latest.number + 1 if latest else 1, now=now)
    _keep_languages(version, compiled, template)
    trail.record(
        "template.changed",
        subject=f"template:{template.id}",
        detail={"version": version.number, "classes": version.data_classes},
    )
    return version


def _made(template: Template, compiled: Compiled, *, number: int, now: datetime) -> TemplateVersion:
    """Make the row of a version, with its links."""
    version = TemplateVersion.objects.create(
        template=template,
        number=number,
        channel=template.channel,
        mjml=template.mjml,
        text=template.text,
        declared=template.declared,
        audience=sorted(template.audience),
        author_id=current().id,
        created_at=now,
        **{name: getattr(template, name) for name in _PROMISED},
        **_kept(compiled),
        conditions={name: template.conditions[name] for name in sorted(compiled.asked)},
    )
    Link.objects.bulk_create(
        Link(version=version, number=each.number, destination=each.destination, label=each.label)
        for each in compiled.links
    )
    return version


def _kept(compiled: Compiled) -> dict[str, Any]:
    """Return what a version keeps of what was compiled."""
    return {
        "subject": compiled.subject,
        "html": compiled.html,
        "plain": compiled.text,
        "fields_read": sorted(compiled.fields_read),
        "data_classes": sorted(compiled.data_classes),
        "opened": sorted(compiled.opened),
        "blocks": [{"slug": one.slug, "number": one.number} for one in compiled.blocks],
        "flow": [use.stored() for use in compiled.uses],
        "unsubscribes": compiled.unsubscribes,
        "sha256": compiled.sha256,
    }


def _keep_languages(version: TemplateVersion, compiled: Compiled, template: Template) -> None:
    written = {one.language: one for one in drafts.translations(template)}
    VersionTranslation.objects.bulk_create(
        VersionTranslation(
            version=version,
            language=each.language,
            subject=each.subject,
            mjml=written[each.language].mjml,
            text=written[each.language].text,
            html=each.html,
            plain=each.text,
        )
        for each in compiled.translations
    )


_PROMISED = ("purpose", "topic", "remuneration", "new_formulation", "drug", "language")
"""What decides the rules for a mail; another value makes another version of the same words."""


def _promises_the_same(version: TemplateVersion, template: Template) -> bool:
    """Say whether purpose, topic, payment, conditions and audience are still the version's."""
    asked = {name: template.conditions.get(name) for name in version.conditions}
    return (
        all(getattr(version, one) == getattr(template, one) for one in _PROMISED)
        and asked == version.conditions
        and sorted(template.audience) == sorted(version.audience)
    )


def approve(version: TemplateVersion, *, now: datetime) -> Approval:
    """Give the one word that is asked where no chain of reviews is; never on one's own."""
    existing = Approval.objects.filter(version=version).first()
    if existing is not None:
        return existing
    reviews.give(version, step=Step.CONTENT, verdict=reviews.Verdict.PASSED, now=now)
    return Approval.objects.get(version=version)


def latest_approved(template_id: UUID) -> TemplateVersion | None:
    """Return the version that a workflow published now would use."""
    approved = TemplateVersion.objects.filter(template_id=template_id, approval__isnull=False)
    return approved.order_by("-number").first()


def load(ids: Collection[UUID]) -> dict[UUID, Loaded]:
    """Return the versions, those not yet known to this process in one query."""
    organisation_id = tenancy.current()
    with _lock:
        found = {each: _cache.get((organisation_id, each)) for each in ids}
    missing = [each for each, loaded in found.items() if loaded is None]
    fresh = _read(missing) if missing else {}
    with _lock:
        for each, loaded in fresh.items():
            if loaded.approved:  # an approval may still come; nothing else can change
                _cache[organisation_id, each] = loaded
        while len(_cache) > KEPT:
            _cache.popitem(last=False)
    return _labelled({each: loaded for each, loaded in found.items() if loaded} | fresh)


def _labelled(found: dict[UUID, Loaded]) -> dict[UUID, Loaded]:
    """Add the labels that printed fields have now, which change under a version that is kept."""
    if not any(_own(loaded.fields_read) for loaded in found.values()):
        return found
    fields = registry.current()
    return {
        each: replace(loaded, says=loaded.says | _labels_of(loaded.fields_read, fields))
        for each, loaded in found.items()
    }


def _read(ids: Collection[UUID]) -> dict[UUID, Loaded]:
    rows = TemplateVersion.objects.filter(id__in=ids).select_related("approval")
    return {row.id: _loaded(row) for row in rows.prefetch_related("links", "translations")}


def _loaded(row: TemplateVersion) -> Loaded:
    translations = list(row.translations.all())
    return Loaded(
        id=row.id,
        template_id=row.template_id,
        number=row.number,
        channel=row.channel,
        purpose=row.purpose,
        topic=row.topic,
        fields_read=frozenset(row.fields_read),
        data_classes=frozenset(row.data_classes),
        unsubscribes=row.unsubscribes,
        approved=hasattr(row, "approval"),
        parts=parts_of(row),
        remuneration=Remuneration.read(row.remuneration),
        new_formulation=row.new_formulation,
        drug=row.drug,
        opened=frozenset(row.data_classes if row.opened is None else row.opened),
        says=_said_itself(row),
        language=row.language,
        conditions=row.conditions,
        translations={each.language: _parts_of_translation(row, each) for each in translations},
    )


def said_by(row: TemplateVersion) -> frozenset[str]:
    """Return the classes of its fields, their sensitivity labels, and those labels that its author
    declared for it.

    A mail about mental health without a single field says so to whoever opens it: it belongs to
    the category that a person wants sent elsewhere (PR-22), and to a minor's own (ST-03). The other
    classes of the audience are what a workflow may add, and count where one does.
    """
    fields = registry.current() if _own(row.fields_read) else {}
    return _said_itself(row) | _labels_of(row.fields_read, fields)


def _said_itself(row: TemplateVersion) -> frozenset[str]:
    return frozenset(row.data_classes) | (frozenset(row.audience) & LABELS)


def _own(keys: Collection[str]) -> list[str]:
    """Return those of the organisation's own fields: of those declared in code none has a label."""
    return [key for key in keys if key.startswith(CUSTOM)]


def _labels_of(keys: Collection[str], fields: Mapping[str, Field]) -> frozenset[str]:
    """Return the labels that these fields have now."""
    found = (fields[key].sensitivity for key in _own(keys) if key in fields)
    return frozenset(name for labels in found for name in label_names(labels))


def _parts_of_translation(row: TemplateVersion, each: VersionTranslation) -> Parts:
    return Parts(each.subject, each.html, each.plain, _destinations(row))


def _destinations(row: TemplateVersion) -> dict[int, str]:
    return {link.number: link.destination for link in row.links.all()}


def parts_of(row: TemplateVersion, language: str = "") -> Parts:
    """Return a version's parts, in its own language or another that it has."""
    for each in row.translations.all() if language and language != row.language else ():
        if each.language == language:
            return _parts_of_translation(row, each)
    return Parts(row.subject, row.html, row.plain, _destinations(row))
