"""By which ways a template reaches people, and for which audience it was approved (W8, SE-20)."""

from __future__ import annotations

from audit.actor import Actor, acting_as
from messaging import versions
from messaging.making import reviews
from messaging.making.models import ReviewRule, Step
from messaging.models import Template
from tests.conftest import NOON
from tests.messaging.conftest import template
from tests.workflows.conftest import Publish
from tests.workflows.graphs import series
from workflows import lint, paths


def reviewed(audience: list[str]) -> Template:
    """A template that compliance approved for this audience."""
    reviews.set_rules([ReviewRule(step=Step.COMPLIANCE)], now=NOON)
    draft = template("reviewed")
    draft.audience = audience
    draft.save()
    with acting_as(Actor("staff", "author")):
        version = versions.save(draft, now=NOON)
    with acting_as(Actor("staff", "omar")):
        reviews.give(version, step=Step.COMPLIANCE, verdict=reviews.Verdict.PASSED, now=NOON)
    return draft


def faults(mails: dict[str, Template], segment: str) -> set[tuple[str, str]]:
    raw = series(**{slug: {"template": str(one.id)} for slug, one in mails.items()})
    raw["trigger"] = {"kind": "segment", "segment": segment}
    return {(one.node, one.code) for one in lint.check(raw)[1]}


def test_a_way_names_what_its_audience_says(
    publish: Publish, mails: dict[str, Template], women: str
) -> None:
    workflow = publish(trigger={"kind": "segment", "segment": women})
    (way,) = paths.to_template(mails["educate"].id)
    assert (way.workflow, way.live, way.step) == (workflow, True, "educate")
    assert way.classes == {"demographic"}
    assert way.causes[0].fields == {"gender"}


def test_a_template_that_no_workflow_sends_has_no_way(mails: dict[str, Template]) -> None:
    assert paths.to_template(mails["educate"].id) == []


def test_an_approval_does_not_reach_an_audience_that_nobody_looked_at(
    mails: dict[str, Template], women: str
) -> None:
    """SE-20"""
    mails["educate"] = reviewed([])
    assert faults(mails, women) == {("educate", "approved_for_less")}


def test_an_approval_for_the_audience_is_enough(mails: dict[str, Template], women: str) -> None:
    """SE-20"""
    mails["educate"] = reviewed(["demographic"])
    assert faults(mails, women) == set()
