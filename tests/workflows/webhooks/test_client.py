"""What a call of an endpoint comes to."""

from __future__ import annotations

import socket

from messaging import outside
from messaging.outside import Hosts
from tests.workflows.webhooks.conftest import Receiver
from workflows.webhooks import client
from workflows.webhooks.client import Answered, Said, Unanswered

HERE = Hosts(inside=frozenset({"127.0.0.1", "clinic.test"}))
EHR = Hosts(public=frozenset({"ehr.example.org"}))


def post(url: str, hosts: Hosts = HERE, *addresses: str) -> Said:
    return client.post(url, b"{}", {}, hosts=hosts, resolve=lambda *_: addresses or ("127.0.0.1",))


def test_the_receiver_hears_by_which_name_it_was_called(receiver: Receiver) -> None:
    said = post(f"http://clinic.test:{receiver.port}/hook")
    assert said == Answered(200)
    assert receiver.got[0][0]["host"] == f"clinic.test:{receiver.port}"


def test_one_address_inside_among_public_ones_is_enough_to_refuse() -> None:
    """SE-18: nobody knows which of them would be taken."""
    said = post("https://ehr.example.org/", EHR, "93.184.216.34", "10.1.2.3")
    assert said == Unanswered("address_not_public", lasting=True)


def test_only_listed_hosts_are_called(receiver: Receiver) -> None:
    """SE-18"""
    assert post(receiver.url, EHR) == Unanswered("host_not_allowed", lasting=True)
    assert not receiver.got


def test_a_redirect_is_followed_nowhere(receiver: Receiver) -> None:
    """SE-18: 302 to localhost"""
    receiver.says(302, None, location=receiver.url + "/elsewhere")
    said = post(receiver.url)
    assert isinstance(said, Answered) and said.status == 302 and len(receiver.got) == 1


def test_an_answer_without_end_is_not_read_to_the_end(receiver: Receiver) -> None:
    receiver.says(200, "x" * (outside.LARGEST + 10))
    assert post(receiver.url) == Unanswered("answer_too_large", lasting=True)


def test_nobody_there_is_asked_again() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, but nobody listens
        url = f"http://127.0.0.1:{held.getsockname()[1]}/"
        assert post(url) == Unanswered("connect_failed")


def test_a_name_without_an_address_may_have_one_later() -> None:
    said = client.post("https://ehr.example.org/", b"", {}, hosts=EHR, resolve=lambda *_: [])
    assert said == Unanswered("name_not_found")
