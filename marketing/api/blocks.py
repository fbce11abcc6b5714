"""Blocks that templates share, over HTTP: written, published, and how many templates use each."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from contacts import registry
from marketing.api.forms import Form
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, invalid, not_found
from marketing.api.templates import fault_of
from messaging.making import blocks
from messaging.models import BlockVersion, ContentBlock
from messaging.templates_compile import TemplateInvalid

_EXAMPLES = [
    OpenApiExample(
        "A greeting",
        value={
            "name": "Greeting",
            "kind": "personal",
            "mjml": '<mj-text>Dear {{ contact.given_name | default("neighbor") }},</mj-text>',
            "declared": ["given_name"],
        },
        request_only=True,
    )
]
_READS_WRITES: Scopes = {"GET": Permission.TEMPLATES_VIEW, "PUT": Permission.TEMPLATES_EDIT}


class BlockForm(Form):
    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(choices=ContentBlock.Kind.choices, default="piece")
    mjml = serializers.CharField(max_length=256_000, trim_whitespace=False)
    declared = serializers.ListField(
        child=serializers.CharField(max_length=60), max_length=100, default=list
    )


class BlockRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    include = serializers.CharField(help_text="What a template writes to include it.")
    published = serializers.IntegerField(allow_null=True, help_text="Its newest version.")


class BlockRows(serializers.Serializer[Any]):
    blocks = BlockRow(many=True)


class Using(serializers.Serializer[Any]):
    template = serializers.UUIDField()
    name = serializers.CharField()
    in_draft = serializers.BooleanField()
    holds = serializers.IntegerField(
        allow_null=True, help_text="The block's version in the template's newest; it stays."
    )


class BlockBody(BlockRow):
    mjml = serializers.CharField()
    declared = serializers.ListField(child=serializers.CharField())
    used_by = Using(many=True)


class BlockPublished(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    drafts = serializers.IntegerField(help_text="Templates whose draft takes it now.")


class Blocks(MachineView):
    """The blocks that templates can include."""

    scopes: ClassVar[Scopes] = {"GET": Permission.TEMPLATES_VIEW, "POST": Permission.TEMPLATES_EDIT}

    @extend_schema(
        operation_id="read_blocks", summary="Read the shared blocks", responses=BlockRows
    )
    def get(self, request: Request) -> Response:
        published = blocks.published()
        rows = ContentBlock.objects.filter(archived_at=None)
        return Response({"blocks": [_row(one, published.get(one.slug)) for one in rows]})

    @extend_schema(
        operation_id="create_block",
        summary="Make a shared block",
        description="A draft: templates can include it once a version is published.",
        request=BlockForm,
        responses={201: BlockBody},
        examples=_EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        given = _given(request)
        return self.once(
            lambda: Response(_body(blocks.begin(**given, now=self.now)), status=201),
            "block",
            request.data,
        )


class OneBlock(MachineView):
    """One block's draft, and who uses it."""

    scopes: ClassVar[Scopes] = _READS_WRITES

    @extend_schema(operation_id="read_block", summary="Read a block", responses=BlockBody)
    def get(self, request: Request, block_id: UUID) -> Response:
        return Response(_body(_found(block_id)))

    @extend_schema(
        operation_id="update_block",
        summary="Write a block's draft",
        description="Its kind stays. Nothing that includes it changes until it is published.",
        request=BlockForm,
        responses=BlockBody,
        examples=_EXAMPLES,
    )
    def put(self, request: Request, block_id: UUID) -> Response:
        row, given = _found(block_id), _given(request)
        row.name, row.mjml, row.declared = given["name"], given["mjml"], given["declared"]
        row.changed_at = self.now
        row.save(update_fields=["name", "mjml", "declared", "changed_at"])
        return Response(_body(row))


class BlockVersions(MachineView):
    """The published versions of a block."""

    scopes: ClassVar[Scopes] = {"POST": Permission.TEMPLATES_EDIT}

    @extend_schema(
        operation_id="publish_block",
        summary="Publish a block",
        description="Drafts that include it take the new version; versions of templates stay as "
        "they were approved. A block that says the same makes none.",
        request=None,
        responses={201: BlockPublished},
    )
    def post(self, request: Request, block_id: UUID) -> Response:
        row = _found(block_id)
        try:
            version = blocks.publish(row, now=self.now)
        except TemplateInvalid as error:
            raise invalid([fault_of(each) for each in error.problems]) from None
        taking = sum(each.in_draft for each in blocks.dependants(row))
        return Response({"number": version.number, "drafts": taking}, status=201)


def _given(request: Request) -> dict[str, Any]:
    form = BlockForm(data=request.data)
    form.is_valid(raise_exception=True)
    given: dict[str, Any] = form.validated_data
    known = registry.current()
    faults = [
        Fault(f"/declared/{at}", "There is no such field of contacts.")
        for at, key in enumerate(given["declared"])
        if key not in known
    ]
    if faults:
        raise invalid(faults)
    return given


def _found(block_id: UUID) -> ContentBlock:
    row = ContentBlock.objects.filter(pk=block_id, archived_at=None).first()
    if row is None:
        raise not_found("block")
    return row


def _row(row: ContentBlock, published: Any) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "slug": row.slug,
        "name": row.name,
        "kind": row.kind,
        "include": blocks.include(row),
        "published": published.number if published else None,
    }


def _body(row: ContentBlock) -> dict[str, Any]:
    newest = BlockVersion.objects.filter(block=row).order_by("-number").first()
    using = [
        {
            "template": str(one.template.pk),
            "name": one.template.name,
            "in_draft": one.in_draft,
            "holds": one.holds,
        }
        for one in blocks.dependants(row)
    ]
    more = {"mjml": row.mjml, "declared": row.declared, "used_by": using}
    return {**_row(row, newest), **more}
