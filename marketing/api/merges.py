"""Merges: what waits for a decision, two contacts made one, and taken apart again."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from contacts import matching
from contacts.merge import acts, proposing
from contacts.models import Merge, MergeProposal
from marketing.api import people
from marketing.api.forms import Form
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import Fault, Problem, invalid, not_found

MOST = 1_000
_ONE = "0194f3c2-6b1e-7a90-8000-000000000001"
_OTHER = "0194f3c2-6b1e-7a90-8000-000000000002"


class MergeForm(Form):
    stays = serializers.UUIDField(help_text="The contact that stands for the person from now on.")
    goes = serializers.UUIDField(help_text="The contact that becomes part of it.")


class MergeRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    stays = serializers.UUIDField()
    goes = serializers.UUIDField()
    merged_at = serializers.DateTimeField()
    undone_at = serializers.DateTimeField(allow_null=True)


class MergeRows(serializers.Serializer[Any]):
    merges = MergeRow(many=True)


class ProposalForm(Form):
    contacts = serializers.ListField(child=serializers.UUIDField(), min_length=2, max_length=2)


class ProposalRow(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    contacts = serializers.ListField(child=serializers.UUIDField())
    reason = serializers.CharField()
    made_at = serializers.DateTimeField()


class ProposalRows(serializers.Serializer[Any]):
    proposals = ProposalRow(many=True)


class Merges(MachineView):
    """Contacts that were merged."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.CONTACTS_VIEW,
        "POST": Permission.CONTACTS_MERGE,
    }

    @extend_schema(
        operation_id="read_merges",
        summary="Read the merges, newest first",
        description="At most 1,000.",
        responses=MergeRows,
    )
    def get(self, request: Request) -> Response:
        return Response({"merges": _rows(list(Merge.objects.order_by("-pk")[:MOST]))})

    @extend_schema(
        operation_id="merge_contacts",
        summary="Merge two contacts that are one person",
        description="Consent resolves to the more restrictive word. The merge can be undone.",
        request=MergeForm,
        responses={201: MergeRow},
        examples=[
            OpenApiExample("Two records", value={"stays": _ONE, "goes": _OTHER}, request_only=True)
        ],
    )
    def post(self, request: Request) -> Response:
        form = MergeForm(data=request.data)
        form.is_valid(raise_exception=True)
        return self.once(lambda: self._merge(form.validated_data), "merge_contacts", request.data)

    def _merge(self, given: dict[str, UUID]) -> Response:
        stays = people.named(given["stays"], pointer="/stays")
        goes = people.named(given["goes"], pointer="/goes")
        try:
            made = acts.merge(stays, goes, now=self.now)
        except acts.CannotMerge as refused:
            raise Problem(409, "conflict", f"Nothing was merged: {refused}.") from None
        return Response(_rows([made])[0], status=201)


class MergesUndone(MachineView):
    """The end of a merge."""

    scopes: ClassVar[Scopes] = {"POST": Permission.CONTACTS_MERGE}

    @extend_schema(
        operation_id="undo_merge",
        summary="Take a merge back",
        description="Both contacts are as before; what came since goes to the one whose record "
        "number it named.",
        request=None,
        responses=MergeRow,
    )
    def post(self, request: Request, merge_id: UUID) -> Response:
        return self.once(lambda: self._undo(merge_id), "undo_merge", str(merge_id))

    def _undo(self, merge_id: UUID) -> Response:
        if not Merge.objects.filter(pk=merge_id).exists():
            raise not_found("merge")
        try:
            made = acts.undo(merge_id, now=self.now)
        except acts.CannotUndo as refused:
            raise Problem(409, "conflict", f"Nothing was taken back: {refused}.") from None
        return Response(_rows([made])[0])


class Proposals(MachineView):
    """Contacts that may be one person."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.CONTACTS_MERGE,
        "POST": Permission.CONTACTS_MERGE,
    }

    @extend_schema(
        operation_id="read_merge_proposals",
        summary="Read which contacts may be one person",
        description="At most 1,000, oldest first. A shared address proposes nobody.",
        responses=ProposalRows,
    )
    def get(self, request: Request) -> Response:
        rows = list(proposing.waiting()[:MOST])
        return Response({"proposals": _proposed(rows)})

    @extend_schema(
        operation_id="propose_merge",
        summary="Propose two contacts for review",
        description="A person decides. Two that were kept apart before are proposed anew.",
        request=ProposalForm,
        responses={201: ProposalRow},
        examples=[
            OpenApiExample("Two records", value={"contacts": [_ONE, _OTHER]}, request_only=True)
        ],
    )
    def post(self, request: Request) -> Response:
        form = ProposalForm(data=request.data)
        form.is_valid(raise_exception=True)
        return self.once(
            lambda: self._propose(form.validated_data["contacts"]), "propose_merge", request.data
        )

    def _propose(self, contacts: list[UUID]) -> Response:
        first, second = people.every(contacts, pointer="/contacts")
        if first == second:
            raise invalid([Fault("/contacts", "These are one contact already.")])
        made = proposing.by_hand(first, second, now=self.now)
        return Response(_proposed([made])[0], status=201)


class ProposalsDismissed(MachineView):
    """The word that two contacts are two people."""

    scopes: ClassVar[Scopes] = {"POST": Permission.CONTACTS_MERGE}

    @extend_schema(
        operation_id="dismiss_merge_proposal",
        summary="Keep two contacts apart",
        description="They are not proposed again.",
        request=None,
        responses={204: None},
    )
    def post(self, request: Request, proposal_id: UUID) -> Response:
        proposal = proposing.waiting().filter(pk=proposal_id).first()
        if proposal is None:
            raise not_found("proposal")
        proposing.dismiss(proposal, now=self.now)
        return Response(status=204)


def _proposed(rows: list[MergeProposal]) -> list[dict[str, Any]]:
    ids = matching.public_ids({one for row in rows for one in (row.first_id, row.second_id)})
    return [
        {
            "id": str(row.pk),
            "contacts": [str(ids[row.first_id]), str(ids[row.second_id])],
            "reason": row.reason,
            "made_at": row.made_at,
        }
        for row in rows
    ]


def _rows(merges: list[Merge]) -> list[dict[str, Any]]:
    ids = matching.public_ids({one for m in merges for one in (m.survivor_id, m.absorbed_id)})
    return [
        {
            "id": str(one.pk),
            "stays": str(ids[one.survivor_id]),
            "goes": str(ids[one.absorbed_id]),
            "merged_at": one.merged_at,
            "undone_at": one.undone_at,
        }
        for one in merges
    ]
