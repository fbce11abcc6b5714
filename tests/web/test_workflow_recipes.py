"""The page of recipes, and who may start from one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import MATRIX, Permission, Role
from messaging.models import Template
from tests.conftest import NOON
from workflows.models import Simulation, Workflow
from workflows.recipes import starters

SignIn = Callable[[User], Client]


def test_each_recipe_says_what_it_rests_on(sign_in_as: SignIn, mara: User) -> None:
    html = sign_in_as(mara).get("/workflows/recipes/").content.decode()
    assert html.count("Start from this") == 11
    assert "no authorization is needed" in html


def test_one_press_opens_its_draft_on_the_canvas(sign_in_as: SignIn, mara: User) -> None:
    client = sign_in_as(mara)
    answer = client.post("/workflows/recipes/", {"recipe": "appointment-reminder"})
    with tenancy.acting_for(mara.organisation_id):
        made = Workflow.objects.get()
    assert answer["Location"] == f"/workflows/{made.id}/draft/"
    assert "data-editor" in client.get(answer["Location"]).content.decode()


def test_a_recipe_that_is_none_is_not_found(sign_in_as: SignIn, mara: User) -> None:
    assert sign_in_as(mara).post("/workflows/recipes/", {"recipe": "x"}).status_code == 404


def test_an_analyst_starts_nothing(sign_in_as: SignIn, harbor: Organisation) -> None:
    with tenancy.acting_for(harbor.pk):
        ana = staff.add("ana@harbor.example", name="Ana", role=Role.ANALYST, now=NOON)
    assert sign_in_as(ana).get("/workflows/recipes/").status_code == 403


def test_a_role_that_writes_no_messages_may_look_and_is_told_why_it_starts_none(
    sign_in_as: SignIn, mara: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No role of today edits workflows and not templates; one may come, and must be held here."""
    narrow = MATRIX[Role.MARKETER] - {Permission.TEMPLATES_EDIT}
    monkeypatch.setitem(MATRIX, Role.MARKETER, narrow)
    client = sign_in_as(mara)
    page = client.get("/workflows/recipes/").content.decode()
    assert "which your role may not write" in page and "Start from this" not in page
    answer = client.post("/workflows/recipes/", {"recipe": "survey"}, follow=True)
    with tenancy.acting_for(mara.organisation_id):
        assert not Workflow.objects.exists() and not Template.objects.exists()
    assert "needs the right to write them" in answer.content.decode()


@pytest.mark.parametrize("slug", [one.slug for one in starters.every()])
def test_each_is_drawn_and_explained_before_anything_is_made(
    sign_in_as: SignIn, mara: User, slug: str
) -> None:
    page = sign_in_as(mara).get(f"/workflows/recipes/{slug}/").content.decode()
    assert "canvas-plan" in page and "Why so" in page and "An unknown template" not in page


def test_what_needs_no_segment_is_simulated_at_once(sign_in_as: SignIn, mara: User) -> None:
    page = sign_in_as(mara).post(
        "/workflows/recipes/", {"recipe": "appointment-reminder"}, follow=True
    )
    assert "see what became of them" in page.content.decode()
    with tenancy.acting_for(mara.organisation_id):
        assert Simulation.objects.get().result["people"] == 100
