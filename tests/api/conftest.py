"""A machine of Harbor's, one of Hill's, and the contacts that they ask about."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.test import Client
from django.test.client import ClientHandler
from django.utils import timezone

from accounts import api_keys, tenancy
from accounts.models import ApiKey, Organisation
from accounts.roles import SCOPES, Permission
from contacts import records
from contacts.models import Contact
from marketing.api.events_together import WAYS
from marketing.api.front import Front


class _Handler(ClientHandler):
    """Answers as the web server's application does: `front` first, then Django's whole way."""

    def __call__(self, environ: dict[str, Any]) -> Any:
        whole: list[Any] = []
        said: list[Any] = []

        def django(environ: dict[str, Any], _: object) -> list[bytes]:
            whole.append(super(_Handler, self).__call__(environ))
            return []

        body = Front(django, WAYS)(environ, lambda *answer: said.append(answer))
        if whole:
            return whole[0]
        ((status, headers),) = said
        response = HttpResponse(b"".join(body), status=int(status[:3]), headers=dict(headers))
        response.wsgi_request = WSGIRequest(environ)  # type: ignore[attr-defined]
        return response


def client() -> Client:
    made = Client(raise_request_exception=False)
    made.handler = _Handler(enforce_csrf_checks=False)
    return made


@dataclass
class Machine:
    """A client that sends an API key and JSON."""

    secret: str
    key: ApiKey | None = None
    client: Client = field(default_factory=client)

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1/{path}", headers=self._headers())

    def delete(self, path: str) -> Any:
        return self.client.delete(f"/api/v1/{path}", headers=self._headers())

    def post(self, path: str, body: object, **headers: str) -> Any:
        return self.post_raw(path, json.dumps(body).encode(), **headers)

    def post_raw(
        self, path: str, body: bytes, content_type: str = "application/json", **headers: str
    ) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(
            f"/api/v1/{path}",
            data=body,
            content_type=content_type,
            headers=self._headers() | named,
        )

    def patch(self, path: str, body: object) -> Any:
        return self.client.patch(
            f"/api/v1/{path}",
            data=json.dumps(body),
            content_type="application/json",
            headers=self._headers(),
        )

    def put(self, path: str, body: object, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.put(
            f"/api/v1/{path}",
            data=json.dumps(body),
            content_type="application/json",
            headers=self._headers() | named,
        )

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"} if self.secret else {}


Maker = Callable[..., Machine]


@pytest.fixture
def machine_for() -> Maker:
    def make(
        organisation: Organisation,
        scopes: Collection[Permission] = SCOPES,
        expires: timedelta = timedelta(days=1),
    ) -> Machine:
        api_keys.forget()
        moment = timezone.now()
        with tenancy.acting_for(organisation.pk):
            key, secret = api_keys.issue(
                "Test", scopes=scopes, expires_at=moment + expires, now=moment - timedelta(days=30)
            )
        return Machine(secret, key)

    return make


@pytest.fixture
def machine(harbor: Organisation, machine_for: Maker) -> Machine:
    return machine_for(harbor)


@pytest.fixture
def stranger(hill: Organisation, machine_for: Maker) -> Machine:
    """A machine with every scope, but of the other clinic."""
    return machine_for(hill)


@pytest.fixture
def ada(harbor: Organisation, now: datetime) -> Contact:
    """Ada, as a source tells of her; her values are canaries."""
    with tenancy.acting_for(harbor.pk):
        change = records.Change(
            source="epic",
            record_number="MRN-0042",
            values={
                "given_name": "Adaline",
                "family_name": "Canarybird",
                "birth_date": "1961-04-12",
                "email": "ada.canarybird@example.org",
                "conditions": [
                    {
                        "system": "http://snomed.info/sct",
                        "code": "44054006",
                        "display": "Diabetes mellitus canary",
                        "status": "active",
                    }
                ],
            },
        )
        outcome = records.upsert([change], now=now)
        return Contact.objects.get(pk=outcome.contact_ids[0])


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """Return the problem document, having checked that it is one."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(response.content)
    assert body["type"].endswith(f"#{code}")
    assert body["status"] == status
    assert body["detail"]
    return body
