"""SE-18: where a call may go, and that it goes nowhere else."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from tests.workflows.webhooks.conftest import Receiver
from workflows.webhooks import addresses, client
from workflows.webhooks.addresses import AddressRefused, Policy
from workflows.webhooks.client import Answered, Unanswered

OPEN = Policy()
HERE = Policy(private=("127.0.0.1", "clinic.test"))


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
     "0.0.0.0", "224.0.0.1", "::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "2002:7f00:1::",
     "64:ff9b::a00:1", "64:ff9b::169.254.169.254", "240.0.0.1", "255.255.255.255"],
)  # fmt: skip
def test_an_address_inside_is_not_public(address: str) -> None:
    """SE-18"""
    assert not addresses.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::808:808"])
def test_an_address_outside_is_public(address: str) -> None:
    assert addresses.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://ehr.example.org/x", "not_encrypted"),
        ("https://user:secret@ehr.example.org/", "bad_address"),
        ("https://ehr.example.org/#part", "bad_address"),
        ("ftp://ehr.example.org/", "bad_address"),
        ("https:///nowhere", "bad_address"),
        ("https://ehr.example.org:99999/", "bad_address"),
        ("https://ehr.example.org/a b", "bad_address"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str, code: str) -> None:
    with pytest.raises(AddressRefused) as refused:
        addresses.read(url, OPEN)
    assert refused.value.code == code


def test_only_listed_hosts_are_called() -> None:
    """SE-18"""
    policy = Policy(hosts=("*.example.org",))
    assert addresses.read("https://ehr.example.org/x", policy).host == "ehr.example.org"
    for other in ("https://example.com/", "https://example.org.evil.com/", "https://example.org/"):
        with pytest.raises(AddressRefused, match="CALL_HOSTS"):
            addresses.read(other, policy)


def test_one_address_inside_among_public_ones_is_enough_to_refuse() -> None:
    """SE-18: nobody knows which of them would be taken."""
    said = client.post("https://two.example.org/", b"{}", {}, policy=OPEN,
                       resolve=lambda *_: ["93.184.216.34", "10.1.2.3"])  # fmt: skip
    assert said == Unanswered("address_inside", lasting=True)


def test_a_name_that_points_elsewhere_a_moment_later_gains_nothing(receiver: Receiver) -> None:
    """SE-18, DNS rebinding: the name is asked once, and that address is called."""
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.9.9.9"]

    said = client.post(f"http://clinic.test:{receiver.port}/hook", b"{}", {}, policy=HERE,
                       resolve=rebinding)  # fmt: skip
    assert said == Answered(200) and asked == ["clinic.test"]
    assert receiver.got[0][0]["host"] == f"clinic.test:{receiver.port}"


def test_loopback_needs_the_operators_word(receiver: Receiver) -> None:
    """SE-18"""
    said = client.post(receiver.url.replace("http", "https"), b"{}", {}, policy=OPEN)
    assert said == Unanswered("address_inside", lasting=True) and not receiver.got


def test_a_redirect_is_followed_nowhere(receiver: Receiver) -> None:
    """SE-18: 302 to localhost"""
    receiver.says(302, None, location=receiver.url + "/elsewhere")
    said = client.post(receiver.url, b"{}", {}, policy=HERE)
    assert isinstance(said, Answered) and said.status == 302 and len(receiver.got) == 1


def test_an_answer_without_end_is_not_read_to_the_end(receiver: Receiver) -> None:
    receiver.says(200, "x" * (client.MOST + 10))
    said = client.post(receiver.url, b"{}", {}, policy=HERE)
    assert said == Unanswered("answer_too_large", lasting=True)


def test_nobody_there_is_no_answer() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, but nobody listens
        url = f"http://127.0.0.1:{held.getsockname()[1]}/"
        assert client.post(url, b"{}", {}, policy=HERE) == Unanswered("no_connection")


def test_a_name_without_an_address_may_have_one_later() -> None:
    said = client.post("https://gone.example.org/", b"", {}, policy=OPEN, resolve=lambda *_: [])
    assert said == Unanswered("name_not_found")
