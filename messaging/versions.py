"""Save, approve and load template versions. A version never changes; saving makes the next one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction

from accounts import tenancy
from accounts.models import Organisation
from audit import trail
from audit.actor import current
from consent.purposes import Remuneration
from consent.rules import shelf
from contacts import registry
from messaging import templates_compile
from messaging.models import Approval, Link, Template, TemplateVersion
from messaging.render import Parts
from messaging.templates_compile import Compiled

KEPT = 128


class ApprovalRefused(Exception):
    """This version cannot be approved by this person; the message says why."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the sending path needs of a version, loaded once for each process."""

    id: UUID
    template_id: UUID
    number: int
    purpose: str
    topic: str
    fields_read: frozenset[str]
    data_classes: frozenset[str]
    unsubscribes: bool
    approved: bool
    parts: Parts
    remuneration: Remuneration | None = None
    new_formulation: bool = False


_cache: OrderedDict[tuple[int, UUID], Loaded] = OrderedDict()
_lock = Lock()


def problems_free(template: Template) -> Compiled:
    """Return the compiled draft; raises `TemplateInvalid` with every problem."""
    return templates_compile.compile(
        template.subject,
        template.mjml,
        template.text,
        template.declared,
        purpose=becomes(template),
        own_hosts=own_hosts(),
        registry=registry.current(),
    )


def becomes(template: Template) -> str:
    """Return what the rules take the template for once it is known who pays for it (PR-02)."""
    rules = shelf.at(template.changed_at)
    rule, paid = rules.purposes.get(template.purpose), Remuneration.read(template.remuneration)
    if rule is None or paid is None or not paid.makes_marketing(rule):
        return template.purpose
    return rule.when_paid


def own_hosts() -> frozenset[str]:
    """Return the hosts that a mail may load pictures from: the organisation's own."""
    origin = Organisation.objects.get(id=tenancy.current()).web_origin
    host = urlsplit(origin).hostname
    return frozenset([host] if host else [])


@transaction.atomic
def save(template: Template, *, now: datetime) -> TemplateVersion:
    """Compile the draft into the next version; a draft that says the same makes no new one."""
    compiled = problems_free(template)
    Template.objects.select_for_update().get(id=template.id)
    latest = template.versions.order_by("-number").first()
    if latest and latest.sha256 == compiled.sha256 and _promises_the_same(latest, template):
        return latest
    version = TemplateVersion.objects.create(
        template=template,
        number=latest.number + 1 if latest else 1,
        purpose=template.purpose,
        topic=template.topic,
        remuneration=template.remuneration,
        new_formulation=template.new_formulation,
        subject=compiled.subject,
        mjml=template.mjml,
        text=template.text,
        declared=template.declared,
        html=compiled.html,
        plain=compiled.text,
        fields_read=sorted(compiled.fields_read),
        data_classes=sorted(compiled.data_classes),
        unsubscribes=compiled.unsubscribes,
        sha256=compiled.sha256,
        author_id=current().id,
        created_at=now,
    )
    Link.objects.bulk_create(
        Link(version=version, number=each.number, destination=each.destination, label=each.label)
        for each in compiled.links
    )
    trail.record(
        "template.changed",
        subject=f"template:{template.id}",
        detail={"version": version.number, "classes": version.data_classes},
    )
    return version


def _promises_the_same(version: TemplateVersion, template: Template) -> bool:
    """Say whether purpose, topic and payment are still those of the version."""
    names = ("purpose", "topic", "remuneration", "new_formulation")
    return all(getattr(version, one) == getattr(template, one) for one in names)


@transaction.atomic
def approve(version: TemplateVersion, *, now: datetime) -> Approval:
    """Record that the acting person approves exactly these bytes; never one's own."""
    approver = current().id
    if approver == version.author_id:
        raise ApprovalRefused("Another person must approve: you wrote this version.")
    approval, created = Approval.objects.get_or_create(
        version=version,
        defaults={"sha256": version.sha256, "approver_id": approver, "approved_at": now},
    )
    if created:
        trail.record(
            "template.approved",
            subject=f"template:{version.template_id}",
            detail={"version": version.number},
        )
    return approval


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
    return {each: loaded for each, loaded in found.items() if loaded} | fresh


def _read(ids: Collection[UUID]) -> dict[UUID, Loaded]:
    rows = TemplateVersion.objects.filter(id__in=ids).select_related("approval")
    return {row.id: _loaded(row) for row in rows.prefetch_related("links")}


def _loaded(row: TemplateVersion) -> Loaded:
    return Loaded(
        id=row.id,
        template_id=row.template_id,
        number=row.number,
        purpose=row.purpose,
        topic=row.topic,
        fields_read=frozenset(row.fields_read),
        data_classes=frozenset(row.data_classes),
        unsubscribes=row.unsubscribes,
        approved=hasattr(row, "approval"),
        parts=parts_of(row),
        remuneration=Remuneration.read(row.remuneration),
        new_formulation=row.new_formulation,
    )


def parts_of(row: TemplateVersion) -> Parts:
    destinations = {link.number: link.destination for link in row.links.all()}
    return Parts(row.subject, row.html, row.plain, destinations)
