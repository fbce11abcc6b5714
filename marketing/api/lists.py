"""Lists of contacts made by hand or by another system."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Count
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Permission
from contacts import lists
from contacts.models import ContactList
from marketing.api import people
from marketing.api.forms import ListForm, ListRow, ListRows, MembersChanged, MembersForm
from marketing.api.machines import MachineView, Scopes
from marketing.api.problems import not_found


class Lists(MachineView):
    """The organisation's lists."""

    scopes: ClassVar[Scopes] = {
        "GET": Permission.CONTACTS_VIEW,
        "POST": Permission.CONTACTS_WRITE,
    }

    @extend_schema(operation_id="read_lists", summary="Read the lists", responses=ListRows)
    def get(self, request: Request) -> Response:
        rows = ContactList.objects.annotate(count=Count("members")).order_by("created_at")
        return Response(
            {"lists": [{"id": str(row.id), "name": row.name, "members": row.count} for row in rows]}
        )

    @extend_schema(
        operation_id="make_list",
        summary="Make a list",
        request=ListForm,
        responses={201: ListRow},
        examples=[OpenApiExample("A list", value={"name": "Class of May"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        form = ListForm(data=request.data)
        form.is_valid(raise_exception=True)

        def make() -> Response:
            made = lists.create(form.validated_data["name"], now=self.now)
            row = {"id": str(made.id), "name": made.name, "members": 0}
            return Response(row, status=201)

        return self.once(make, "make_list", request.data)


class ListMembers(MachineView):
    """Who is on a list."""

    scopes: ClassVar[Scopes] = {"POST": Permission.CONTACTS_WRITE}

    @extend_schema(
        operation_id="change_list",
        summary="Add contacts to a list, or remove them",
        description="Who is on the list already stays once; who is not on it is not removed.",
        request=MembersForm,
        responses=MembersChanged,
    )
    def post(self, request: Request, list_id: UUID) -> Response:
        if not ContactList.objects.filter(pk=list_id).exists():
            raise not_found("list")
        form = MembersForm(data=request.data)
        form.is_valid(raise_exception=True)
        return self.once(
            lambda: self._change(list_id, form.validated_data),
            f"change_list {list_id}",
            request.data,
        )

    def _change(self, list_id: UUID, given: dict[str, Any]) -> Response:
        joining = people.every(given["add"], pointer="/add")
        leaving = people.every(given["remove"], pointer="/remove")
        joined = lists.add(list_id, joining, now=self.now)
        left = lists.remove(list_id, leaving, now=self.now)
        return Response({"joined": joined, "left": left})
