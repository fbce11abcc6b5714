"""The desk's reports: who agreed, who has no copy, how soon a withdrawal counted."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import staff, tenancy
from accounts.models import Organisation, User
from accounts.roles import Role
from audit.models import Entry as TrailEntry
from consent import forms, ledger
from consent.models import Authorization
from consent.signing import signing, stored
from consent.signing.models import Defect
from consent.signing.signing import Signer
from contacts import events
from contacts.models import Contact
from marketing.web.consent_reports import chart_of
from tests.web.test_consent import cleo, signed

__all__ = ["cleo"]

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
PDF = b"%PDF-1.7 scanned"


def on_paper(contact: Contact) -> Authorization:
    now = timezone.now()
    version = forms.add_composed(
        "Classes",
        language="en",
        number=1,
        text="I agree.",
        elements=stored.dump(stored.empty()) | {"covers": ["identity", "clinical"]},
        states_remuneration=False,
        now=now,
    )
    return signing.take_paper(
        contact.id, version, Signer(name="Cleo C"), scan=PDF, signed_at=now, now=now
    )


def listed(client: Client, query: str = "") -> list[Authorization]:
    page = client.get(f"/consent/agreements/?{query}")
    assert page.status_code == 200
    return [one["row"] for one in page.context["rows"]]


@pytest.fixture
def desk(sign_in_as: SignedIn, omar: User) -> Client:
    return sign_in_as(omar)


def test_each_state_has_its_own_list(desk: Client, cleo: Contact) -> None:
    now = timezone.now()
    live, over, gone, wrong = (
        signed(cleo, now=now),
        signed(cleo, now=now - timedelta(days=90), until=date(2026, 1, 1)),
        signed(cleo, now=now),
        signed(cleo, now=now),
    )
    ledger.revoke(gone.id, received_by="phone", now=now)
    signing.find_defective(wrong, Defect.Kind.CONDITIONED, found_by="omar", now=now)
    found = {
        state: [one.id for one in listed(desk, f"state={state}")]
        for state in ("live", "expired", "revoked", "defective")
    }
    expected = {"live": live, "expired": over, "revoked": gone, "defective": wrong}
    assert found == {state: [one.id] for state, one in expected.items()}


def test_an_authorization_that_its_event_ended_is_listed_as_expired(
    desk: Client, cleo: Contact
) -> None:
    now = timezone.now()
    one = ledger.Signing(
        cleo.id,
        frozenset({"research"}),
        frozenset({"identity"}),
        now - timedelta(days=2),
        expires_event="research.ended",
    )
    ledger.record_authorization(one, received_by="staff", now=now)
    ended = events.NewEvent(
        contact_id=cleo.id, kind="research.ended", occurred_at=now, source="test"
    )
    events.write_own([ended], now=now)
    assert len(listed(desk, "state=expired")) == 1
    assert listed(desk, "state=live") == []


def test_what_ends_soon_is_asked_by_days(desk: Client, cleo: Contact) -> None:
    now = timezone.now()
    soon = signed(cleo, now=now, until=(now + timedelta(days=10)).date())
    signed(cleo, now=now)
    assert [one.id for one in listed(desk, "ends_within=30")] == [soon.id]


def test_a_signature_stays_without_copy_until_one_is_given(desk: Client, cleo: Contact) -> None:
    """PR-13: the report "no copy delivered" shows it until delivery."""
    one = on_paper(cleo)
    assert [row.id for row in listed(desk, "without_copy=on")] == [one.id]
    desk.post(f"/consent/{cleo.public_id}/authorizations/{one.id}/copy/")
    assert listed(desk, "without_copy=on") == []
    assert one.form_version and bytes(one.copies.get().sha256) == bytes(one.form_version.sha256)


def test_the_list_goes_on_where_the_last_page_ended(
    desk: Client, cleo: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [signed(cleo, now=timezone.now()).id for _ in range(3)]
    assert [one.id for one in listed(desk, f"before={made[1]}")] == [made[0]]


def test_a_filter_that_cannot_be_read_is_refused_in_words(desk: Client, cleo: Contact) -> None:
    page = desk.get("/consent/agreements/?signed_from=yesterday")
    assert page.status_code == 422
    assert "signed_from" in page.context["form"].errors


def test_the_file_has_every_authorization_and_no_formula(desk: Client, cleo: Contact) -> None:
    """GD-02: the proof says the text, the time, the scope and the end."""
    now = timezone.now()
    version = forms.add_version("=HYPERLINK(1)", language="en", text="I agree.", now=now)
    signing_ = ledger.Signing(
        cleo.id,
        frozenset({"marketing"}),
        frozenset({"identity"}),
        now,
        expires_on=date(2099, 1, 1),
        form_version=version.id,
    )
    ledger.record_authorization(signing_, received_by="staff", now=now)
    answer = desk.get("/consent/agreements/csv/?state=live")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode()))
    assert row["text"].startswith("'=HYPERLINK")
    assert (row["text_sha256"], row["person"]) == (version.checksum, str(cleo.public_id))
    assert TrailEntry.objects.get(action="consent.exported").facts()["count"] == 1


def test_who_may_look_may_not_take_the_file_away(
    sign_in_as: SignedIn, mara: User, at_harbor: Organisation
) -> None:
    client = sign_in_as(mara)
    assert client.get("/consent/agreements/").status_code == 200
    assert client.get("/consent/agreements/csv/").status_code == 403


def test_another_organisation_sees_none_of_it(
    sign_in_as: SignedIn, hill: Organisation, cleo: Contact
) -> None:
    signed(cleo, now=timezone.now())
    with tenancy.acting_for(hill.pk):
        officer = staff.add("o@hill.example", name="O", role=Role.COMPLIANCE, now=timezone.now())
    assert listed(sign_in_as(officer)) == []


def test_a_withdrawal_shows_the_time_until_it_counted(desk: Client, cleo: Contact) -> None:
    """PR-04: from receipt to effect."""
    one = signed(cleo, now=timezone.now())
    ledger.revoke(one.id, received_by="phone", now=timezone.now() - timedelta(seconds=2))
    page = desk.get("/consent/withdrawals/")
    (row,) = page.context["rows"]
    assert 2 <= float(row["seconds"]) < 60
    assert row["later"] == 0
    assert page.context["times"].count == 1


def test_rarer_reasons_share_a_colour_and_the_sums_stay() -> None:
    counted = {date(2026, 3, 1): {f"code_{n}": n for n in range(1, 10)}, date(2026, 3, 2): {}}
    chart = chart_of(counted, step=1)
    assert len(chart.reasons) == 7
    assert [total for _, _, total in chart.rows] == [45, 0]
    assert sum(bar.height for bar in chart.bars) == 100


def test_a_time_without_refusals_draws_nothing() -> None:
    chart = chart_of({date(2026, 3, 1): {}}, step=1)
    assert (chart.bars, chart.reasons, chart.rows) == ([], [], [(date(2026, 3, 1), [], 0)])


def test_the_refusals_page_opens_for_both_periods(desk: Client, at_harbor: Organisation) -> None:
    for days in ("30", "182", "7"):
        assert desk.get(f"/consent/refusals/?days={days}").status_code == 200
