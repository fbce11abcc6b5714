"""What people asked for and what the organisation set, from their rows to the gate's answer."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import Organisation
from audit.models import Entry as TrailEntry
from consent import gate, ledger, suppression
from consent.gate import GateRequest, Hold, Permit
from consent.ledger import ConsentInvalid, Signing
from consent.models import Entry, Restriction
from consent.purposes import Remuneration
from consent.sending import terms
from consent.wishes import record
from contacts.points import keeping
from contacts.points.keeping import NewPoint
from tests.conftest import NOON
from tests.consent.conftest import person

LATER = NOON + timedelta(days=1)
CLINICAL = frozenset({"clinical"})


def code(contact_id: int, purpose: str = "treatment", **more: object) -> str:
    asked = GateRequest(contact_id, purpose, **{"classes": CLINICAL, **more})  # type: ignore[arg-type]
    (answer,) = gate.ask([asked], now=LATER)
    return answer.basis if isinstance(answer, Permit) else answer.code


def sign(contact_id: int, **more: object) -> None:
    signing = Signing(
        contact_id,
        frozenset({"marketing"}),
        CLINICAL | {"identity", "substance_use"},
        NOON,
        expires_on=date(2030, 1, 1),
        **more,  # type: ignore[arg-type]
    )
    ledger.record_authorization(signing, received_by="paper", now=NOON)


def test_a_restriction_counts_at_once_and_stands_in_the_ledger_and_the_trail(ada: int) -> None:
    """PR-23"""
    record.restrict(ada, purposes=["treatment"], received_by="letter", now=NOON)
    assert (code(ada), code(ada, "appointment")) == ("restricted", "appointment")
    assert Entry.objects.get(kind="restricted").contact_id == ada
    assert TrailEntry.objects.filter(action="consent.restricted").count() == 1


def test_a_restriction_ended_by_agreement_is_over(ada: int) -> None:
    """PR-23: who and how stand in the ledger."""
    one = record.restrict(ada, classes=["clinical"], received_by="letter", now=NOON)
    record.end_restriction(one, how="agreement", received_by="staff", now=NOON)
    assert code(ada) == "treatment"
    assert Entry.objects.get(kind="unrestricted").received_by == "staff:agreement"


def test_a_restriction_ended_by_notice_binds_what_is_known_from_before(ada: int) -> None:
    """PR-23"""
    one = record.restrict(ada, classes=["clinical"], received_by="letter", now=NOON)
    record.end_restriction(one, how="notice", received_by="staff", now=NOON)
    assert code(ada) == "restricted"


def test_a_restriction_ends_once_and_is_never_removed(ada: int) -> None:
    """PR-23"""
    one = record.restrict(ada, received_by="letter", now=NOON)
    assert record.end_restriction(one, how="agreement", received_by="staff", now=NOON)
    assert not record.end_restriction(one, how="agreement", received_by="staff", now=NOON)
    with pytest.raises(DatabaseError), transaction.atomic():
        Restriction.objects.filter(id=one).delete()


@pytest.mark.parametrize(
    "wrong", [{"purposes": ["spam"]}, {"classes": ["x"]}, {"channels": ["fax"]}]
)
def test_a_restriction_of_nothing_known_is_refused(ada: int, wrong: dict[str, list[str]]) -> None:
    with pytest.raises(ConsentInvalid):
        record.restrict(ada, received_by="letter", now=NOON, **wrong)


def test_confidential_communications_need_an_address_of_their_own(ada: int) -> None:
    """PR-22"""
    record.keep_confidential(ada, category="reproductive", received_by="staff", now=NOON)
    said = CLINICAL | {"reproductive"}
    assert code(ada) == "treatment"
    assert code(ada, classes=said) == "confidential_address"
    mine = NewPoint(
        kind="email", value="own@patients.example", categories=frozenset({"reproductive"})
    )
    keeping.add(ada, mine, source="staff", now=NOON)
    assert code(ada, classes=said) == "treatment"


def test_a_reserved_address_binds_by_what_the_message_says(ada: int) -> None:
    """PR-22: the label alone sends it there, and the permit says so."""
    mine = NewPoint(kind="email", value="own@patients.example", categories=frozenset({"hiv"}))
    keeping.add(ada, mine, source="staff", now=NOON)
    (answer,) = gate.ask([GateRequest(ada, "treatment", classes=frozenset({"hiv"}))], now=LATER)
    assert isinstance(answer, Permit) and answer.alternative == "hiv"


def test_what_stands_against_the_reserved_address_counts(ada: int) -> None:
    """PR-22, CS-01"""
    mine = NewPoint(kind="email", value="own@patients.example", categories=frozenset({"hiv"}))
    keeping.add(ada, mine, source="staff", now=NOON)
    suppression.suppress("own@patients.example", reason="request", received_by="link", now=NOON)
    assert code(ada, classes=frozenset({"hiv"})) == "suppressed"
    assert code(ada) == "treatment"


def test_the_preference_for_open_mail_keeps_the_words_of_the_warning(ada: int) -> None:
    """PR-38: text version, time, actor; for that channel only."""
    one = record.accept_plain(ada, channel="email", received_by="form", now=NOON)
    (answer,) = gate.ask([GateRequest(ada, "treatment")], now=LATER)
    assert isinstance(answer, Permit) and answer.plain
    entry = Entry.objects.get(kind="plain_agreed")
    assert (entry.concerns, entry.channel, entry.received_at) == (one, "email", NOON)
    record.end_plain(one, received_by="form", now=NOON)
    (answer,) = gate.ask([GateRequest(ada, "treatment")], now=LATER)
    assert isinstance(answer, Permit) and not answer.plain


def test_a_part2_consent_for_the_purpose_opens_what_one_for_care_does_not(ada: int) -> None:
    """PR-29"""
    sign(ada)
    said = CLINICAL | {"substance_use"}
    record.sign_part2(ada, signed_at=NOON, received_by="paper", now=NOON)
    assert code(ada, "marketing", classes=said) == "part2_scope"
    own = record.sign_part2(
        ada, purposes=["marketing"], signed_at=NOON, received_by="paper", now=NOON
    )
    assert code(ada, "marketing", classes=said) == "authorization"
    record.revoke_part2(own, received_by="telephone", now=LATER)
    assert code(ada, "marketing", classes=said) == "part2_scope"


def test_a_relay_elsewhere_needs_a_recorded_agreement(ada: int, settings: object) -> None:
    """PR-32"""
    settings.SMTP_HOST = "smtp.vendor.example"  # type: ignore[attr-defined]
    assert code(ada) == "no_baa"
    terms.record_carrier("email", name="Vendor", services=["email"], now=NOON)
    assert code(ada) == "no_baa"
    terms.record_carrier(
        "email", name="Vendor", agreement_from=NOON.date(), services=["email"], now=NOON
    )
    assert code(ada) == "treatment"


def test_an_agreement_out_of_date_or_of_scope_carries_nothing(ada: int) -> None:
    """PR-32"""
    day = NOON.date()
    terms.record_carrier(
        "email", name="V", agreement_from=day, agreement_until=day, services=["email"], now=NOON
    )
    assert code(ada) == "no_baa"
    terms.record_carrier("email", name="V", agreement_from=day, services=["sms"], now=NOON)
    assert code(ada) == "no_baa"


def test_payment_on_the_message_makes_it_marketing(ada: int) -> None:
    """PR-02"""
    paid = Remuneration(payer="Maker", product_of="Maker", amount=100)
    assert code(ada, remuneration=paid) == "remunerated"


def at(contact_id: int, moment: datetime) -> object:
    return gate.ask([GateRequest(contact_id, "appointment")], now=moment)[0]


def test_the_persons_own_state_says_when_it_is_night(at_harbor: Organisation) -> None:
    """TC-04"""
    hawaii = person("kai", state="HI")
    boston = person("bea", state="Massachusetts")
    terms.add_quiet(time(21), time(8), now=NOON)
    nine_in_boston = datetime(2026, 3, 3, 14, tzinfo=NOON.tzinfo)
    assert isinstance(at(boston, nine_in_boston), Permit)
    held = at(hawaii, nine_in_boston)
    assert isinstance(held, Hold) and held.until == datetime(2026, 3, 3, 18, tzinfo=NOON.tzinfo)


def test_a_minors_birth_date_is_read_where_it_decides(at_harbor: Organisation) -> None:
    """ST-03"""
    minor = person("mia", birth_date="2013-01-01", state="CA")
    assert code(minor, classes=CLINICAL | {"reproductive"}) == "minors_own_services"
    assert code(minor) == "treatment"


def test_a_cap_gives_its_last_place_to_the_purpose_that_comes_first(ada: int) -> None:
    terms.add_cap(1, 7, when_full="hold", now=NOON)
    sign(ada)
    asked = [GateRequest(ada, "marketing", classes=CLINICAL), GateRequest(ada, "treatment")]
    marketing, treatment = gate.ask(asked, now=LATER, used={})
    assert isinstance(treatment, Permit) and isinstance(marketing, Hold)


def test_a_number_on_the_list_as_reassigned_has_its_own_reason(at_harbor: Organisation) -> None:
    """TC-06"""
    phil = person("phil", phone="+16175550101")
    terms.record_carrier("sms", name="Own gateway", own=True, now=NOON)
    record.accept_plain(phil, channel="sms", received_by="form", now=NOON)
    suppression.suppress(
        "+16175550101", channel="sms", reason="reassigned", received_by="import", now=NOON
    )
    assert code(phil, channel="sms") == "reassigned"


def test_stop_ends_everything_of_its_channel_from_the_day_that_was_set(ada: int) -> None:
    """TC-03"""
    ledger.opt_out(
        ada, channel="email", topic="diabetes", keyword=True, received_by="reply", now=NOON
    )
    assert code(ada, topic="visits") == "treatment"
    terms.set_stop_scope(LATER.date() + timedelta(days=1), now=NOON)
    assert code(ada, topic="visits") == "treatment"
    terms.set_stop_scope(LATER.date(), now=NOON)
    assert code(ada, topic="visits") == "opted_out"


@pytest.mark.parametrize("ends", [time(21)])
def test_quiet_hours_that_begin_when_they_end_are_refused(at_harbor: object, ends: time) -> None:
    with pytest.raises(ConsentInvalid):
        terms.add_quiet(time(21), ends, now=NOON)


def test_every_setting_is_in_the_trail_and_none_is_ever_rewritten(at_harbor: object) -> None:
    quiet = terms.add_quiet(time(21), time(8), now=NOON)
    cap = terms.add_cap(2, 7, when_full="hold", now=NOON)
    terms.remove_quiet(quiet.id, now=NOON)
    assert not terms.remove_quiet(quiet.id, now=NOON)
    told = set(TrailEntry.objects.values_list("action", flat=True))
    assert {"sending.quiet_added", "sending.quiet_removed", "sending.cap_added"} <= told
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("update consent_frequencycap set most = 9 where id = %s", [cap.id])


def test_what_any_of_the_merged_contacts_refused_counts(at_harbor: Organisation) -> None:
    """CS-02, HD-05: the most restrictive consent wins."""
    from contacts.models import Contact

    stays, gone = person("one"), person("two")
    sign(stays)
    sign(gone)
    ledger.revoke_all(gone, received_by="paper", now=LATER)
    record.restrict(gone, purposes=["treatment"], received_by="letter", now=NOON)
    Contact.objects.filter(id=gone).update(merged_into=stays, erased_at=NOON)
    assert code(stays) == "restricted"
    assert code(stays, "marketing") == "auth_revoked"
