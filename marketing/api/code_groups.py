"""Code groups over HTTP: named sets of codes, each change a version."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiKey
from accounts.roles import Permission
from contacts import code_groups, codes, dependants, grouping
from contacts.code_groups import GroupGone
from contacts.declared.code_lines import MOST_CODES, NAMES, Code, coded
from contacts.declared.models import CodeGroup
from contacts.declared.naming import labelled
from contacts.grouping import ChangedMeanwhile, GroupRefused, StillUsed
from contacts.segments.references import label_names
from marketing.api.fields import UserRow, in_use, users
from marketing.api.forms import Form
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, Problem, invalid, not_found

T = TypeVar("T")
_EXAMPLE: Mapping[str, Any] = {
    "name": "Type 2 diabetes",
    "codes": [{"system": "ICD-10-CM", "code": "E11.9", "display": "Type 2 diabetes mellitus"}],
}


class CodeForm(Form):
    system = serializers.CharField(
        max_length=200, help_text="One of " + ", ".join(NAMES.values()) + ", or its address."
    )
    code = serializers.CharField(max_length=60)
    display = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class GroupForm(Form):
    name = serializers.CharField(max_length=80)
    codes = serializers.ListField(child=CodeForm(), min_length=1, max_length=MOST_CODES)


class VersionForm(Form):
    since = serializers.IntegerField(
        min_value=1, help_text="The version that the change began from; another is a conflict."
    )
    codes = serializers.ListField(child=CodeForm(), min_length=1, max_length=MOST_CODES)


class GroupChange(Form):
    name = serializers.CharField(max_length=80)


class GroupRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    updated_at = serializers.DateTimeField()


class GroupRows(serializers.Serializer[Any]):
    code_groups = GroupRow(many=True)


class OneGroupRow(GroupRow):
    shown = serializers.IntegerField(help_text="The version whose codes follow.")
    codes = CodeForm(many=True)
    labels = serializers.ListField(
        child=serializers.CharField(), help_text="Sensitivity labels that follow from the codes."
    )
    used_by = UserRow(many=True)


class VersionMade(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    added = serializers.IntegerField()
    removed = serializers.IntegerField()


class CodeGroups(MachineView):
    """The organisation's code groups."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.FIELDS_VIEW,
        "POST": Permission.CODE_GROUPS_MANAGE,
    }

    @extend_schema(
        operation_id="read_code_groups", summary="Read the code groups", responses=GroupRows
    )
    def get(self, request: Request) -> Response:
        rows = list(CodeGroup.objects.filter(archived_at=None).order_by("name"))
        hidden = set() if _opens(self.key()) else labelled(rows)
        return Response({"code_groups": [_row(group) for group in rows if group.pk not in hidden]})

    @extend_schema(
        operation_id="make_code_group",
        summary="Make a code group",
        request=GroupForm,
        responses={201: GroupRow},
        examples=[OpenApiExample("A group", value=_EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        form = GroupForm(data=request.data)
        form.is_valid(raise_exception=True)
        holding = _codes(form.validated_data["codes"])

        def make() -> Response:
            try:
                group = grouping.add(form.validated_data["name"], holding, now=self.now)
            except GroupRefused as refused:
                raise invalid([Fault("/name", str(refused))]) from None
            return Response(_row(group), status=201)

        return self.once(make, "make_code_group", request.data)


class CodeGroupStarters(MachineView):
    """The groups that Attune ships."""

    scopes: ClassVar[Scopes] = {"POST": Permission.CODE_GROUPS_MANAGE}

    @extend_schema(
        operation_id="add_starter_code_groups",
        summary="Add the shipped code groups that were never added",
        request=None,
        responses=GroupRows,
    )
    def post(self, request: Request) -> Response:
        added = grouping.add_starters(now=self.now)
        return Response({"code_groups": [_row(group) for group in added]})


class OneCodeGroup(MachineView):
    """One code group."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.FIELDS_VIEW,
        "PATCH": Permission.CODE_GROUPS_MANAGE,
        "DELETE": Permission.CODE_GROUPS_MANAGE,
    }

    @extend_schema(
        operation_id="read_code_group",
        summary="Read a code group, its codes and what uses it",
        parameters=[OpenApiParameter("version", int, description="The newest if left out.")],
        responses=OneGroupRow,
    )
    def get(self, request: Request, group_id: UUID) -> Response:
        version = request.query_params.get("version", "")
        if version and not (version.isdecimal() and len(version) < 10):
            raise not_found("version")
        return _answered(lambda: self._read(group_id, int(version) if version else None))

    def _read(self, group_id: UUID, version: int | None) -> Response:
        group = code_groups.one(group_id)
        if not _opens(self.key()) and labelled([group]):
            raise GroupGone
        held = code_groups.held(group_id, version=version)
        labels = codes.labels_of((code.system, code.code) for code in held)
        whole = {
            "shown": version or group.version,
            "codes": [code._asdict() for code in held],
            "labels": label_names(labels),
            "used_by": users(dependants.of_code_group(group_id)),
        }
        return Response(_row(group) | whole)

    @extend_schema(
        operation_id="rename_code_group",
        summary="Rename a code group",
        request=GroupChange,
        responses=GroupRow,
        examples=[OpenApiExample("A name", value={"name": "Diabetes"}, request_only=True)],
    )
    def patch(self, request: Request, group_id: UUID) -> Response:
        _answered(lambda: code_groups.one(group_id))
        form = GroupChange(data=request.data)
        form.is_valid(raise_exception=True)

        def rename() -> Response:
            grouping.rename(group_id, form.validated_data["name"], now=self.now)
            return Response(_row(code_groups.one(group_id)))

        return _answered(rename)

    @extend_schema(
        operation_id="archive_code_group",
        summary="Take a code group out of use",
        description="Refused while something uses it. Its versions stay on record.",
        responses={204: None},
    )
    def delete(self, request: Request, group_id: UUID) -> Response:
        def archive() -> Response:
            grouping.archive(group_id, now=self.now)
            return Response(status=204)

        return _answered(archive)


class CodeGroupVersions(MachineView):
    """The versions of one code group; the newest is the one that segments mean."""

    scopes: ClassVar[Scopes] = {"POST": Permission.CODE_GROUPS_MANAGE}

    @extend_schema(
        operation_id="make_code_group_version",
        summary="Give a code group a new version",
        description="The codes are the whole list. Segments that use the group are worked out "
        "again and carry the labels of its codes.",
        request=VersionForm,
        responses=VersionMade,
        examples=[
            OpenApiExample(
                "A list", value={"since": 1, "codes": _EXAMPLE["codes"]}, request_only=True
            )
        ],
    )
    def post(self, request: Request, group_id: UUID) -> Response:
        _answered(lambda: code_groups.one(group_id))
        form = VersionForm(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        holding = _codes(given["codes"])

        def change() -> Response:
            found = grouping.change(group_id, holding, since=given["since"], now=self.now)
            counts = {"added": len(found.added), "removed": len(found.removed)}
            return Response({"version": code_groups.one(group_id).version} | counts)

        return _answered(change)


def _opens(key: ApiKey) -> bool:
    """Whether the key reads the names of labelled groups (PR-30)."""
    opening = (Permission.CONTACTS_REVEAL_CLINICAL, Permission.CODE_GROUPS_MANAGE)
    return any(key.allows(one) for one in opening)


def _codes(given: Sequence[Mapping[str, str]]) -> list[Code]:
    faults: list[Fault] = []
    found: dict[tuple[str, str], Code] = {}
    for place, item in enumerate(given):
        code = coded(item["system"], item["code"], item["display"])
        if isinstance(code, str):
            faults.append(Fault(f"/codes/{place}", f"It {code}."))
        elif code[:2] in found:
            faults.append(Fault(f"/codes/{place}", "It repeats a code: send each once."))
        else:
            found[code[:2]] = code
    if faults:
        raise invalid(faults)
    return list(found.values())


def _answered(act: Callable[[], T]) -> T:
    try:
        return act()
    except GroupGone:
        raise not_found("code group") from None
    except StillUsed as used:
        raise in_use(used.dependants) from None
    except ChangedMeanwhile as refused:
        raise Problem(409, "conflict", str(refused)) from None
    except GroupRefused as refused:
        raise invalid([Fault("/name", str(refused))]) from None


def _row(group: CodeGroup) -> dict[str, Any]:
    return {
        "id": str(group.pk),
        "name": group.name,
        "version": group.version,
        "updated_at": group.updated_at,
    }
