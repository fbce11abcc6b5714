"""Settings of the pools, and Delivery's page of what goes out."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from django.utils import timezone

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from audit.actor import Actor, acting_as
from messaging.models import DestinationLimit, Message, Pool, Stop
from messaging.pools import fencing, pausing
from tests.messaging.conftest import SOURCE, Enqueue

SignedIn = Callable[[User], Client]
RELAY = {
    "carrier": "relay",
    "host": "relay.vendor.example",
    "port": "587",
    "security": "starttls",
    "onward": "enforced",
    "secret": "open sesame",
    "agreement_from": "2026-01-01",
    "connections": "8",
    "warm_up_first": "50",
    "opens": "09:00",
    "closes": "17:00",
}


def administrator(harbor: Organisation) -> User:
    with tenancy.acting_for(harbor.pk):
        return staff.add(
            "alma@harbor.example", name="Alma Berg", role=Role.ADMINISTRATOR, now=timezone.now()
        )


def test_an_administrator_gives_a_pool_its_relay(
    harbor: Organisation, sign_in_as: SignedIn
) -> None:
    """EM-28"""
    client = sign_in_as(administrator(harbor))
    assert client.post("/settings/pools/marketing/", RELAY).status_code == 302
    page = client.get("/settings/pools/marketing/").content.decode()
    assert "relay.vendor.example" in page
    assert "sesame" not in page
    client.post("/settings/pools/marketing/", RELAY | {"secret": "", "connections": "9"})
    with tenancy.acting_for(harbor.pk):
        row = Pool.objects.get()
        assert (row.secret, row.connections) == ("open sesame", 9)
    assert "relay.vendor.example:587" in client.get("/settings/pools/").content.decode()


def test_what_is_wrong_with_a_relay_is_said_and_nothing_is_kept(
    harbor: Organisation, sign_in_as: SignedIn
) -> None:
    wrong = RELAY | {"host": "", "agreement_from": "", "closes": ""}
    answer = sign_in_as(administrator(harbor)).post("/settings/pools/care/", wrong)
    page = answer.content.decode()
    assert answer.status_code == 422
    for said in ("Name the relay", "Say since when the vendor", "Give both ends"):
        assert said in page
    with tenancy.acting_for(harbor.pk):
        assert not Pool.objects.exists()


def test_providers_are_limited_and_freed(harbor: Organisation, sign_in_as: SignedIn) -> None:
    client = sign_in_as(administrator(harbor))
    client.post("/settings/pools/care/limits/", {"provider": "gmail", "per_minute": "60"})
    with tenancy.acting_for(harbor.pk):
        row = DestinationLimit.objects.get()
    assert "Gmail" in client.get("/settings/pools/care/").content.decode()
    client.post(f"/settings/pools/care/limits/{row.pk}/end/")
    with tenancy.acting_for(harbor.pk):
        assert not DestinationLimit.objects.exists()


def test_compliance_sees_pools_and_changes_none(
    harbor: Organisation, omar: User, sign_in_as: SignedIn
) -> None:
    client = sign_in_as(omar)
    assert client.get("/settings/pools/marketing/").status_code == 200
    assert client.post("/settings/pools/marketing/", RELAY).status_code == 403


def test_a_marketer_sees_no_pools(harbor: Organisation, mara: User, sign_in_as: SignedIn) -> None:
    client = sign_in_as(mara)
    for path in ("/settings/pools/", "/delivery/out/"):
        assert client.get(path).status_code == 403


def test_whoever_sees_trouble_pauses_and_an_administrator_resumes_with_the_counts_before_her(
    harbor: Organisation, omar: User, sign_in_as: SignedIn, enqueue: Enqueue, ada: int
) -> None:
    """Pain 5 and 7"""
    enqueue([ada])
    sign_in_as(omar).post("/delivery/out/pause/", {"source": str(SOURCE)})
    client = sign_in_as(administrator(harbor))
    page = client.get("/delivery/out/").content.decode()
    assert "What becomes of the" in page
    assert "by Omar Haddad" in page
    stop = Stop.objects.get()
    assert sign_in_as(omar).post(f"/delivery/out/{stop.pk}/resume/").status_code == 403
    client.post(f"/delivery/out/{stop.pk}/resume/", {"choice": "skip"})
    assert Message.objects.get().state == "cancelled"
    assert "Skip it" in client.get("/delivery/out/").content.decode()


def test_a_stopped_pool_is_told_on_home(
    harbor: Organisation, omar: User, sign_in_as: SignedIn
) -> None:
    """EM-13"""
    with tenancy.acting_for(harbor.pk):
        Stop.objects.create(
            pool="marketing", cause="complaints", tried=10_000, bad=30,
            began_at=timezone.now(), began_by="guard",
        )  # fmt: skip
    client = sign_in_as(omar)
    assert "sending pool needs a look" in client.get("/").content.decode()
    page = client.get("/delivery/out/").content.decode()
    assert "30 complaints among 10,000 (0.30 %)" in page
    assert "stopped by itself" in page


def test_a_fence_is_shown_and_lifted_with_the_relays_log(
    harbor: Organisation, sign_in_as: SignedIn, enqueue: Enqueue, ada: int
) -> None:
    """Pain 9"""
    from django.core.files.uploadedfile import SimpleUploadedFile

    enqueue([ada])
    row = Message.objects.get()
    with acting_as(Actor("system", "test")):
        fencing.keep(fencing._database()[1] + 1)
        fencing.check(now=timezone.now())
    domain = "localhost.localdomain"
    line = f"postfix/cleanup[1]: A1: message-id=<{row.public_id.hex}@{domain}>\n"
    client = sign_in_as(administrator(harbor))
    assert "older than what was sent" in client.get("/delivery/out/").content.decode()
    log = SimpleUploadedFile("mail.log", line.encode())
    answer = client.post("/delivery/out/fence/", {"log": log, "agreed": "on"})
    assert answer.status_code == 302
    row.refresh_from_db()
    assert row.state == "sent"
    assert fencing.fence() is None
    fencing._path().unlink(missing_ok=True)


def test_another_organisations_pools_are_not_ours_to_see(
    harbor: Organisation, ivy: User, sign_in_as: SignedIn
) -> None:
    with tenancy.acting_for(harbor.pk):
        stop = pausing.pause(pool="care", now=timezone.now())
    client = sign_in_as(ivy)
    assert "Care: paused" not in client.get("/delivery/out/").content.decode()
    client.post(f"/delivery/out/{stop.pk}/resume/", {"choice": "send"})
    with tenancy.acting_for(harbor.pk):
        assert Stop.objects.get().ended_at is None
