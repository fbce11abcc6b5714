"""PR-16: proofs of consent are kept six years from creation or last effect, the later."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from accounts import tenancy
from accounts.models import Organisation
from audit.models import Entry as TrailEntry
from consent import ledger
from consent.ledger import Signing
from consent.models import Authorization, Entry, Restriction
from consent.notices import keeping as notices
from consent.retention import keeping
from consent.signing import designing, signing
from consent.signing.models import Copy, Signature
from consent.signing.signing import Signer
from consent.wishes import record
from contacts import erase
from tests.conftest import NOON
from tests.consent.conftest import person
from tests.consent.test_signing import form

BEGAN = datetime(2020, 1, 1, 17, tzinfo=UTC)
LONG_AGO = datetime(2010, 1, 1, 17, tzinfo=UTC)


def signed(contact_id: int, *, at: datetime = BEGAN, **more: object) -> Authorization:
    given = {"expires_on": date(2030, 1, 1)} | more
    signing_ = Signing(contact_id, frozenset({"marketing"}), frozenset({"identity"}), at, **given)  # type: ignore[arg-type]
    return Authorization.objects.get(
        id=ledger.record_authorization(signing_, received_by="paper", now=at)
    )


def offered(on: date) -> set[object]:
    return {one.id for one in keeping.offered(on=on)}


def test_a_withdrawn_authorization_is_kept_six_years_from_its_withdrawal(ada: int) -> None:
    """PR-16"""
    one = signed(ada)
    ledger.revoke(one.id, received_by="phone", now=datetime(2026, 6, 1, 12, tzinfo=UTC))
    assert offered(date(2032, 5, 31)) == set()
    assert offered(date(2032, 6, 2)) == {one.id}


def test_an_expired_one_is_kept_six_years_from_its_last_day(ada: int) -> None:
    """PR-16: created in 2020, in effect until the end of 2024."""
    one = signed(ada, expires_on=date(2024, 12, 31))
    assert offered(date(2030, 12, 31)) == set()
    assert offered(date(2031, 1, 1)) == {one.id}


def test_a_withdrawal_after_the_last_day_is_kept_as_long_as_itself(ada: int) -> None:
    """PR-16: the revocation is a document, too."""
    one = signed(ada, expires_on=date(2024, 12, 31))
    ledger.revoke(one.id, received_by="letter", now=datetime(2026, 6, 1, 12, tzinfo=UTC))
    assert offered(date(2032, 5, 31)) == set()
    assert offered(date(2032, 6, 2)) == {one.id}


def test_what_is_still_in_effect_is_never_offered(ada: int) -> None:
    """PR-16: it waits for an event that has not come."""
    signed(ada, expires_on=None, expires_event="treatment.ended")
    assert offered(date(2100, 1, 1)) == set()
    (kept, *_) = keeping.standing(on=date(2100, 1, 1))
    assert (kept.in_effect, kept.within, kept.offered) == (1, 0, 0)


def test_a_restriction_ended_by_notice_goes_on_binding_and_is_kept(ada: int) -> None:
    """PR-16, PR-23"""
    bound = record.restrict(ada, received_by="letter", now=LONG_AGO)
    over = record.restrict(ada, received_by="letter", now=LONG_AGO)
    record.end_restriction(bound, how="notice", received_by="staff", now=LONG_AGO)
    record.end_restriction(over, how="agreement", received_by="staff", now=LONG_AGO)
    assert offered(date(2016, 1, 1)) == set()
    assert offered(date(2016, 1, 2)) == {over}


def test_notices_and_their_receipts_are_kept_from_the_day_they_were_replaced(ada: int) -> None:
    """PR-16, PR-39"""
    old = notices.publish("Old.", language="en", effective_on=date(2010, 1, 1), now=LONG_AGO)
    notices.publish("New.", language="en", effective_on=date(2012, 1, 1), now=LONG_AGO)
    receipt = notices.record(
        ada, old, kind="delivered", given_on=date(2010, 1, 1), received_by="letter", now=LONG_AGO
    )
    assert offered(date(2016, 1, 2)) == {receipt.id}
    assert offered(date(2018, 1, 2)) == {receipt.id, old.id}


def test_an_erased_person_takes_no_proof_along(ada: int) -> None:
    """PR-16, GD-03: deleting the contact keeps it."""
    one = signed(ada)
    ledger.revoke(one.id, received_by="phone", now=datetime(2026, 6, 1, 12, tzinfo=UTC))
    erase.erase(ada, now=NOON)
    assert Authorization.objects.filter(id=one.id).exists()
    (row,) = keeping.offered(on=date(2032, 6, 2))
    assert row.erased


def test_a_purge_takes_what_is_over_with_all_that_belongs_to_it(ada: int, ben: int) -> None:
    """PR-16: counts in the trail, the ledger's acts stay."""
    made = form()
    gone = signing.take_paper(
        ada,
        designing.in_language(made, "en"),
        Signer(name="Ada"),
        scan=b"%PDF-1.7",
        signed_at=LONG_AGO,
        now=LONG_AGO,
    )
    signing.give_copy(gone, how="paper", sha256=b"x", now=LONG_AGO)
    ledger.revoke(gone.id, received_by="phone", now=LONG_AGO + timedelta(days=1))
    stays = signed(ben)
    assert keeping.purge() == {"authorization": 1}
    assert list(Authorization.objects.all()) == [stays]
    assert not Signature.objects.exists() and not Copy.objects.exists()
    assert Entry.objects.filter(concerns=gone.id).count() == 2
    said = TrailEntry.objects.get(action="consent.purged").detail
    assert json.loads(said) == {"kind": "authorization", "count": 1}
    assert keeping.purge() == {}


