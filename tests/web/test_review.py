"""People → Review: proposals, side by side, merged, taken back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Organisation, User
from audit.models import Entry
from contacts.merge import proposing
from contacts.models import Contact, Merge, MergeProposal
from tests.conftest import NOON
from tests.consent.conftest import person

SignIn = Callable[[User], Client]


@pytest.fixture
def proposal(at_harbor: Organisation) -> MergeProposal:
    ada = person("ada", given_name="Ada", family_name="Canary", birth_date="1961-02-03")
    twin = person("twin", given_name="ada", family_name="CANARY", birth_date="1961-02-03")
    assert proposing.seek(now=NOON) == 1
    return MergeProposal.objects.get(first_id=ada, second_id=twin)


def test_what_may_be_one_person_is_listed_without_values(
    proposal: MergeProposal, omar: User, sign_in_as: SignIn
) -> None:
    page = sign_in_as(omar).get(reverse("people-review")).content.decode()
    assert "same name and date of birth" in page
    assert "Canary" not in page


def test_two_are_compared_masked_until_revealed(
    proposal: MergeProposal, omar: User, sign_in_as: SignIn
) -> None:
    client = sign_in_as(omar)
    masked = client.get(reverse("people-compare", args=[proposal.pk])).content.decode()
    opened = client.post(reverse("people-compare-values", args=[proposal.pk])).content.decode()
    assert ("Canary" in masked, "Canary" in opened) == (False, True)
    revealed = Entry.objects.filter(action="contact.revealed", actor_kind="staff")
    assert {entry.subject for entry in revealed} == {
        f"contact:{proposal.first_id}", f"contact:{proposal.second_id}",
    }  # fmt: skip


def test_hd04_a_merge_by_staff_is_taken_back_by_staff(
    proposal: MergeProposal, omar: User, sign_in_as: SignIn
) -> None:
    """HD-04"""
    client = sign_in_as(omar)
    client.post(reverse("people-merge", args=[proposal.pk]), {"stays": "second"})
    merged = Contact.objects.get(pk=proposal.first_id).merged_into
    old = Contact.objects.get(pk=proposal.first_id).public_id
    page = client.get(reverse("contact", args=[old]))
    client.post(reverse("people-unmerge", args=[Merge.objects.get().pk]))
    assert merged == proposal.second_id
    assert page.status_code == 200
    assert Contact.objects.get(pk=proposal.first_id).merged_into is None


def test_two_kept_apart_are_not_proposed_again(
    proposal: MergeProposal, omar: User, sign_in_as: SignIn
) -> None:
    sign_in_as(omar).post(reverse("people-different", args=[proposal.pk]))
    assert proposing.seek(now=NOON) == 0
    assert not MergeProposal.objects.filter(state="open").exists()


def test_a_marketer_merges_nobody(proposal: MergeProposal, mara: User, sign_in_as: SignIn) -> None:
    client = sign_in_as(mara)
    assert client.get(reverse("people-review")).status_code == 403
    answer = client.post(reverse("people-merge", args=[proposal.pk]), {"stays": "first"})
    assert (answer.status_code, Merge.objects.exists()) == (403, False)


def test_another_organisations_proposal_is_not_there(
    proposal: MergeProposal, hill: Organisation, sign_in_as: SignIn
) -> None:
    from accounts import staff, tenancy
    from accounts.roles import Role

    with tenancy.acting_for(hill.pk):
        olga = staff.add("olga@hill.example", name="Olga", role=Role.COMPLIANCE, now=NOON)
    answer = sign_in_as(olga).get(reverse("people-compare", args=[proposal.pk]))
    assert answer.status_code == 404


def test_two_of_ones_own_choice_are_compared(
    at_harbor: Organisation, omar: User, sign_in_as: SignIn
) -> None:
    names = [Contact.objects.get(pk=person(one)).public_id for one in ("a", "b")]
    client = sign_in_as(omar)
    made = client.post(reverse("people-review"), {"first": names[0], "second": names[1]})
    assert made.status_code == 302
    wrong = client.post(reverse("people-review"), {"first": names[0], "second": names[0]})
    assert "not two contacts" in wrong.content.decode()
