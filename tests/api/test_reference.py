"""The API describes itself, to programs and to people."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from marketing.api.urls import urlpatterns
from tests.api.test_door import OPEN

pytestmark = pytest.mark.django_db


@pytest.fixture
def described(client: Client) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/api/v1/schema/").json()
    return document


def test_the_schema_is_openapi_3_1(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")


def test_no_two_forms_of_the_schema_share_a_name(tmp_path: Path) -> None:
    call_command("spectacular", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"))


def test_every_address_and_method_is_described(described: dict[str, Any]) -> None:
    served = {
        (
            "/api/v1/" + re.sub(r"<(?:uuid|slug|int):(\w+)>", r"{\1}", str(pattern.pattern)),
            method.lower(),
        )
        for pattern in urlpatterns
        if pattern.name and pattern.name not in OPEN
        for method in pattern.callback.scopes
    }
    assert served == {
        (path, method) for path, methods in described["paths"].items() for method in methods
    }


def test_every_body_has_an_example(described: dict[str, Any]) -> None:
    bodies = [
        operation["requestBody"]["content"]
        for path, methods in described["paths"].items()
        for operation in methods.values()
        if "requestBody" in operation and not path.endswith(("/imports", "/members"))
    ]
    assert len(bodies) >= 8
    assert all(body["application/json"].keys() & {"example", "examples"} for body in bodies)


def test_every_operation_names_its_scope_and_its_problems(described: dict[str, Any]) -> None:
    for methods in described["paths"].values():
        for operation in methods.values():
            assert operation["x-scope"]
            assert "application/problem+json" in operation["responses"]["default"]["content"]


def test_the_page_for_people_needs_no_key(client: Client) -> None:
    page = client.get("/api/v1/reference")
    assert page.status_code == 200
    assert b"POST</span> <code>/api/v1/events/batch" in page.content
    assert b"idempotency_key" in page.content


def test_the_page_loads_nothing_from_elsewhere(client: Client) -> None:
    html = client.get("/api/v1/reference").content.decode()
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", html)
