"""The pages of campaigns, for those who may and those who may not."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from html import unescape
from uuid import uuid4

import pytest
from django.test import Client

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from consent import policy
from contacts.segments import membership
from contacts.segments.models import Segment
from marketing.campaigns import running
from marketing.campaigns.models import Campaign
from messaging.models import Template
from tests.campaigns.conftest import Make, approve, audience, launch, letter, make, send, women
from tests.conftest import NOON
from tests.workflows.conftest import people, sign

__all__ = ["audience", "letter", "make", "women"]
SignIn = Callable[[User], Client]


@pytest.fixture
def nora(harbor: Organisation) -> User:
    with tenancy.acting_for(harbor.pk):
        return staff.add("nora@harbor.example", name="Nora Wu", role=Role.APPROVER, now=NOON)


def fields(campaign: Campaign | None = None, **more: str) -> dict[str, str]:
    told = {"name": "Spring", "lasts_hours": "72", "hold_out": "0", "trial_share": "100",
            "trial_hours": "24", "goal_days": "14"}  # fmt: skip
    return told | more


def test_the_list_says_what_to_do_first(sign_in_as: SignIn, mara: User) -> None:
    html = sign_in_as(mara).get("/campaigns/").content.decode()
    assert "No campaigns yet" in html


def test_a_campaign_is_made_by_its_form(
    sign_in_as: SignIn, mara: User, women: Segment, letter: Template
) -> None:
    answer = sign_in_as(mara).post(
        "/campaigns/new/",
        fields(segment=str(women.pk), template_a=str(letter.pk), starts_on="2030-03-05",
               starts_at="09:00", repeats="WEEKLY", every="2", days="TU"),
    )  # fmt: skip
    made = Campaign.objects.get()
    assert answer["Location"] == f"/campaigns/{made.id}/"
    assert made.repeats == "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"


def test_a_day_without_a_time_is_named(sign_in_as: SignIn, mara: User, at_harbor: object) -> None:
    answer = sign_in_as(mara).post("/campaigns/new/", fields(starts_on="2030-03-05"))
    assert answer.status_code == 422
    assert b"Give both the day and the time" in answer.content


def test_what_is_wrong_stands_first_with_where_to_mend_it(
    sign_in_as: SignIn, mara: User, at_harbor: object
) -> None:
    client = sign_in_as(mara)
    client.post("/campaigns/new/", fields())
    html = client.get(f"/campaigns/{Campaign.objects.get().id}/").content.decode()
    assert "It cannot go out yet" in html
    assert "edit/#id_segment" in html


def test_the_check_says_how_many_and_why_not_the_rest(
    sign_in_as: SignIn, mara: User, make: Make, women: Segment, audience: list[int]
) -> None:
    membership.refresh(women, now=NOON)
    made = make()
    html = sign_in_as(mara).get(f"/campaigns/{made.id}/check/").content.decode()
    assert "<strong>12</strong>" in html
    assert "of 13 people" in html


def test_a_role_without_consent_sees_the_audience_rounded_and_no_reasons(
    sign_in_as: SignIn, nora: User, make: Make, women: Segment, audience: list[int]
) -> None:
    """PR-40: thirteen demographic members are few to who may not see why they are in."""
    membership.refresh(women, now=NOON)
    html = sign_in_as(nora).get(f"/campaigns/{make().id}/check/").content.decode()
    assert re.search(r"<strong>(&lt;11|about [1-5]0)</strong>", html)
    assert "Why not the rest" not in html


def test_mara_asks_nora_approves_mara_launches(
    sign_in_as: SignIn, mara: User, nora: User, make: Make, audience: list[int]
) -> None:
    made = make()
    path = f"/campaigns/{made.id}/"
    sign_in_as(mara).post(f"{path}approval/")
    asked = made.approvals.get()
    sign_in_as(nora).post(f"{path}approval/{asked.id}/", {"verdict": "approve"})
    sign_in_as(mara).post(f"{path}launch/")
    made.refresh_from_db()
    assert made.state == "live"


def test_the_page_of_a_run_counts_and_explains(
    sign_in_as: SignIn, mara: User, make: Make, audience: list[int]
) -> None:
    made = make()
    launch(made)
    send()
    html = sign_in_as(mara).get(f"/campaigns/{made.id}/").content.decode()
    assert "By mailbox provider" in html
    assert policy.REASONS["no_authorization"][1] in unescape(html)
    assert "100 % dealt with" in html


def test_the_whole_page_is_fetched_anew_when_the_run_is_over(
    sign_in_as: SignIn, mara: User, make: Make, audience: list[int]
) -> None:
    """What may be pressed stands outside of the part that moves."""
    campaign, client = make(), sign_in_as(mara)
    launch(campaign)
    running.run_once(now=NOON)
    address = f"/campaigns/{campaign.id}/runs/1/progress/"
    under_way = client.get(address)
    send()
    over = client.get(address)
    assert ("HX-Refresh" in under_way, over["HX-Refresh"]) == (False, "true")
    assert b"every 2s" in under_way.content and b"every 2s" not in over.content


def test_small_counts_are_held_back_from_the_approver(
    sign_in_as: SignIn, nora: User, make: Make, audience: list[int]
) -> None:
    made = make()
    launch(made)
    send()
    html = sign_in_as(nora).get(f"/campaigns/{made.id}/").content.decode()
    assert "&lt;11" in html
    assert ">12<" not in html


def test_the_calendar_foresees_what_repeats(sign_in_as: SignIn, mara: User, make: Make) -> None:
    make(starts_on=date(2030, 3, 5), starts_at=time(9), repeats="FREQ=WEEKLY;COUNT=2")
    html = sign_in_as(mara).get("/campaigns/calendar/?month=2030-03").content.decode()
    assert html.count("not launched") == 4  # twice in the grid, twice in the list


def test_a_conflict_names_the_other_campaign(
    sign_in_as: SignIn, mara: User, make: Make, women: Segment
) -> None:
    """CA-75: two departments write to the same people on one day."""
    sign(people(*(f"w{n}" for n in range(20)), gender="female"))
    membership.refresh(women, now=NOON)
    make(name="Cardiology", starts_on=date(2030, 3, 5), starts_at=time(9))
    mine = make(starts_on=date(2030, 3, 5), starts_at=time(15))
    html = sign_in_as(mara).get(f"/campaigns/{mine.id}/check/").content.decode()
    assert "Cardiology" in html
    assert "20 of the same people" in html


ACTS = ("approval/", "launch/", "pause/", "resume/", "cancel/", "copy/", "edit/")


@pytest.mark.parametrize("act", ACTS)
def test_an_analyst_does_nothing_to_a_campaign(
    sign_in_as: SignIn, harbor: Organisation, make: Make, act: str
) -> None:
    with tenancy.acting_for(harbor.pk):
        ana = staff.add("ana@harbor.example", name="Ana", role=Role.ANALYST, now=NOON)
    assert sign_in_as(ana).post(f"/campaigns/{make().id}/{act}").status_code == 403


@pytest.mark.parametrize("act", ["", "check/", *ACTS])
def test_another_organisation_finds_no_campaign_of_ours(
    sign_in_as: SignIn, hill: Organisation, make: Make, act: str
) -> None:
    with tenancy.acting_for(hill.pk):
        max_ = staff.add("max@hill.example", name="Max", role=Role.MARKETER, now=NOON)
    method = "get" if act in ("", "check/") else "post"
    assert getattr(sign_in_as(max_), method)(f"/campaigns/{make().id}/{act}").status_code == 404


def test_a_marketer_does_not_approve(sign_in_as: SignIn, mara: User, make: Make) -> None:
    assert sign_in_as(mara).post(f"/campaigns/{make().id}/approval/{uuid4()}/").status_code == 403


def test_what_was_launched_is_not_changed(
    sign_in_as: SignIn, mara: User, make: Make, women: Segment, letter: Template
) -> None:
    made = make(starts_on=date(2030, 3, 5), starts_at=time(9))
    launch(made)
    sign_in_as(mara).post(
        f"/campaigns/{made.id}/edit/",
        fields(name="Other", segment=str(women.pk), template_a=str(letter.pk)),
    )
    made.refresh_from_db()
    assert made.name == "Spring"


def test_a_copy_begins_as_a_draft_without_its_day(
    sign_in_as: SignIn, mara: User, make: Make
) -> None:
    made = make(starts_on=date(2030, 3, 5), starts_at=time(9))
    approve(made)
    sign_in_as(mara).post(f"/campaigns/{made.id}/copy/")
    copied = Campaign.objects.exclude(id=made.id).get()
    assert (copied.state, copied.starts_on, copied.variants.count()) == ("draft", None, 1)
