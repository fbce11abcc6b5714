"""Forms and signatures: what must be said, what is bound to what, and what cannot change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Organisation
from audit.models import Entry as TrailEntry
from consent import gate, ledger
from consent.gate import GateRequest
from consent.models import Authorization, FormVersion
from consent.policy import Permit, Refusal
from consent.signing import asking, designing, signing, stored, wording
from consent.signing.models import Copy, Defect, Form, Signature, SigningRequest
from consent.signing.signing import SignatureInvalid, Signer
from consent.signing.wording import ELEMENTS, STANDARD, Elements, Expiry, Words
from contacts.models import Event
from crypto.tokens import TokenRefused
from tests.conftest import NOON
from tests.consent.conftest import person

WHOLE = replace(
    STANDARD["en"],
    information="Your name, your e-mail address and your conditions.",
    disclosers="Harbor Clinic.",
    recipients="Nobody outside Harbor Clinic.",
    purpose="To send you health education and invitations to classes.",
    expiry="Two years after you sign.",
)
SPANISH = replace(
    STANDARD["es"],
    information="Su nombre, su correo electrónico y sus diagnósticos.",
    disclosers="Harbor Clinic.",
    recipients="Nadie fuera de Harbor Clinic.",
    purpose="Para enviarle información de salud.",
    expiry="Dos años después de su firma.",
)
SOUND = Elements(
    purposes=frozenset({"marketing"}),
    covers=frozenset({"identity", "clinical"}),
    expiry=Expiry("years", years=2),
    words={"en": WHOLE},
)
NOBODY = Signer(name="Ada Example")


def codes(elements: Elements) -> set[tuple[str, str]]:
    return {(one.element, one.code) for one in wording.faults(elements)}


def form(elements: Elements = SOUND, name: str = "Education") -> Form:
    made = designing.create(name, now=NOON)
    designing.save(made.id, elements, now=NOON)
    designing.publish(made.id, now=NOON)
    made.refresh_from_db()
    return made


def signed(contact_id: int, made: Form, *, signer: Signer = NOBODY) -> Authorization:
    request, _ = asking.ask(contact_id, made, now=NOON)
    return signing.sign(request, designing.in_language(made, "en"), signer, now=NOON)


def ask_gate(contact_id: int, *, now: datetime = NOON, purpose: str = "marketing") -> Any:
    wanted = GateRequest(contact_id, purpose, "email", frozenset({"clinical"}))
    return gate.ask([wanted], now=now)[0]


def test_a_whole_form_has_no_faults() -> None:
    assert wording.faults(SOUND) == []


@pytest.mark.parametrize("element", ELEMENTS)
def test_each_missing_element_is_named(element: str) -> None:
    """PR-05, PR-06: the core elements and the three statements of 164.508(c)."""
    lacking = replace(SOUND, words={"en": replace(WHOLE, **{element: " "})})
    assert codes(lacking) == {(element, "incomplete")}


def test_remunerated_marketing_must_say_so() -> None:
    """PR-07"""
    paid = replace(SOUND, purposes=frozenset({"remunerated_marketing"}))
    assert codes(paid) == {("remuneration", "remuneration_not_stated")}
    said = replace(paid, words={"en": replace(WHOLE, remuneration="Acme pays us.")})
    assert wording.faults(said) == []


def test_only_research_may_go_without_an_end() -> None:
    """PR-08"""
    assert codes(replace(SOUND, expiry=Expiry("never"))) == {("expiry", "no_expiry")}
    research = replace(SOUND, purposes=frozenset({"research"}), expiry=Expiry("never"))
    assert ("expiry", "no_expiry") not in codes(research)


def test_one_signature_covers_one_kind_of_thing() -> None:
    """PR-11"""
    both = replace(SOUND, purposes=frozenset({"marketing", "treatment"}))
    assert codes(both) == {("purpose", "compound")}
    notes = replace(SOUND, covers=frozenset({"psychotherapy", "identity"}))
    assert codes(notes) == {("information", "compound")}


@pytest.mark.parametrize("form", [replace(SOUND, conditioned=True), replace(SOUND, preticked=True)])
def test_care_never_depends_on_a_signature(form: Elements) -> None:
    """PR-12"""
    assert codes(form) == {("conditioning", "conditioning")}


_words = st.builds(
    Words, **{one: st.text(max_size=60) for one in ("title", *ELEMENTS, "remuneration")}
)


@given(
    st.builds(
        Elements,
        purposes=st.frozensets(st.sampled_from(["marketing", "research", "treatment"])),
        covers=st.frozensets(st.sampled_from(["identity", "clinical", "psychotherapy"])),
        expiry=st.builds(
            Expiry,
            st.sampled_from(["years", "date", "event", "never"]),
            years=st.integers(0, 20),
            day=st.none() | st.dates(),
            event=st.sampled_from(["", "treatment.ended"]),
        ),
        words=st.dictionaries(st.sampled_from(["en", "es"]), _words),
        conditioned=st.booleans(),
        preticked=st.booleans(),
    )
)
def test_a_draft_comes_back_from_json_as_it_went(elements: Elements) -> None:
    assert stored.load(stored.dump(elements)) == elements


def test_a_document_is_read_back_as_it_was_composed() -> None:
    document = wording.compose(replace(SOUND, words={"es": SPANISH}), "es")
    assert wording.read(document.text, language="es") == document


def test_a_form_with_a_fault_is_not_published(at_harbor: Organisation) -> None:
    made = designing.create("Education", now=NOON)
    with pytest.raises(designing.FormInvalid) as refused:
        designing.publish(made.id, now=NOON)
    assert "information" in {one.element for one in refused.value.faults}
    assert not FormVersion.objects.exists()


def test_a_signature_keeps_the_version_that_was_shown(at_harbor: Organisation, ada: int) -> None:
    """PR-15: sign v1, publish v2; the record still renders v1's bytes, and no row can change."""
    made = form()
    before = signed(ada, made).form_version
    assert before is not None
    changed = replace(SOUND, words={"en": replace(WHOLE, purpose="Something else.")})
    designing.save(made.id, changed, now=NOON)
    designing.publish(made.id, now=NOON)
    kept = FormVersion.objects.get(id=before.id)
    assert "health education" in kept.text
    assert bytes(Signature.objects.get().sha256) == bytes(kept.sha256)
    with pytest.raises(DatabaseError), transaction.atomic():
        FormVersion.objects.filter(id=kept.id).update(text="other")
    with pytest.raises(DatabaseError), transaction.atomic():
        Signature.objects.all().delete()


