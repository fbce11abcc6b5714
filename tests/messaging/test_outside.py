"""SE-18: calls outside go where the operator allowed, and nowhere inside by a trick of names."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from messaging import outside
from messaging.outside import Hosts, NoAnswer, NotCalled
from messaging.protect import Hop

INSIDE = Hosts(inside=frozenset({"127.0.0.1"}))


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/away":
            self.send_response(302)
            self.send_header("location", "http://169.254.169.254/latest/")
        elif self.path == "/cut":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        else:
            self.send_response(200)
        body = b"x" * (1024 * 1024)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    made = HTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{made.server_address[1]}"
    made.shutdown()
    made.server_close()


def post(url: str, hosts: Hosts = INSIDE) -> outside.Answer:
    return outside.call("POST", url, hosts=hosts, body=b"{}")


def names(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name lead to these addresses."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: found)


def test_an_answer_is_read_up_to_a_limit(server: str) -> None:
    assert len(post(f"{server}/ok").body) == outside.LARGEST


def test_a_redirect_is_not_followed(server: str) -> None:
    assert post(f"{server}/away").status == 302


def test_no_answer_after_sending_is_unclear(server: str) -> None:
    with pytest.raises(NoAnswer):
        post(f"{server}/cut")


def code(url: str, hosts: Hosts) -> str:
    with pytest.raises(NotCalled) as refused:
        post(url, hosts)
    return refused.value.code


def test_a_host_that_is_not_allowed_is_not_called(server: str) -> None:
    assert code(f"{server}/ok", Hosts()) == "host_not_allowed"


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "10.0.0.5", "127.0.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0"]
)
def test_a_name_that_leads_inside_is_not_called(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    names(monkeypatch, address)
    allowed = Hosts(public=frozenset({"gateway.example"}))
    assert code("https://gateway.example/x", allowed) == "address_not_public"


def test_one_address_inside_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, "93.184.216.34", "10.0.0.5")
    allowed = Hosts(public=frozenset({"gateway.example"}))
    assert code("https://gateway.example/x", allowed) == "address_not_public"


def test_http_leaves_no_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, "10.0.0.5")
    allowed = Hosts(inside=frozenset({"gateway.internal"}))
    assert code("http://gateway.internal/x", allowed) == "tls_unverified"


def test_nobody_there_is_not_sent() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert code(f"http://127.0.0.1:{port}/", INSIDE) == "connect_failed"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://gateway.example/",
        "https://user:pass@gateway.example/",
        "https://gateway.example/#x",
        "gateway.example",
        "http://gateway.example/",
        "https://other.example/",
        "https://gateway.example.evil.example/",
    ],
)
def test_a_form_hears_what_is_wrong_with_an_address(url: str) -> None:
    assert outside.problem(url, Hosts(public=frozenset({"gateway.example"})))


@pytest.mark.parametrize(
    ("url", "hop"),
    [
        ("https://gateway.example/", Hop.VERIFIED),
        ("http://127.0.0.1:1/", Hop.SAME_HOST),
        ("http://10.0.0.5/", Hop.CLEAR),
    ],
)
def test_the_way_there_is_known(url: str, hop: Hop) -> None:
    assert outside.hop(url) is hop
