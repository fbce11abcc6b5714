"""Names that attack: kept as they are or refused in words, and printed as text."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts import staff
from accounts.models import Organisation, User
from accounts.roles import Role
from tests.conftest import NOON

SignIn = Callable[[User], Client]
NAMES = [
    "<script>alert(1)</script>",
    "\"' onmouseover=alert(1) x='",
    "{{ 7|add:7 }}{% debug %}",
    "=HYPERLINK(\"http://x\")",
    "Robert'); DROP TABLE contacts_contact;--",
    "nul\x00inside",
    "\u202eright to left",
    "ﷺ" * 80,
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "../../etc/passwd",
]  # fmt: skip


@pytest.fixture
def everywhere(at_harbor: Organisation, sign_in_as: SignIn) -> list[Client]:
    made = (
        staff.add(f"{role.value}@harbor.example", name="Sam", role=role, now=NOON)
        for role in (Role.ADMINISTRATOR, Role.COMPLIANCE)
    )
    return [sign_in_as(user) for user in made]


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_text_or_refused(everywhere: list[Client], name: str) -> None:
    said = []
    for client in everywhere:
        for route, sent in (
            (
                "field-new",
                {"label": name, "type": "text", "data_class": "coverage", "labels": "none"},
            ),
            ("code-group-new", {"name": name, "codes": f"ICD-10-CM E11.9 {name}", "since": "0"}),
            ("forms", {"name": name}),
        ):
            said.append(client.post(reverse(route), sent, follow=True))
        said += [client.get(reverse(route)) for route in ("fields", "code-groups", "forms")]
    assert {one.status_code for one in said} <= {200, 400, 403, 422}
    assert not any(b"<script>alert(1)" in one.content for one in said)
    assert not any(b" onmouseover=alert(1) x='" in one.content for one in said)