def test_publishing_the_same_words_again_adds_nothing(at_harbor: Organisation) -> None:
    made = form()
    designing.publish(made.id, now=NOON)
    assert FormVersion.objects.count() == 1


def test_the_form_comes_in_the_persons_language_or_a_declared_one(
    at_harbor: Organisation,
) -> None:
    """AC-02"""
    made = form(replace(SOUND, words={"en": WHOLE, "es": SPANISH}))
    found = [designing.in_language(made, one).language for one in ("es-MX", "es", "fr", "en")]
    assert found == ["es", "es", "en", "en"]


def test_a_signature_permits_what_the_form_says_and_no_more(
    at_harbor: Organisation, ada: int
) -> None:
    """PR-09"""
    assert isinstance(ask_gate(ada), Refusal)
    signed(ada, form())
    assert isinstance(ask_gate(ada), Permit)
    assert isinstance(ask_gate(ada, purpose="remunerated_marketing"), Refusal)


def test_it_ends_with_the_last_day_that_the_form_gives(at_harbor: Organisation, ada: int) -> None:
    """PR-08: two years after noon of 2 March 2026 in Boston, to the last second of that day."""
    one = signed(ada, form())
    assert one.expires_on == date(2028, 3, 2)
    assert isinstance(ask_gate(ada, now=datetime(2028, 3, 3, 4, 59, 59, tzinfo=UTC)), Permit)
    assert isinstance(ask_gate(ada, now=datetime(2028, 3, 3, 5, 0, 0, tzinfo=UTC)), Refusal)


def test_29_february_ends_on_the_28th() -> None:
    assert Expiry("years", years=1).last_day(date(2028, 2, 29)) == date(2029, 2, 28)


def test_a_representative_says_by_what_authority(at_harbor: Organisation, ada: int) -> None:
    """PR-14"""
    made = form()
    with pytest.raises(SignatureInvalid) as refused:
        signed(ada, made, signer=Signer(name="Eve Example", representative=True))
    assert refused.value.field == "authority"
    assert not Authorization.objects.exists()
    signed(ada, made, signer=Signer(name="Eve", representative=True, authority="Mother"))
    assert Signature.objects.get().evidence["authority"] == "Mother"


def test_a_link_works_once(at_harbor: Organisation, ada: int) -> None:
    made = form()
    request, token = asking.ask(ada, made, now=NOON)
    version = designing.in_language(made, "en")
    signing.sign(request, version, NOBODY, now=NOON)
    with pytest.raises(SignatureInvalid):
        signing.sign(request, version, NOBODY, now=NOON)
    with asking.at(token, now=NOON) as again:
        assert asking.shut(again, now=NOON) == "signed"
    assert Authorization.objects.count() == 1


