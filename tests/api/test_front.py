"""The short way in front of Django: it adds what the middlewares add, and steps aside in doubt."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from django.conf import LazySettings
from django.http import HttpRequest
from django.test import Client

from contacts.models import Contact
from marketing.api import front
from marketing.api.front import Front, Short
from tests.api.conftest import Machine
from tests.api.test_events import missed


@pytest.fixture(autouse=True)
def _forget_headers() -> Iterator[None]:
    front._headers.cache_clear()
    yield
    front._headers.cache_clear()


def environ(body: bytes = b"{}", /, **more: Any) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/short",
        "HTTP_HOST": "testserver",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
    } | more


def went(way: front.Way, asked: dict[str, Any]) -> str:
    """Return the status of the short way, or what Django was given to read."""
    said: list[str] = []

    def django(environ: dict[str, Any], _: object) -> list[bytes]:
        said.append(f"django read {environ['wsgi.input'].read().decode()}")
        return []

    list(Front(django, {"/short": way})(asked, lambda status, _: said.append(status)))
    return said[0]


def created(request: HttpRequest) -> Short | None:
    return Short(201, request.body)


def test_a_plain_request_is_answered_here() -> None:
    assert went(created, environ()) == "201 Created"


@pytest.mark.parametrize(
    "unusual",
    [
        {"PATH_INFO": "/short/"},
        {"REQUEST_METHOD": "GET"},
        {"HTTP_COOKIE": "staff=attune"},
        {"HTTP_HOST": "elsewhere.example"},
        {"HTTP_HOST": "not a host"},
    ],
)
def test_what_is_unusual_goes_to_django(unusual: dict[str, str]) -> None:
    assert went(created, environ(**unusual)) == "django read {}"


def test_where_tls_is_asked_plain_http_goes_to_django(settings: LazySettings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert went(created, environ()) == "django read {}"
    assert went(created, environ(HTTP_X_FORWARDED_PROTO="https")) == "201 Created"


def test_a_body_that_was_read_is_read_again_by_django() -> None:
    def read(request: HttpRequest) -> None:
        assert request.body

    assert went(read, environ(b'{"a": 1}')) == 'django read {"a": 1}'


def test_where_the_short_way_fails_django_answers(caplog: pytest.LogCaptureFixture) -> None:
    def fail(request: HttpRequest) -> None:
        raise ValueError(request.body)

    assert went(fail, environ()) == "django read {}"
    assert "the short way failed" in caplog.text


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.django_db
def test_the_headers_are_those_of_the_whole_way(
    scheme: str, machine: Machine, ada: Contact, settings: LazySettings
) -> None:
    settings.SECURE_HSTS_SECONDS = 1_000
    machine.get("purposes")
    through_django = Machine(machine.secret, client=Client())
    short, whole = (
        dict(one.post("events", missed(ada), X_Forwarded_Proto=scheme).headers)
        for one in (machine, through_django)
    )
    assert ("Strict-Transport-Security" in short) == (scheme == "https")
    assert short.pop("Content-Length")
    assert whole.pop("Content-Length")
    assert short == whole
