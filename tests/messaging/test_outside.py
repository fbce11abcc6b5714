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
    answer = post(f"{server}/ok")
    assert len(answer.body) == outside.LARGEST
    assert answer.cut


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


@pytest.mark.parametrize("address", ["169.254.169.254", "10.0.0.5", "127.0.0.1", "::1"])
def test_a_name_that_leads_inside_is_not_called(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    names(monkeypatch, address)
    allowed = Hosts(public=frozenset({"gateway.example"}))
    assert code("https://gateway.example/x", allowed) == "address_not_public"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
     "0.0.0.0", "224.0.0.1", "::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "2002:7f00:1::",
     "64:ff9b::a00:1", "64:ff9b::169.254.169.254", "240.0.0.1", "255.255.255.255"],
)  # fmt: skip
def test_an_address_inside_is_not_public(address: str) -> None:
    """SE-18"""
    assert not outside.is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::808:808"])
def test_an_address_outside_is_public(address: str) -> None:
    assert outside.is_public(address)


def test_a_star_stands_for_everything_below_a_name_and_for_nothing_else() -> None:
    hosts = Hosts(public=frozenset({"*.example.org"}))
    assert hosts.allow("ehr.example.org") and hosts.allow("a.b.example.org")
    for other in ("example.org", "example.com", "example.org.evil.com", "evilexample.org"):
        assert not hosts.allow(other)


def test_a_name_that_points_elsewhere_a_moment_later_gains_nothing(server: str) -> None:
    """SE-18, DNS rebinding: the name is asked once, and that address is called."""
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.9.9.9"]

    url = server.replace("127.0.0.1", "clinic.test")
    hosts = Hosts(inside=frozenset({"clinic.test"}))
    answer = outside.call("POST", f"{url}/ok", hosts=hosts, body=b"{}", resolve=rebinding)
    assert answer.status == 200 and asked == ["clinic.test"]


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
        "https:///nowhere",
        "https://gateway.example:99999/",
        "https://gateway.example/a b",
        "https://[gateway.example/",
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
