"""What the policy answers to payment, restrictions, labels, minors, quiet hours and caps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from consent import policy
from consent.policy import (
    AuthorizationFacts,
    ConfidentialFacts,
    Hold,
    OptOutFacts,
    Part2Facts,
    Permit,
    Question,
    Refusal,
    RestrictionFacts,
    RouteFacts,
    Use,
)
from consent.purposes import Remuneration
from consent.rulebook import Cap, QuietHours
from consent.rules import shelf

NOW = datetime(2026, 11, 23, 17, tzinfo=UTC)
"""A Monday, noon in New York."""
RULES = shelf.at(NOW)
SIGNED = AuthorizationFacts(
    id=UUID(int=1),
    purposes=frozenset({"marketing", "remunerated_marketing"}),
    classes=frozenset({"identity", "clinical", "substance_use"}),
    signed_at=NOW - timedelta(days=30),
    expires_on=date(2027, 6, 30),
    states_remuneration=True,
)
CARE = Question(purpose="treatment", channel="email", now=NOW, classes=frozenset({"clinical"}))
TEXT = replace(CARE, channel="sms", accepts_plain=frozenset({"sms"}), state="MA")
MARKETING = replace(CARE, purpose="marketing", authorizations=(SIGNED,))
MAKER_PAYS = Remuneration(payer="Acme Pharma", product_of="Acme Pharma", amount=100)
BY_PHONE = frozenset({"sms"})


def ask(question: Question, **changes: Any) -> policy.Answer:
    return policy.decide(replace(question, **changes), rules=RULES)


def code(question: Question, **changes: Any) -> str:
    answer = ask(question, **changes)
    return answer.basis if isinstance(answer, Permit) else answer.code


# Payment


def test_an_alternative_treatment_that_nobody_pays_for_needs_no_signature() -> None:
    """PR-02: payer none is allowed."""
    assert code(CARE) == "treatment"


def test_the_payment_of_whose_product_it_is_makes_it_marketing() -> None:
    """PR-02: payer of the described product, 1.00 USD: refused as remunerated."""
    assert code(CARE, remuneration=MAKER_PAYS) == "remunerated"


def test_a_payment_in_kind_does_not_make_it_marketing() -> None:
    """PR-02: in kind is allowed."""
    assert code(CARE, remuneration=replace(MAKER_PAYS, kind="in_kind")) == "treatment"


def test_a_payment_by_somebody_else_does_not_make_it_marketing() -> None:
    """PR-02: paid by a health plan, not by the maker, is allowed."""
    paid = Remuneration(payer="Blue Plan", product_of="Acme Pharma", amount=100)
    assert code(CARE, remuneration=paid) == "treatment"


def test_who_pays_on_behalf_of_the_maker_pays_as_the_maker() -> None:
    """PR-02"""
    paid = Remuneration(payer="Agency", product_of="Acme Pharma", amount=100, on_behalf=True)
    assert code(CARE, remuneration=paid) == "remunerated"


def test_a_paid_message_may_go_under_an_authorization_that_states_the_payment() -> None:
    """PR-02, PR-07"""
    assert code(CARE, remuneration=MAKER_PAYS, authorizations=(SIGNED,)) == "authorization"


def test_an_authorization_that_is_silent_on_payment_does_not_cover_a_paid_message() -> None:
    """PR-07"""
    silent = replace(SIGNED, states_remuneration=False)
    answer = code(CARE, remuneration=MAKER_PAYS, authorizations=(silent,))
    assert answer == "remuneration_not_stated"


def test_a_no_to_marketing_stops_what_payment_made_marketing() -> None:
    """PR-02"""
    no = (OptOutFacts(purpose="marketing"),)
    answer = code(CARE, remuneration=MAKER_PAYS, authorizations=(SIGNED,), opt_outs=no)
    assert answer == "opted_out"


REFILL = replace(CARE, purpose="refill")


@pytest.mark.parametrize(
    ("days", "answer"), [(None, "refill"), (90, "refill"), (91, "refill_lapsed")]
)
def test_a_refill_reminder_ends_ninety_days_after_the_prescription(
    days: int | None, answer: str
) -> None:
    """PR-17"""
    assert code(REFILL, days_lapsed=days) == answer


@pytest.mark.parametrize(("amount", "answer"), [(40, "refill"), (41, "remunerated")])
def test_a_refill_reminder_may_be_paid_for_up_to_its_cost(amount: int, answer: str) -> None:
    """PR-17: payment = cost is allowed, a cent more is not."""
    paid = replace(MAKER_PAYS, amount=amount, cost=40)
    assert code(REFILL, remuneration=paid) == answer


def test_a_new_formulation_is_no_refill_reminder() -> None:
    """PR-17"""
    assert code(REFILL, new_formulation=True) == "new_formulation"


@pytest.mark.parametrize("channel", ["email", "sms"])
@pytest.mark.parametrize("purpose", ["marketing", "remunerated_marketing"])
def test_no_channel_is_excepted_from_the_signature(channel: str, purpose: str) -> None:
    """PR-18: face to face and nominal gifts are no exception for mail and texts."""
    open_ = replace(CARE, channel=channel, purpose=purpose, accepts_plain=BY_PHONE)
    assert code(open_) == "no_authorization"


# Restrictions, confidential communications, open channels, routes


def test_an_agreed_restriction_blocks_the_use_it_names() -> None:
    """PR-23: no marketing use of diagnoses."""
    no_use = RestrictionFacts(purposes=frozenset({"marketing"}), classes=frozenset({"clinical"}))
    assert code(MARKETING, restrictions=(no_use,)) == "restricted"
    assert code(MARKETING, restrictions=(no_use,), classes=frozenset({"identity"})) != "restricted"
    assert code(CARE, restrictions=(no_use,)) == "treatment"


def test_a_confidential_category_never_goes_to_the_first_address() -> None:
    """PR-22"""
    wish = ConfidentialFacts(category="reproductive")
    said = frozenset({"clinical", "reproductive"})
    assert code(CARE, classes=said, confidential=(wish,)) == "confidential_address"
    known = replace(wish, alternative=True)
    answer = ask(CARE, classes=said, confidential=(known,))
    assert isinstance(answer, Permit) and answer.alternative == "reproductive"


def test_a_confidential_channel_is_the_only_one() -> None:
    """PR-22"""
    wish = ConfidentialFacts(category="payment", channel="sms", alternative=True)
    assert code(CARE, purpose="payment", confidential=(wish,)) == "confidential_channel"
    assert code(CARE, confidential=(wish,)) == "treatment"


def test_health_information_goes_by_text_only_after_a_recorded_preference() -> None:
    """PR-38"""
    assert code(TEXT, accepts_plain=frozenset()) == "plain_not_agreed"
    assert code(TEXT) == "treatment"


def test_the_preference_counts_for_its_channel_alone() -> None:
    """PR-38"""
    assert code(TEXT, accepts_plain=frozenset({"email"})) == "plain_not_agreed"
    answer = ask(CARE, accepts_plain=frozenset({"email"}))
    assert isinstance(answer, Permit) and answer.plain


@pytest.mark.parametrize(
    "route",
    [
        RouteFacts(own=False),
        RouteFacts(own=False, agreement_from=date(2025, 1, 1)),
        RouteFacts(
            own=False,
            agreement_from=date(2025, 1, 1),
            agreement_until=date(2026, 11, 22),
            covers_channel=True,
        ),
        RouteFacts(own=False, agreement_from=date(2026, 11, 24), covers_channel=True),
    ],
    ids=["none", "out_of_scope", "expired", "not_yet"],
)
def test_nothing_goes_by_a_vendor_without_an_agreement_for_the_service(route: RouteFacts) -> None:
    """PR-32"""
    assert code(CARE, route=route) == "no_baa"


def test_a_vendor_under_an_agreement_for_the_service_may_carry_it() -> None:
    """PR-32"""
    route = RouteFacts(own=False, agreement_from=date(2025, 1, 1), covers_channel=True)
    assert code(CARE, route=route) == "treatment"


# Labels


def test_psychotherapy_notes_need_an_authorization_for_them_alone() -> None:
    """PR-21, PR-11"""
    said = frozenset({"psychotherapy"})
    wide = replace(SIGNED, classes=frozenset({"psychotherapy", "clinical"}))
    alone = replace(SIGNED, classes=said)
    assert code(CARE, classes=said) == "psychotherapy_notes"
    assert code(MARKETING, classes=said, authorizations=(wide,)) == "psychotherapy_notes"
    assert code(MARKETING, classes=said, authorizations=(alone,)) == "authorization"


SUD = frozenset({"clinical", "substance_use"})


def test_a_part2_consent_for_care_never_covers_marketing() -> None:
    """PR-29"""
    for_care = Part2Facts(signed_at=NOW - timedelta(days=9))
    assert code(MARKETING, classes=SUD, part2=(for_care,)) == "part2_scope"


def test_a_part2_consent_of_its_own_covers_marketing() -> None:
    """PR-29"""
    own = Part2Facts(signed_at=NOW - timedelta(days=9), purposes=frozenset({"marketing"}))
    assert code(MARKETING, classes=SUD, part2=(own,)) == "authorization"
    over = replace(own, revoked_at=NOW)
    assert code(MARKETING, classes=SUD, part2=(over,)) == "part2_scope"


def test_care_of_the_person_herself_needs_no_part2_consent_and_a_proxy_does() -> None:
    """PR-31"""
    assert code(CARE, classes=SUD) == "treatment"
    until = NOW + timedelta(days=9)
    proxy = replace(CARE, classes=SUD, to_representative=True, representative_until=until)
    assert code(proxy) == "part2_scope"
    assert code(proxy, part2=(Part2Facts(signed_at=NOW),)) == "treatment"


def test_the_part2_label_on_an_audience_binds_like_the_fact_itself() -> None:
    """PR-30: the label comes with the path, without one merge field."""
    assert code(MARKETING, classes=frozenset({"substance_use"})) == "part2_scope"


# Fundraising, service notices, the dead


def test_fundraising_may_not_use_diagnoses() -> None:
    """PR-37"""
    asked = replace(CARE, purpose="fundraising")
    assert code(asked) == "class_not_allowed"
    assert code(asked, classes=frozenset({"identity", "demographic"})) == "fundraising"


def test_a_no_to_fundraising_is_final_and_leaves_reminders() -> None:
    """PR-37"""
    no = (OptOutFacts(purpose="fundraising"),)
    asked = replace(CARE, classes=frozenset({"identity"}), opt_outs=no)
    assert code(asked, purpose="fundraising") == "opted_out"
    assert code(asked, purpose="appointment") == "appointment"


def test_a_breach_notice_reaches_who_said_no_to_everything_but_not_by_a_closed_channel() -> None:
    notice = replace(CARE, purpose="service_notice", classes=frozenset({"identity"}))
    assert code(notice, opt_outs=(OptOutFacts(),)) == "service_notice"
    assert code(notice, opt_outs=(OptOutFacts(channel="email"),)) == "opted_out"


@pytest.mark.parametrize("purpose", list(policy.Purpose))
def test_nothing_at_all_is_sent_to_the_dead(purpose: str) -> None:
    """PR-36"""
    assert code(MARKETING, purpose=purpose, deceased=True) == "deceased"


# Texts


def test_marketing_by_text_needs_written_consent_that_names_the_channel() -> None:
    """TC-01: consent to e-mail does not count."""
    asked = replace(TEXT, purpose="marketing", authorizations=(SIGNED,))
    assert code(asked) == "no_pewc"
    named = replace(SIGNED, channels=BY_PHONE)
    assert code(asked, authorizations=(named,)) == "authorization"


def test_how_far_stop_reaches_is_the_organisations_to_say() -> None:
    """TC-03"""
    stop = (OptOutFacts(channel="sms", topic="diabetes", keyword=True),)
    reminder = replace(TEXT, purpose="appointment", topic="visits", opt_outs=stop)
    assert code(reminder) == "appointment"
    assert code(reminder, stop_means_all=True) == "opted_out"


def sent(*hours_ago: int) -> tuple[Use, ...]:
    return tuple(Use("treatment", "sms", NOW - timedelta(hours=each)) for each in hours_ago)


def test_exempt_texts_are_one_a_day_and_three_a_week() -> None:
    """TC-05: the fourth within seven days is refused."""
    assert code(TEXT, used=sent(23)) == "cap_reached"
    assert code(TEXT, used=sent(30, 60)) == "treatment"
    assert code(TEXT, used=sent(30, 60, 90)) == "cap_reached"


def test_a_number_that_changed_hands_after_the_signature_is_not_texted() -> None:
    """TC-06"""
    assert (
        code(TEXT, reassigned_at=NOW - timedelta(days=1), authorizations=(SIGNED,)) == "reassigned"
    )
    assert (
        code(TEXT, reassigned_at=NOW - timedelta(days=60), authorizations=(SIGNED,)) == "treatment"
    )


def test_a_do_not_call_entry_yields_only_to_a_signature_for_the_channel() -> None:
    """TC-06"""
    asked = replace(TEXT, purpose="marketing", authorizations=(SIGNED,), do_not_call=True)
    assert code(asked) == "do_not_call"
    assert code(asked, authorizations=(replace(SIGNED, channels=BY_PHONE),)) == "authorization"
    assert code(TEXT, do_not_call=True) == "treatment"


# Quiet hours


def promo(now: datetime, **more: Any) -> policy.Answer:
    named = (replace(SIGNED, channels=BY_PHONE),)
    asked = replace(TEXT, purpose="marketing", authorizations=named, state="", now=now)
    return ask(asked, **more)


def test_an_unknown_zone_is_quiet_wherever_it_may_be() -> None:
    """TC-04: 20:59 Eastern, and nobody knows where the number lives: held."""
    answer = promo(datetime(2026, 11, 24, 1, 59, tzinfo=UTC))
    assert isinstance(answer, Hold) and answer.code == "quiet_hours"


def test_what_is_held_waits_until_it_is_day_for_everybody() -> None:
    """TC-04: eight in the morning in Honolulu is the last of them."""
    answer = promo(datetime(2026, 11, 24, 1, 59, tzinfo=UTC))
    assert isinstance(answer, Hold)
    assert answer.until == datetime(2026, 11, 24, 18, tzinfo=UTC)


def test_a_known_state_is_quiet_by_its_own_clock_and_law() -> None:
    """TC-04: 20:30 in Massachusetts may go, in Florida it may not."""
    half_past_eight = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
    assert isinstance(promo(half_past_eight, state="MA"), Permit)
    assert isinstance(promo(half_past_eight, state="FL"), Hold)


def test_sunday_morning_is_quiet_in_texas() -> None:
    """TC-04"""
    ten_on_sunday = datetime(2026, 11, 29, 16, tzinfo=UTC)
    answer = promo(ten_on_sunday, zones=("America/Chicago",), state="TX")
    assert isinstance(answer, Hold)
    assert answer.until == datetime(2026, 11, 29, 18, tzinfo=UTC)


OURS = QuietHours("ours", time(22), time(6), channels=frozenset({"email"}))


def mail_at(moment: datetime, *zones: str) -> policy.Answer:
    return ask(CARE, purpose="appointment", now=moment, quiet=(OURS,), zones=zones)


def test_the_organisations_hours_cross_midnight() -> None:
    """TC-04"""
    one_at_night = datetime(2026, 11, 24, 6, tzinfo=UTC)
    answer = mail_at(one_at_night, "America/New_York")
    assert isinstance(answer, Hold)
    assert answer.until == datetime(2026, 11, 24, 11, tzinfo=UTC)


def test_the_night_on_which_clocks_go_back_is_quiet_for_its_ninth_hour() -> None:
    """TC-04: 22:00 to 06:00 lasts nine hours on 1 November 2026."""
    start = datetime(2026, 11, 1, 2, tzinfo=UTC)
    answer = mail_at(start, "America/New_York")
    assert isinstance(answer, Hold) and answer.until - start == timedelta(hours=9)


def test_the_night_on_which_clocks_go_forward_is_quiet_for_seven() -> None:
    """TC-04"""
    start = datetime(2026, 3, 8, 3, tzinfo=UTC)
    answer = mail_at(start, "America/New_York")
    assert isinstance(answer, Hold) and answer.until - start == timedelta(hours=7)


def test_treatment_is_not_held_by_quiet_hours() -> None:
    answer = ask(CARE, now=datetime(2026, 11, 24, 6, tzinfo=UTC), quiet=(OURS,))
    assert isinstance(answer, Permit)


def test_hours_that_leave_no_moment_are_a_refusal_that_says_so() -> None:
    day = QuietHours("a", time(6), time(22))
    assert code(CARE, purpose="appointment", quiet=(OURS, day)) == "never_open"


# Caps


WEEKLY = Cap("ours", most=2, days=7, when_full="hold")


def test_a_full_cap_holds_until_the_oldest_falls_out() -> None:
    """Frequency caps count everything that went, whatever sent it."""
    used = (
        Use("marketing", "email", NOW - timedelta(days=6)),
        Use("appointment", "email", NOW - timedelta(days=1)),
    )
    answer = ask(MARKETING, caps=(WEEKLY,), used=used)
    assert isinstance(answer, Hold) and answer.code == "cap_full"
    assert answer.until == NOW + timedelta(days=1)


def test_a_cap_that_drops_refuses() -> None:
    cap = replace(WEEKLY, most=1, when_full="refuse")
    used = (Use("marketing", "email", NOW),)
    assert code(MARKETING, caps=(cap,), used=used) == "cap_reached"


def test_a_cap_for_one_purpose_leaves_the_others() -> None:
    cap = replace(WEEKLY, most=1, purposes=frozenset({"marketing"}))
    used = (Use("marketing", "email", NOW),)
    assert code(CARE, caps=(cap,), used=used) == "treatment"


# States, minors, representatives


REPRODUCTIVE = frozenset({"clinical", "reproductive"})


def test_californian_reproductive_care_is_told_to_no_one_out_of_state() -> None:
    """ST-01: the rule is a row of the data file."""
    until = NOW + timedelta(days=9)
    proxy = replace(
        CARE, classes=REPRODUCTIVE, state="CA", to_representative=True, representative_until=until
    )
    assert code(proxy, recipient_state="NV") == "out_of_state"
    assert code(proxy, recipient_state="CA") == "treatment"


def test_changing_the_law_is_a_change_of_data() -> None:
    """ST-01: the same question under rules without the row."""
    until = NOW + timedelta(days=9)
    asked = replace(
        CARE,
        classes=REPRODUCTIVE,
        state="CA",
        to_representative=True,
        representative_until=until,
        recipient_state="NV",
    )
    without = replace(RULES, states=())
    assert isinstance(policy.decide(asked, rules=RULES), Refusal)
    assert isinstance(policy.decide(asked, rules=without), Permit)


def test_a_rule_counts_from_its_day() -> None:
    """ST-01"""
    before = datetime(2024, 6, 30, 17, tzinfo=UTC)
    proxy = replace(
        CARE, classes=REPRODUCTIVE, state="CA", to_representative=True, recipient_state="NV"
    )
    proxy = replace(proxy, representative_until=NOW + timedelta(days=9))
    assert code(proxy, now=before) == "treatment"


def test_in_texas_a_payment_in_kind_makes_marketing_too() -> None:
    """ST-02"""
    in_kind = replace(MAKER_PAYS, kind="in_kind")
    assert code(CARE, state="TX", remuneration=in_kind) == "remunerated"


MINOR = replace(CARE, classes=REPRODUCTIVE, state="CA", birth_date=date(2013, 3, 1))


def test_a_minors_own_care_goes_to_the_minors_own_address_only() -> None:
    """ST-03: age 13, reproductive, the State allows it."""
    own = ConfidentialFacts(category="reproductive", alternative=True)
    assert code(MINOR) == "minors_own_services"
    assert code(MINOR, confidential=(own,)) == "treatment"


def test_where_the_state_leaves_it_to_parents_the_first_address_is_used() -> None:
    """ST-03"""
    assert code(MINOR, state="MA") == "treatment"


def test_a_parent_is_never_told_of_the_minors_own_care() -> None:
    """ST-03"""
    own = ConfidentialFacts(category="reproductive", alternative=True)
    assert code(MINOR, confidential=(own,), to_representative=True) == "minors_own_services"


@pytest.mark.parametrize(
    ("moment", "answer"),
    [
        (datetime(2031, 2, 28, 23, 59, tzinfo=UTC), "treatment"),
        (datetime(2031, 3, 1, tzinfo=UTC), "representative_ended"),
    ],
)
def test_a_parents_access_ends_with_the_eighteenth_birthday(moment: datetime, answer: str) -> None:
    """ST-03"""
    child = replace(MINOR, classes=frozenset({"clinical"}), to_representative=True)
    assert code(child, now=moment) == answer


def test_majority_is_the_states_to_say() -> None:
    """ST-03: nineteen in Alabama."""
    child = replace(MINOR, classes=frozenset({"clinical"}), to_representative=True, state="AL")
    assert code(child, now=datetime(2031, 3, 1, tzinfo=UTC)) == "treatment"


def test_a_proxy_whose_end_nobody_knows_gets_nothing() -> None:
    """ST-03"""
    assert code(CARE, to_representative=True) == "representative_ended"
