"""Drafts, what is wrong with them, and approval by another person."""

from __future__ import annotations

from datetime import date, time

import pytest

from accounts.models import Organisation
from audit.actor import acting_as
from audit.models import Entry
from contacts.segments import catalogue
from contacts.segments.models import Segment
from marketing.campaigns import launching, planning
from marketing.campaigns.models import Campaign
from marketing.campaigns.planning import CampaignRefused, Draft
from messaging.models import Template
from tests.campaigns.conftest import MARA, NORA, Make, approve
from tests.conftest import NOON
from tests.messaging.conftest import approved, template
from tests.workflows.conftest import WOMEN


def faults(campaign: Campaign) -> set[str]:
    return {one.field for one in planning.problems(campaign, now=NOON)}


def test_a_whole_campaign_has_nothing_wrong(make: Make) -> None:
    assert faults(make()) == set()


def test_no_segment_and_no_message_are_named(make: Make) -> None:
    with acting_as(MARA):
        bare = planning.create(Draft(name="Bare", segment_id=None, templates=[]), now=NOON)
    assert faults(bare) == {"segment", "template_a"}


def test_a_message_without_an_approved_version_is_named(make: Make) -> None:
    assert faults(make(template("draft").id)) == {"template_a"}


def test_variants_of_two_purposes_are_refused(make: Make, letter: Template) -> None:
    other = template("visit", purpose="appointment")
    approved(other)
    assert faults(make(letter.id, other.id)) == {"template_b"}


def test_a_time_that_is_over_is_refused(make: Make) -> None:
    assert faults(make(starts_on=date(2026, 3, 1), starts_at=time(9))) == {"starts_on"}


def test_repeating_takes_a_first_time(make: Make) -> None:
    assert faults(make(repeats="FREQ=WEEKLY")) == {"starts_on"}


def test_awaiting_a_winner_takes_two_messages(make: Make) -> None:
    assert faults(make(trial_share=20)) == {"trial_share"}


def test_a_broken_segment_is_named(make: Make, women: Segment) -> None:
    made = make()
    Segment.objects.filter(pk=women.pk).update(status=Segment.Status.INVALID)
    assert faults(made) == {"segment"}


def test_what_is_wrong_cannot_be_sent_for_approval(make: Make) -> None:
    with acting_as(MARA), pytest.raises(CampaignRefused, match="approved version"):
        planning.ask_approval(make(template("draft").id).id, now=NOON)


def test_nobody_approves_ones_own(make: Make) -> None:
    """SE-20: the maker is never the checker."""
    with acting_as(MARA):
        asked = planning.ask_approval(make().id, now=NOON)
        with pytest.raises(CampaignRefused, match="Another person"):
            planning.decide(asked.id, approve=True, now=NOON)


def test_who_changed_it_last_does_not_approve_it_either(make: Make) -> None:
    made = make()
    with acting_as(NORA):
        planning.change(made.id, _draft(made), now=NOON)
    with acting_as(MARA):
        asked = planning.ask_approval(made.id, now=NOON)
    with acting_as(NORA), pytest.raises(CampaignRefused, match="Another person"):
        planning.decide(asked.id, approve=True, now=NOON)


def _draft(campaign: Campaign, **more: object) -> Draft:
    letters = [one.template_id for one in campaign.variants.all()]
    given = {"name": campaign.name, "segment_id": campaign.segment_id, "templates": letters}
    return Draft(**given | more)  # type: ignore[arg-type]


def test_a_refusal_says_what_must_change(make: Make) -> None:
    with acting_as(MARA):
        asked = planning.ask_approval(make().id, now=NOON)
    with acting_as(NORA):
        with pytest.raises(CampaignRefused, match="what must change"):
            planning.decide(asked.id, approve=False, now=NOON)
        planning.decide(asked.id, approve=False, reason="Wrong season", now=NOON)
    assert Campaign.objects.get().state == "draft"


def test_a_change_of_the_plan_voids_the_approval(make: Make) -> None:
    made = make()
    approve(made)
    with acting_as(MARA):
        planning.change(made.id, _draft(made, hold_out=10), now=NOON)
        with pytest.raises(CampaignRefused, match="approve it first"):
            launching.launch(made.id, now=NOON)


def test_a_change_of_the_segment_voids_the_approval(make: Make, women: Segment) -> None:
    """SE-20: the approval is of this audience and this content."""
    made = make()
    approve(made)
    catalogue.save(name="Women", tree={"not": WOMEN}, now=NOON, segment_id=women.id)
    with acting_as(MARA), pytest.raises(CampaignRefused, match="approved again"):
        launching.launch(made.id, now=NOON)


def test_a_newer_version_of_the_message_does_not_go_out_by_the_old_approval(
    make: Make, letter: Template
) -> None:
    made = make()
    approve(made)
    letter.subject = "Other news"
    newer = approved(letter)
    with acting_as(MARA):
        run = launching.launch(made.id, now=NOON)
    assert str(newer.id) not in run.pinned.values()


def test_each_act_is_in_the_trail(make: Make) -> None:
    approve(make())
    told = set(Entry.objects.values_list("action", flat=True))
    assert {"campaign.created", "campaign.approval_requested", "campaign.approved"} <= told


def test_a_campaign_of_another_organisation_is_not_there(make: Make, hill: Organisation) -> None:
    from accounts import tenancy

    made = make()
    with tenancy.acting_for(hill.pk):
        assert not Campaign.objects.filter(id=made.id).exists()