def test_a_purge_of_another_number_than_was_shown_removes_nothing(ada: int) -> None:
    """PR-16"""
    one = signed(ada, at=LONG_AGO, expires_on=date(2011, 1, 1))
    with pytest.raises(keeping.CountChanged):
        keeping.purge(expected=2)
    assert Authorization.objects.filter(id=one.id).exists()


def test_the_database_lets_nobody_purge_by_another_door(ada: int) -> None:
    """PR-16: not even whoever pretends to be the purge."""
    one = signed(ada, at=LONG_AGO, expires_on=date(2011, 1, 1))
    with pytest.raises(DatabaseError), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("select set_config('attune.purging', 'on', true)")
        Authorization.objects.filter(id=one.id).delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        Restriction.objects.filter(id=record.restrict(ada, received_by="x", now=NOON)).delete()


def test_a_purge_reaches_no_other_organisation(ada: int, hill: Organisation) -> None:
    """PR-16, SE-01"""
    one = signed(ada, at=LONG_AGO, expires_on=date(2011, 1, 1))
    with tenancy.acting_for(hill.pk):
        assert keeping.purge() == {} and keeping.offered(on=date(2100, 1, 1)) == []
    assert Authorization.objects.filter(id=one.id).exists()


def test_a_command_says_what_may_go_and_purges_on_demand(ada: int, harbor: Organisation) -> None:
    """PR-16"""
    signed(ada, at=LONG_AGO, expires_on=date(2011, 1, 1))
    signed(person("dora"), expires_on=date(2024, 12, 31))
    said = StringIO()
    call_command("consent_retention", "--organisation=harbor", "--on=2026-11-01", stdout=said)
    line = "authorization: 1 may be purged, 1 kept for six years, 0 in effect, more on 2031-01-01"
    assert line in said.getvalue()
    call_command("consent_retention", "--organisation=harbor", "--purge", stdout=said)
    assert "1 purged in all" in said.getvalue()
    with pytest.raises(CommandError, match="no organisation"):
        call_command("consent_retention", "--organisation=nowhere")
    with pytest.raises(CommandError, match="2032-06-02"):
        call_command("consent_retention", "--organisation=harbor", "--on=June")


def test_a_notice_stays_as_long_as_a_receipt_of_it(ada: int) -> None:
    """PR-16: what the page counts is what can go."""
    for year in (2010, 2012):
        notices.publish(f"Words of {year}", language="en", effective_on=date(year, 1, 1),
                        now=datetime(year, 1, 1, 17, tzinfo=UTC))  # fmt: skip
    old = notices.in_force(date(2010, 6, 1))
    assert old is not None
    given = date(2016, 5, 1)
    notices.record(ada, old, kind="delivered", given_on=given, received_by="staff",
                   now=datetime(2016, 5, 1, 17, tzinfo=UTC))  # fmt: skip
    assert old.id not in offered(date(2022, 5, 1))
    assert old.id in offered(date(2022, 5, 2))
