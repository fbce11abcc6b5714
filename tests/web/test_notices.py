"""The privacy notice, Part 2 consents, and samples, as the officer meets them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Organisation, User
from audit.models import Entry as TrailEntry
from consent import gate, ledger
from consent.gate import GateRequest
from consent.models import AuditSample, Notice, NoticeReceipt
from consent.notices import keeping
from consent.policy import Permit
from contacts.merge import acts
from contacts.models import Contact
from tests.contacts.segments import world
from tests.web.test_consent import cleo, signed
from tests.web.test_consent_desk import desk

__all__ = ["cleo", "desk"]

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]


def published(text: str = "How we use your records.", on: date = date(2026, 1, 1)) -> Notice:
    return keeping.publish(text, language="en", effective_on=on, now=timezone.now())


def test_the_version_in_force_is_the_one_of_the_day(at_harbor: Organisation) -> None:
    """PR-39: the form links the version in force on that date."""
    first = published()
    second = published("New words.", date(2026, 6, 1))
    assert keeping.in_force(date(2025, 12, 31)) is None
    assert keeping.in_force(date(2026, 5, 31)) == first
    assert keeping.in_force(date(2026, 6, 1)) == second


def test_a_published_notice_never_changes(at_harbor: Organisation) -> None:
    """PR-15, PR-39"""
    notice = published()
    with pytest.raises(DatabaseError), transaction.atomic():
        Notice.objects.filter(id=notice.id).update(effective_on=date(2020, 1, 1))


def test_whoever_got_no_notice_is_listed_until_one_is_recorded(desk: Client, cleo: Contact) -> None:
    """PR-39: the report lists contacts without any."""
    notice = published()
    assert desk.get("/consent/notices/").context["without"] == [cleo.public_id]
    told = {"notice": notice.id, "given_on": "2026-02-01", "received_by": "in_person"}
    address = f"/consent/{cleo.public_id}/notices/received/"
    desk.post(address, told | {"kind": "not_obtained"})
    assert desk.get("/consent/notices/").context["without"] == [cleo.public_id]
    assert desk.post(address, told | {"kind": "acknowledged"}).status_code == 302
    assert desk.get("/consent/notices/").context["without"] == []
    assert NoticeReceipt.objects.count() == 2


def test_what_a_merged_record_got_counts_for_the_person(cleo: Contact) -> None:
    """PR-39"""
    keeping.record(
        cleo.id,
        published(),
        kind="delivered",
        given_on=date(2026, 2, 1),
        received_by="letter",
        now=timezone.now(),
    )
    (other,) = world.add([{"city": "Boston"}])
    acts.merge(other, cleo.id, now=timezone.now())
    assert keeping.without() == []
    assert len(keeping.of_person(other)) == 1


def test_only_who_writes_forms_publishes_a_notice(
    sign_in_as: SignedIn, mara: User, desk: Client, at_harbor: Organisation
) -> None:
    words = {"language": "en", "effective_on": "2026-01-01", "text": "Our words."}
    assert sign_in_as(mara).post("/consent/notices/publish/", words).status_code == 403
    assert desk.post("/consent/notices/publish/", words).status_code == 302
    assert desk.post("/consent/notices/publish/", words).status_code == 422
    (notice,) = Notice.objects.all()
    assert "Our words." in desk.get(f"/consent/notices/{notice.id}/").content.decode()


def answer(contact: Contact, purpose: str) -> str:
    (told,) = gate.ask(
        [GateRequest(contact.id, purpose, classes=frozenset({"substance_use"}))],
        now=timezone.now(),
    )
    return "permit" if isinstance(told, Permit) else told.code


def part2(**more: object) -> dict[str, object]:
    return {"signed_on": "2026-01-15", "complete": "on", "received_by": "letter"} | more


def test_a_part2_consent_for_care_never_covers_marketing(desk: Client, cleo: Contact) -> None:
    """PR-29: a TPO consent is refused for marketing; a specific one is a separate object."""
    one = ledger.Signing(
        cleo.id,
        frozenset({"marketing"}),
        frozenset({"identity", "substance_use"}),
        timezone.now() - timedelta(days=1),
        expires_on=date(2099, 1, 1),
    )
    ledger.record_authorization(one, received_by="staff", now=timezone.now())
    address = f"/consent/{cleo.public_id}/part2/"
    assert desk.post(address, part2()).status_code == 302
    assert answer(cleo, "marketing") == "part2_scope"
    desk.post(address, part2(purposes=["marketing"], expires_on="2099-01-01"))
    assert answer(cleo, "marketing") == "permit"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"signed_on": "2999-01-01"}, "signed_on"),
        ({"purposes": ["marketing"]}, "expires_on"),
        ({"complete": ""}, "complete"),
    ],
)
def test_a_part2_paper_that_lacks_an_element_is_refused(
    desk: Client, cleo: Contact, more: dict[str, object], field: str
) -> None:
    """PR-29"""
    page = desk.post(f"/consent/{cleo.public_id}/part2/", part2(**more))
    assert page.status_code == 422
    assert field in page.context["part2_form"].errors


def test_a_sample_is_drawn_again_the_same_though_the_world_went_on(
    desk: Client, cleo: Contact
) -> None:
    made = [signed(cleo, now=timezone.now()) for _ in range(8)]
    page = desk.post("/consent/samples/", {"size": 3, "seed": "auditor-7", "state": "live"})
    drawn = [one["row"].id for one in desk.get(page["Location"]).context["rows"]]
    for one in made:
        ledger.revoke(one.id, received_by="phone", now=timezone.now())
    signed(cleo, now=timezone.now())
    again = desk.get(page["Location"])
    assert again.context["same"] is True
    assert [one["row"].id for one in again.context["rows"]] == drawn
    assert len(drawn) == 3
    assert AuditSample.objects.get().population == 8
    assert TrailEntry.objects.filter(action="consent.sampled").count() == 3


def test_another_seed_draws_others(desk: Client, cleo: Contact) -> None:
    for _ in range(12):
        signed(cleo, now=timezone.now())
    drawn = []
    for seed in ("one", "two"):
        page = desk.post("/consent/samples/", {"size": 6, "seed": seed})
        drawn.append([one["row"].id for one in desk.get(page["Location"]).context["rows"]])
    assert drawn[0] != drawn[1]


def test_who_only_looks_draws_no_sample(
    sign_in_as: SignedIn, mara: User, at_harbor: Organisation
) -> None:
    assert sign_in_as(mara).post("/consent/samples/", {"size": 3}).status_code == 403