def test_what_was_signed_is_told_as_an_event_of_the_form(at_harbor: Organisation, ada: int) -> None:
    made = form()
    signed(ada, made)
    told = Event.objects.get(kind="form.completed")
    assert (told.contact_id, told.campaign) == (ada, made.id)


def test_a_newer_link_closes_the_older(at_harbor: Organisation, ada: int) -> None:
    made = form()
    first, _ = asking.ask(ada, made, now=NOON)
    asking.ask(ada, made, now=NOON)
    first.refresh_from_db()
    assert asking.shut(first, now=NOON) == "cancelled"


def test_a_link_ends_after_thirty_days(at_harbor: Organisation, ada: int) -> None:
    made = form()
    request, _ = asking.ask(ada, made, now=NOON)
    later = NOON + timedelta(days=30)
    assert asking.shut(request, now=later) == "expired"
    with pytest.raises(SignatureInvalid):
        signing.sign(request, designing.in_language(made, "en"), NOBODY, now=later)


def test_five_wrong_birth_dates_close_the_link(at_harbor: Organisation) -> None:
    born = person("eve", birth_date="1960-04-05")
    request, token = asking.ask(born, form(), now=NOON)
    with asking.at(token, now=NOON) as at:
        assert asking.is_born(at, date(1960, 4, 5))
        for _ in range(SigningRequest.MOST_ATTEMPTS):
            assert not asking.is_born(at, date(1961, 4, 5))
    request.refresh_from_db()
    assert asking.shut(request, now=NOON) == "locked"


@pytest.mark.parametrize("token", ["", "x", "consent.sign"])
def test_a_made_up_link_opens_nothing(at_harbor: Organisation, token: str) -> None:
    with pytest.raises(TokenRefused), asking.at(token, now=NOON):
        pass


def test_declining_changes_nothing_else(at_harbor: Organisation, ada: int) -> None:
    """PR-12: who does not sign is treated as before."""
    request, _ = asking.ask(ada, form(), now=NOON)
    asking.decline(request, now=NOON)
    request.refresh_from_db()
    assert asking.shut(request, now=NOON) == "declined"
    assert isinstance(ask_gate(ada, purpose="treatment"), Permit)


@pytest.mark.parametrize(
    "drawing", ["[", "{}", "[[[1e999, 0]]]", "[[1]]", "[[[0, 201]]]", "[[[-1, 0]]]", "[" * 5000]
)
def test_what_is_no_drawing_is_refused(drawing: str) -> None:
    with pytest.raises(SignatureInvalid):
        signing.strokes_of(drawing)


def test_a_paper_is_kept_with_the_checksum_of_its_scan(at_harbor: Organisation, ada: int) -> None:
    version = designing.in_language(form(), "en")
    one = signing.take_paper(
        ada, version, NOBODY, scan=b"%PDF-1.7 scan", signed_at=NOON - timedelta(days=3), now=NOON
    )
    assert one.signed_at == NOON - timedelta(days=3)
    assert Signature.objects.get().evidence["paper"]["type"] == "application/pdf"
    with pytest.raises(SignatureInvalid):
        signing.take_paper(ada, version, NOBODY, scan=b"MZ", signed_at=NOON, now=NOON)


@pytest.mark.parametrize("kind", list(Defect.Kind))
def test_a_defect_ends_it_at_once_and_is_kept(
    at_harbor: Organisation, ada: int, kind: Defect.Kind
) -> None:
    """PR-10"""
    one = signed(ada, form())
    signing.find_defective(one, kind, found_by="staff", now=NOON)
    assert isinstance(ask_gate(ada), Refusal)
    assert one.defects.get().kind == kind
    with pytest.raises(DatabaseError), transaction.atomic():
        Defect.objects.all().delete()


def test_who_has_no_copy_is_known(at_harbor: Organisation, ada: int) -> None:
    """PR-13"""
    one = signed(ada, form())
    assert signing.without_copy([one.id]) == {one.id}
    assert one.form_version is not None
    signing.give_copy(one, how="page", sha256=bytes(one.form_version.sha256), now=NOON)
    assert signing.without_copy([one.id]) == set()
    assert bytes(Copy.objects.get().sha256) == bytes(one.form_version.sha256)


def test_a_signature_and_its_withdrawal_are_in_the_trail_without_a_name(
    at_harbor: Organisation, ada: int
) -> None:
    """PR-04"""
    one = signed(ada, form())
    ledger.revoke(one.id, received_by="phone", now=NOON)
    told = list(TrailEntry.objects.filter(subject=f"contact:{ada}").order_by("id"))
    assert {"authorization.signed", "consent.revoked"} <= {row.action for row in told}
    assert "Ada Example" not in "".join(str(row.detail) for row in told)
