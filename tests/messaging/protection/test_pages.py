"""The pages of receivers and of the policy."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from accounts.models import User
from messaging.models import Pool, ProtectionPolicy, Receiver
from messaging.protect import By
from messaging.protection import policy, receivers
from messaging.protection.facts import Found, Server
from tests.conftest import NOON

SignIn = Callable[[User], Client]


def seen(domain: str) -> Receiver:
    receivers.known({domain}, now=NOON)
    row = next(one for one in Receiver.objects.all() if one.domain == domain)
    server = Server(f"mx.{domain}", reached=True, starttls=True, problem="wrong_name")
    receivers.keep(row, Found(domain, servers=(server,)), now=NOON)
    return row


def test_the_page_says_in_words_what_a_receivers_server_lacks(
    at_harbor: object, omar: User, sign_in_as: SignIn
) -> None:
    row = seen("small.example")
    client = sign_in_as(omar)
    page = client.get(reverse("receivers")).content.decode()
    assert "The certificate is made out to another name." in page
    assert "small.example" in page
    assert "mx.small.example" in client.get(reverse("receiver", args=[row.pk])).content.decode()


def test_who_may_not_see_addresses_sees_no_small_domains_name(
    at_harbor: object, admin: User, sign_in_as: SignIn
) -> None:
    row = seen("small.example")
    seen("gmail.com")
    client = sign_in_as(admin)
    page = client.get(reverse("receivers")).content.decode()
    assert "gmail.com" in page
    assert "small.example" not in page
    assert "small.example" not in client.get(reverse("receiver", args=[row.pk])).content.decode()


def test_each_pools_relay_is_told_apart(
    at_harbor: object, omar: User, sign_in_as: SignIn, settings: LazySettings
) -> None:
    """EM-28"""
    settings.SMTP_ONWARD_TLS = "enforced"
    Pool.objects.create(
        kind="marketing", host="relay.example", own=True, carrier="relay", changed_at=NOON
    )
    page = sign_in_as(omar).get(reverse("receivers")).content.decode()
    assert page.index("Transactional, Care") < page.index("over verified TLS or not at all")
    assert page.index("<h3>Marketing</h3>") < page.index("The relay promises nothing")


def test_a_marketer_opens_no_receivers(mara: User, sign_in_as: SignIn) -> None:
    assert sign_in_as(mara).get(reverse("receivers")).status_code == 403


def test_looking_again_makes_it_due(at_harbor: object, omar: User, sign_in_as: SignIn) -> None:
    row = seen("small.example")
    before = Receiver.objects.get(pk=row.pk).due_at
    sign_in_as(omar).post(reverse("receiver-again", args=[row.pk]))
    assert Receiver.objects.get(pk=row.pk).due_at != before


ROW = {"purpose": "*", "information": "clinical", "first": "portal"}


def test_a_stricter_row_is_in_force_at_once(
    at_harbor: object, omar: User, sign_in_as: SignIn
) -> None:
    client = sign_in_as(omar)
    assert client.post(reverse("protection"), ROW).status_code == 302
    assert policy.in_force().ways("marketing", "clinical") == (By.PORTAL,)
    assert client.get(reverse("protection")).status_code == 200


def test_a_weaker_row_waits_for_somebody_else(
    at_harbor: object, omar: User, admin: User, sign_in_as: SignIn
) -> None:
    weak = {"purpose": "*", "information": "hiv", "first": "smime", "second": "portal"}
    sign_in_as(omar).post(reverse("protection"), weak)
    waiting = ProtectionPolicy.objects.get()
    assert waiting.state == "proposed"
    decide = reverse("protection-decide", args=[waiting.pk])
    page = sign_in_as(omar).get(reverse("protection")).content.decode()
    assert "somebody else has to approve it" in page
    sign_in_as(omar).post(decide, {"decision": "approve"})
    assert policy.in_force().ways("marketing", "hiv") == (By.PORTAL,)
    sign_in_as(admin).post(decide, {"decision": "approve"})
    assert policy.in_force().ways("marketing", "hiv") == (By.SMIME, By.PORTAL)


def test_health_in_the_clear_is_refused_with_a_sentence(
    at_harbor: object, omar: User, sign_in_as: SignIn
) -> None:
    """EM-01"""
    answer = sign_in_as(omar).post(reverse("protection"), ROW | {"first": "relay"})
    assert answer.status_code == 422
    assert "cannot be allowed for it" in answer.content.decode()


def test_a_marketer_changes_no_policy(at_harbor: object, mara: User, sign_in_as: SignIn) -> None:
    assert sign_in_as(mara).post(reverse("protection"), ROW).status_code == 403
