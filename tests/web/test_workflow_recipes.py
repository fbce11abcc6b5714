"""The page of recipes, and who may start from one."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from tests.conftest import NOON
from workflows.models import Workflow

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
