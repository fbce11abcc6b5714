"""Coverage before launch, and a person's whole consent on one page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit.models import Entry as TrailEntry
from consent import ledger
from consent.desk import coverage
from consent.desk.coverage import Sending
from contacts.merge import acts
from contacts.models import Contact
from contacts.segments import catalogue, membership
from contacts.segments.models import Segment
from tests.contacts.segments import world
from tests.web.test_consent import cleo, signed
from tests.web.test_consent_desk import desk, on_paper

__all__ = ["cleo", "desk"]

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
BOSTON = {"field": "city", "op": "equals", "value": "Boston"}
MARKETING = Sending(purpose="marketing", channel="email", classes=frozenset({"demographic"}))


@pytest.fixture
def audience(at_harbor: object) -> list[int]:
    """Four in Boston with an address: one signed, one withdrew, one said no, one never asked."""
    now = timezone.now()
    ids = world.add([{"city": "Boston", "email": f"p{n}@example.test"} for n in range(4)])
    for contact_id in ids[:3]:
        one = ledger.Signing(
            contact_id,
            frozenset({"marketing"}),
            frozenset({"demographic", "identity"}),
            now - timedelta(days=1),
            expires_on=(now + timedelta(days=100)).date(),
        )
        ledger.record_authorization(one, received_by="paper", now=now)
    ledger.revoke_all(ids[1], received_by="phone", now=now)
    ledger.opt_out(ids[2], received_by="phone", now=now)
    return ids


@pytest.fixture
def boston(audience: list[int]) -> Segment:
    segment = catalogue.save(name="Boston", tree=BOSTON, now=timezone.now())
    membership.refresh(segment, now=timezone.now())
    return segment


def test_each_refusal_is_counted_by_its_reason(audience: list[int]) -> None:
    found = coverage.cover(audience, MARKETING, now=timezone.now())
    assert (found.members, found.asked, found.permitted) == (4, 4, 1)
    assert dict(found.stopped) == {"auth_revoked": 1, "opted_out": 1, "no_authorization": 1}


def test_who_gets_an_answer_is_paged_without_a_gap(audience: list[int]) -> None:
    for one in audience[:3]:
        ledger.opt_out(one, received_by="phone", now=timezone.now())
    page = partial(coverage.people, sending=MARKETING, code="opted_out", now=timezone.now(), size=2)
    first, last = page(audience)
    rest, end = page([one for one in audience if one > (last or 0)])
    assert (first, rest, end) == (audience[:2], audience[2:3], None)


def test_what_was_not_asked_in_time_is_told(audience: list[int]) -> None:
    found = coverage.cover(audience, MARKETING, now=timezone.now(), enough=lambda: True)
    assert (found.members, found.asked, found.refused) == (4, 0, 0)


def test_the_officer_reads_one_sentence_and_the_list(desk: Client, boston: Segment) -> None:
    page = desk.get(f"/consent/coverage/?segment={boston.id}&purpose=marketing")
    assert page.context["summary"].startswith("1 permitted, 3 refused: ")
    assert "1 auth revoked" in page.context["summary"]
    asked = TrailEntry.objects.get(action="consent.asked").facts()
    assert (asked["permitted"], asked["refused"]) == (1, 3)
    people = desk.get(f"/consent/coverage/people/?segment={boston.id}&code=auth_revoked")
    assert len(people.context["people"]) == 1


def test_a_role_that_may_not_know_the_members_gets_no_small_number_and_no_list(
    sign_in_as: SignedIn, audience: list[int], mara: User
) -> None:
    """PR-40: cells below eleven are held back."""
    ill = {"field": "conditions", "op": "has_code", "codes": ["44054006"]}
    segment = catalogue.save(name="Well", tree={"not": ill}, now=timezone.now())
    membership.refresh(segment, now=timezone.now())
    client = sign_in_as(mara)
    page = client.get(f"/consent/coverage/?segment={segment.id}")
    assert "<11" in page.context["summary"]
    people = client.get(f"/consent/coverage/people/?segment={segment.id}&code=auth_revoked")
    assert "Your role sees counts only" in people.content.decode()


def test_the_printed_page_says_what_was_signed_and_when_it_ended(
    desk: Client, cleo: Contact
) -> None:
    """GD-02: form version, time, method, text and end stand on one page."""
    one = on_paper(cleo)
    ledger.revoke(one.id, received_by="letter", now=timezone.now())
    page = desk.get(f"/consent/{cleo.public_id}/history/").content.decode()
    assert one.form_version is not None
    for said in ("Classes, en, version 1", "I agree.", one.form_version.checksum, "Cleo C"):
        assert said in page
    assert "effective at once" in page and "Nothing was sent under it" in page


def test_what_a_merged_record_signed_is_told_of_the_person(desk: Client, cleo: Contact) -> None:
    signed(cleo, now=timezone.now())
    (other,) = world.add([{"city": "Boston"}])
    acts.merge(other, cleo.id, now=timezone.now())
    stands = Contact.objects.get(id=other)
    page = desk.get(f"/consent/{stands.public_id}/history/")
    assert len(page.context["agreements"]) == 1
    proof = page.context["agreements"][0]["one"].authorization.id
    assert desk.get(f"/consent/{stands.public_id}/authorizations/{proof}/").status_code == 200


def test_a_marketer_reads_the_history_without_the_signer(
    sign_in_as: SignedIn, mara: User, cleo: Contact
) -> None:
    signed(cleo, now=timezone.now())
    page = sign_in_as(mara).get(f"/consent/{cleo.public_id}/history/").content.decode()
    assert "A message" not in page and "Entered by staff" in page


def test_the_ledger_offers_no_way_to_delete(cleo: Contact) -> None:
    """PR-16: what was signed is kept; the database refuses to delete it."""
    from django.db import DatabaseError, transaction

    one = signed(cleo, now=timezone.now())
    with pytest.raises(DatabaseError), transaction.atomic():
        one.delete()
