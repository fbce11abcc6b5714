"""Blocks that templates share: published as versions, and who leans on them.

A template that is compiled takes the newest published version of each block that it includes, and
keeps what came of it: publishing a block changes no version that exists.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.text import slugify

from audit import trail
from audit.actor import current
from contacts import registry
from messaging import templates_compile
from messaging.making import naming
from messaging.making.hosts import own_hosts
from messaging.making.including import SLOT, Block, named
from messaging.models import BlockVersion, ContentBlock, Template
from messaging.templates_compile import Problem, Shared, TemplateInvalid

_AROUND = (
    "<mjml><mj-body>{}</mj-body></mjml>",
    "<mjml><mj-body><mj-section>{}</mj-section></mj-body></mjml>",
    "<mjml><mj-body><mj-section><mj-column>{}</mj-column></mj-section></mj-body></mjml>",
)
_FILLING = "<mj-section><mj-column><mj-text>Words.</mj-text></mj-column></mj-section>"


def published() -> dict[str, Block]:
    """Return the newest version of every block in use, by its slug."""
    rows = BlockVersion.objects.filter(block__archived_at=None).order_by("block_id", "-number")
    newest = rows.distinct("block_id").select_related("block")
    return {
        row.block.slug: Block(row.block.slug, row.number, row.mjml, tuple(row.declared))
        for row in newest
    }


def include(block: ContentBlock) -> str:
    """Return what an author writes to include the block."""
    if block.kind == ContentBlock.Kind.LAYOUT:
        return f'<mj-layout path="{block.slug}"> … </mj-layout>'
    return f'<mj-include path="{block.slug}" />'


def check(block: ContentBlock) -> None:
    """Raise `TemplateInvalid` unless a mail with nothing but the block in it would compile."""
    if block.kind == ContentBlock.Kind.LAYOUT and len(SLOT.findall(block.mjml)) != 1:
        raise TemplateInvalid([Problem("mjml", 1, "A layout needs one <mj-slot />.")])
    others = {slug: one for slug, one in published().items() if slug != block.slug}
    whole = _standing_alone(block)
    lines = block.mjml.count("\n") + 1
    try:
        templates_compile.compile(
            "A block",
            whole,
            "",
            block.declared,
            purpose="treatment",
            own_hosts=own_hosts(),
            registry=registry.current(),
            shared=Shared({}, others),
        )
    except TemplateInvalid as invalid:
        found = [one for one in invalid.problems if one.part == "mjml" and one.line <= lines]
        raise TemplateInvalid(found or invalid.problems, invalid.uses) from None


def _standing_alone(block: ContentBlock) -> str:
    """Return a mail around the block: into a body, a section or a column, where it belongs."""
    mjml = block.mjml.strip()
    if block.kind == ContentBlock.Kind.LAYOUT:
        return SLOT.sub(_FILLING, mjml, count=1)
    first = mjml.lower()
    place = 0
    if first.startswith("<mj-column"):
        place = 1
    elif not first.startswith(("<mj-section", "<mj-wrapper", "<mj-hero", "<mj-raw", "<mj-inc")):
        place = 2
    return _AROUND[place].format(mjml)


@transaction.atomic
def save_as(name: str, mjml: str, *, declared: Collection[str], now: datetime) -> ContentBlock:
    """Make a piece of a mail a block of its own, and publish it.

    Raises `TemplateInvalid` where no other mail could hold it, as where it asks a condition.
    """
    block = begin(name=name, kind=ContentBlock.Kind.PIECE, mjml=mjml, declared=declared, now=now)
    publish(block, now=now)
    return block


def begin(
    *, name: str, kind: str, mjml: str, declared: Collection[str], now: datetime
) -> ContentBlock:
    """Make a block's first draft; its slug is its name's."""
    return ContentBlock.objects.create(
        slug=naming.free(slugify(name) or "block", ContentBlock.objects.all()),
        name=name,
        kind=kind,
        mjml=mjml,
        declared=list(declared),
        created_at=now,
        changed_at=now,
    )


@transaction.atomic
def publish(block: ContentBlock, *, now: datetime) -> BlockVersion:
    """Make the next version of a block; one that says the same makes none.

    Raises `TemplateInvalid` where no mail could hold it.
    """
    check(block)
    ContentBlock.objects.select_for_update().get(pk=block.pk)
    latest = block.versions.order_by("-number").first()
    if latest and (latest.mjml, latest.declared) == (block.mjml, block.declared):
        return latest
    version = BlockVersion.objects.create(
        block=block,
        number=latest.number + 1 if latest else 1,
        mjml=block.mjml,
        declared=block.declared,
        author_id=current().id,
        created_at=now,
    )
    trail.record(
        "template.block_published",
        subject=f"block:{block.pk}",
        detail={"version": version.number},
    )
    return version


@dataclass(frozen=True, slots=True)
class Leaning:
    """A template that includes a block, and which version of it the newest version holds."""

    template: Template
    in_draft: bool
    holds: int | None


def dependants(block: ContentBlock) -> list[Leaning]:
    """Return the templates whose draft or newest version includes the block."""
    return list(_leaning(block.slug))


def _leaning(slug: str) -> Iterator[Leaning]:
    rows = Template.objects.filter(archived_at=None).order_by("name")
    for template in rows.prefetch_related("translations", "versions"):
        sources = [template.mjml, *(one.mjml for one in template.translations.all())]
        drafted = any(slug in named(source) for source in sources)
        newest = next(iter(template.versions.all()), None)
        held = {one["slug"]: one["number"] for one in (newest.blocks if newest else [])}
        if drafted or slug in held:
            yield Leaning(template, drafted, held.get(slug))
