"""Campaigns by machines: by the same rules as the pages, and never one's own approval."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from accounts import staff
from accounts.models import ApiKey, Organisation, User
from accounts.roles import SCOPES, Permission, Role
from audit.models import Entry
from contacts.segments import membership
from contacts.segments.models import Segment
from marketing.campaigns import figures
from marketing.campaigns.models import Campaign, CampaignApproval, Run
from messaging.models import Template
from messaging.paying.models import SendPayment
from tests.api.conftest import Machine, Maker, problem
from tests.campaigns.conftest import audience, letter, send, women
from tests.conftest import NOON

__all__ = ["audience", "letter", "women"]
LATER = {"starts_on": "2030-03-05", "starts_at": "09:00"}


@pytest.fixture
def plan(letter: Template, women: Segment) -> dict[str, Any]:
    return {
        "name": "Spring",
        "segment": str(women.pk),
        "variants": [{"template": str(letter.pk)}],
    }


@pytest.fixture
def second(at_harbor: Organisation, machine: Machine, machine_for: Maker, mara: User) -> Machine:
    """A key that another member of staff made than the first."""
    made = machine_for(at_harbor)
    nora = staff.add("nora@harbor.example", name="Nora Wu", role=Role.APPROVER, now=NOON)
    for one, by in ((machine, mara), (made, nora)):
        assert one.key is not None
        ApiKey.objects.filter(pk=one.key.pk).update(created_by=by)
    return made


def made(machine: Machine, plan: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = machine.post("campaigns", plan | more)
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def asked(machine: Machine, number: str) -> str:
    answer = machine.post(f"campaigns/{number}/approvals", {})
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def approved(machine: Machine, second: Machine, plan: dict[str, Any], **more: Any) -> str:
    number = str(made(machine, plan, **more)["id"])
    path = f"campaigns/{number}/approvals/{asked(machine, number)}/decision"
    answer = second.post(path, {"approve": True})
    assert answer.status_code == 200, answer.content
    assert answer.json()["stands"] is True
    return number


def test_a_campaign_is_drafted_and_read(machine: Machine, plan: dict[str, Any]) -> None:
    found = made(machine, plan, **LATER, repeats="FREQ=MONTHLY;BYDAY=1MO;COUNT=6")
    read = machine.get(f"campaigns/{found['id']}").json()
    assert read["plan"]["variants"] == [{**plan["variants"][0], "starts_at": None}]
    assert read["in_words"] == "every month on the first Monday, 6 times"
    assert len(read["next_times"]) == 5
    assert [one["id"] for one in machine.get("campaigns").json()["campaigns"]] == [found["id"]]


def test_what_is_left_out_of_a_change_stays(machine: Machine, plan: dict[str, Any]) -> None:
    number = made(machine, plan, **LATER)["id"]
    body = machine.patch(f"campaigns/{number}", {"starts_at": "15:00"}).json()
    assert (body["plan"]["starts_at"], body["plan"]["starts_on"]) == ("15:00:00", "2030-03-05")
    assert body["name"] == "Spring"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"repeats": "FREQ=HOURLY"}, "/repeats"),
        ({"starts_on": "2030-03-05"}, "/starts_at"),
        ({"segment": "0199f0a0-0000-7000-8000-000000000001"}, "/segment"),
        ({"variants": [{"template": "0199f0a0-0000-7000-8000-000000000001"}]},
         "/variants/0/template"),
        ({"hold_out": 91}, "/hold_out"),
        ({"lasts_hours": 0}, "/lasts_hours"),
        ({"ceiling": 10**12}, "/ceiling"),
        ({"goal_kind": "Booked!"}, "/goal_kind"),
        ({"state": "live"}, "/state"),
    ],
)  # fmt: skip
def test_a_draft_that_cannot_be_kept_names_the_field(
    machine: Machine, plan: dict[str, Any], change: dict[str, Any], pointer: str
) -> None:
    body = problem(machine.post("campaigns", plan | change), 422, "invalid")
    assert [one["pointer"] for one in body["errors"]] == [pointer]
    assert not Campaign.objects.exists()


def test_an_unsound_draft_is_kept_and_told(machine: Machine, at_harbor: Organisation) -> None:
    found = made(machine, {"name": "Half a thought"})
    assert [one["pointer"] for one in found["problems"]] == ["/segment", "/variants/0/template"]
    body = problem(machine.post(f"campaigns/{found['id']}/approvals", {}), 422, "invalid")
    assert [one["pointer"] for one in body["errors"]] == ["/segment", "/variants/0/template"]


def test_the_check_counts_and_says_why_not_the_rest(
    machine: Machine, plan: dict[str, Any], women: Segment, audience: list[int]
) -> None:
    membership.refresh(women, now=NOON)
    body = machine.get(f"campaigns/{made(machine, plan, ceiling=5)['id']}/check").json()
    assert (body["members"], body["over_the_ceiling"]) == (13, True)
    assert body["reach"]["permitted"] == 12
    (why,) = body["reach"]["not_permitted"]
    assert (why["code"], why["people"]) == ("no_authorization", 1)


def test_a_key_without_consent_gets_blurred_counts_and_no_reasons(
    harbor: Organisation,
    machine: Machine,
    machine_for: Maker,
    plan: dict[str, Any],
    women: Segment,
    audience: list[int],
) -> None:
    """PR-40"""
    membership.refresh(women, now=NOON)
    number = made(machine, plan)["id"]
    body = machine_for(harbor, [Permission.WORKFLOWS_VIEW]).get(f"campaigns/{number}/check").json()
    assert (body["exact"], body["reach"]) == (False, None)
    assert body["members"] in (None, 10, 20, 30, 40, 50)


def test_who_asked_does_not_approve(machine: Machine, plan: dict[str, Any]) -> None:
    """SE-20"""
    number = made(machine, plan)["id"]
    path = f"campaigns/{number}/approvals/{asked(machine, number)}/decision"
    body = problem(machine.post(path, {"approve": True}), 409, "conflict")
    assert "Another person must decide" in body["detail"]
    assert CampaignApproval.objects.get().verdict == "waiting"


def test_two_keys_of_one_person_are_not_two_people(
    machine: Machine, second: Machine, plan: dict[str, Any], mara: User
) -> None:
    """SE-20"""
    ApiKey.objects.update(created_by=mara)
    number = made(machine, plan)["id"]
    path = f"campaigns/{number}/approvals/{asked(machine, number)}/decision"
    problem(second.post(path, {"approve": True}), 409, "conflict")


def test_it_is_approved_launched_sent_and_counted(
    machine: Machine, second: Machine, plan: dict[str, Any], audience: list[int]
) -> None:
    number = approved(machine, second, plan)
    assert machine.post(f"campaigns/{number}/launch", {}).json()["state"] == "live"
    now = Run.objects.get().due_at
    send(now=now)
    figures.refresh(Run.objects.select_related("campaign").get(), now=now)
    body = machine.get(f"campaigns/{number}/runs/1/figures").json()
    told = body["figures"]
    assert (body["run"]["state"], told["audience"], told["sent"]) == ("done", 13, 12)
    assert told["refusals"] == {"no_authorization": 1}
    assert told["routes"]["mail"]["sent"] == 12
    assert told["providers"]["other"]["sent"] == 12
    assert told["by_people"] == {"opened": 0, "clicked": 0, "unsubscribed": 0, "complained": 0}


def test_nothing_launches_that_nobody_approved(machine: Machine, plan: dict[str, Any]) -> None:
    number = made(machine, plan)["id"]
    body = problem(machine.post(f"campaigns/{number}/launch", {}), 409, "conflict")
    assert "approve" in body["detail"]


def test_a_change_voids_the_approval(
    machine: Machine, second: Machine, plan: dict[str, Any]
) -> None:
    number = approved(machine, second, plan)
    assert machine.patch(f"campaigns/{number}", {"hold_out": 5}).json()["approval"] is None
    problem(machine.post(f"campaigns/{number}/launch", {}), 409, "conflict")


def test_a_repeated_launch_launches_once(
    machine: Machine, second: Machine, plan: dict[str, Any]
) -> None:
    number = approved(machine, second, plan, **LATER)
    first = machine.post(f"campaigns/{number}/launch", {}, Idempotency_Key="l1")
    again = machine.post(f"campaigns/{number}/launch", {}, Idempotency_Key="l1")
    assert again.json() == first.json()
    assert again["Idempotent-Replayed"] == "true"
    assert Run.objects.count() == 1


def test_the_key_of_a_launch_does_not_serve_a_cancellation(
    machine: Machine, second: Machine, plan: dict[str, Any]
) -> None:
    number = approved(machine, second, plan, **LATER)
    machine.post(f"campaigns/{number}/launch", {}, Idempotency_Key="l1")
    answer = machine.post(f"campaigns/{number}/cancellation", {}, Idempotency_Key="l1")
    problem(answer, 409, "key-reused")


def test_it_is_paused_resumed_and_cancelled(
    machine: Machine, second: Machine, plan: dict[str, Any]
) -> None:
    number = approved(machine, second, plan, **LATER)
    machine.post(f"campaigns/{number}/launch", {})
    assert machine.post(f"campaigns/{number}/pause", {}).json()["state"] == "paused"
    problem(machine.post(f"campaigns/{number}/pause", {}), 409, "conflict")
    assert machine.post(f"campaigns/{number}/resumption", {}).json()["state"] == "live"
    ended = machine.post(f"campaigns/{number}/cancellation", {}).json()
    assert ended["state"] == "cancelled"
    problem(machine.post(f"campaigns/{number}/cancellation", {}), 409, "conflict")


def test_a_copy_begins_as_a_draft(machine: Machine, plan: dict[str, Any]) -> None:
    number = made(machine, plan, **LATER)["id"]
    copied = machine.post(f"campaigns/{number}/copies", {}).json()
    assert (copied["state"], copied["plan"]["starts_on"]) == ("draft", None)


def test_the_calendar_foresees_what_repeats(machine: Machine, plan: dict[str, Any]) -> None:
    """CA-75"""
    made(machine, plan, **LATER, repeats="FREQ=WEEKLY;COUNT=2")
    path = "campaigns/calendar?since=2030-03-01T00:00:00Z&until=2030-04-01T00:00:00Z"
    entries = machine.get(path).json()["entries"]
    assert [(one["name"], one["kind"]) for one in entries] == [("Spring", "planned")] * 2


def test_a_calendar_of_a_century_is_not_drawn(machine: Machine, at_harbor: Organisation) -> None:
    path = "campaigns/calendar?since=2030-01-01T00:00:00Z&until=2130-01-01T00:00:00Z"
    body = problem(machine.get(path), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/until"


PAID = {"payer": "Acme", "product_of": "Acme", "kind": "cash", "amount": 150}


def test_a_payment_is_stated_and_never_taken_back(machine: Machine, plan: dict[str, Any]) -> None:
    """PR-02"""
    path = f"campaigns/{made(machine, plan)['id']}/payments"
    assert machine.post(path, PAID, Idempotency_Key="p").status_code == 201
    assert machine.post(path, PAID, Idempotency_Key="p").status_code == 201
    (row,) = machine.get(path).json()["payments"]
    assert (row["payer"], row["amount"], row["step"]) == ("Acme", 150, "")
    assert machine.delete(path).status_code == 405


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"payer": " "}, "/payer"),
        ({"amount": -1}, "/amount"),
        ({"kind": "cattle"}, "/kind"),
        ({"step": "invite"}, "/step"),
    ],
)
def test_a_payment_that_decides_nothing_is_refused(
    machine: Machine, plan: dict[str, Any], change: dict[str, Any], pointer: str
) -> None:
    path = f"campaigns/{made(machine, plan)['id']}/payments"
    body = problem(machine.post(path, PAID | change), 422, "invalid")
    assert [one["pointer"] for one in body["errors"]] == [pointer]
    assert not SendPayment.objects.exists()


def test_a_forecast_counts_ways_and_sends_nothing(
    machine: Machine, women: Segment, letter: Template, audience: list[int], settings: Any
) -> None:
    """EM-16"""
    settings.SMTP_ONWARD_TLS = "enforced"
    membership.refresh(women, now=NOON)
    body = machine.post("forecasts", {"segment": str(women.pk), "template": str(letter.pk)}).json()
    assert body["ways"] == {"mail": 12, "smime": 0, "pgp": 0, "portal": 0, "looked_up": 0,
                            "blocked": 1}  # fmt: skip
    assert body["in_words"] == "12 Mail over TLS, 1 Blocked"
    assert Entry.objects.filter(action="protection.forecast").count() == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({}, "/purpose"),
        ({"purpose": "treatment", "template": str(UUID(int=1))}, "/purpose"),
        ({"template": str(UUID(int=1))}, "/template"),
        ({"segment": str(UUID(int=1)), "purpose": "treatment"}, "/segment"),
        ({"purpose": "treatment", "classes": ["gossip"]}, "/classes/0"),
    ],
)
def test_a_forecast_that_cannot_be_asked_names_the_field(
    machine: Machine, women: Segment, change: dict[str, Any], pointer: str
) -> None:
    body = problem(machine.post("forecasts", {"segment": str(women.pk)} | change), 422, "invalid")
    assert [one["pointer"] for one in body["errors"]] == [pointer]


def test_each_act_needs_its_own_scope(
    harbor: Organisation, machine: Machine, machine_for: Maker, plan: dict[str, Any]
) -> None:
    number = made(machine, plan)["id"]
    reader = machine_for(harbor, [Permission.WORKFLOWS_VIEW])
    for act in ("approvals", "launch", "pause", "resumption", "cancellation", "copies", "payments"):
        problem(reader.post(f"campaigns/{number}/{act}", {}), 403, "scope-missing")
    editor = machine_for(harbor, set(SCOPES) - {Permission.CAMPAIGNS_APPROVE})
    path = f"campaigns/{number}/approvals/{asked(machine, number)}/decision"
    problem(editor.post(path, {"approve": True}), 403, "scope-missing")


def test_another_organisation_finds_nothing_of_ours(
    hill: Organisation, machine: Machine, machine_for: Maker, plan: dict[str, Any]
) -> None:
    """SE-01: neither the campaign, nor our segment and message in a draft of its own."""
    number = made(machine, plan)["id"]
    stranger = machine_for(hill)
    problem(stranger.get(f"campaigns/{number}"), 404, "not-found")
    assert stranger.get("campaigns").json() == {"campaigns": [], "next": None}
    body = problem(stranger.post("campaigns", plan), 422, "invalid")
    assert [one["pointer"] for one in body["errors"]] == ["/segment", "/variants/0/template"]
    asked_of = {"segment": plan["segment"], "purpose": "treatment"}
    problem(stranger.post("forecasts", asked_of), 422, "invalid")


def test_a_huge_body_is_refused_before_it_is_read(machine: Machine) -> None:
    raw = b'{"name": "' + b"x" * (17 * 1024 * 1024) + b'"}'
    problem(machine.post_raw("campaigns", raw), 413, "too-large")


def test_a_page_that_nobody_gave_is_named(machine: Machine, at_harbor: Organisation) -> None:
    body = problem(machine.get("campaigns?after=1%20or%201=1"), 422, "invalid")
    assert body["errors"][0]["pointer"] == "/after"
