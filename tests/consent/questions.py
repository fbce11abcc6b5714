"""Generated questions for the laws of the policy: every input takes part."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from hypothesis import strategies as st

from consent.policy import (
    AuthorizationFacts,
    ConfidentialFacts,
    OptOutFacts,
    Part2Facts,
    Question,
    RestrictionFacts,
    RouteFacts,
    Use,
)
from consent.purposes import Purpose, Remuneration
from consent.rulebook import Cap, QuietHours

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NAMES = [
    "identity", "demographic", "clinical", "coverage", "contact_point",
    "substance_use", "psychotherapy", "reproductive", "minor",
]  # fmt: skip
CLASSES = st.frozensets(st.sampled_from(NAMES), max_size=4)
PURPOSES = list(Purpose)
CHANNELS = ["email", "sms"]
MOMENTS = st.integers(-90, 90).map(lambda days: NOW + timedelta(days=days, seconds=days))
MAYBE_MOMENT = st.none() | MOMENTS
DAYS = st.dates(date(2026, 6, 1), date(2027, 6, 1))
SOME_PURPOSES = st.frozensets(st.sampled_from(PURPOSES), max_size=3)
SOME_CHANNELS = st.frozensets(st.sampled_from(CHANNELS))
OPT_OUTS = st.builds(
    OptOutFacts,
    channel=st.sampled_from(["", *CHANNELS]),
    purpose=st.sampled_from(["", *PURPOSES]),
    topic=st.sampled_from(["", "diabetes"]),
    keyword=st.booleans(),
)
AUTHORIZATIONS = st.builds(
    AuthorizationFacts,
    id=st.integers(1, 2**64).map(lambda number: UUID(int=number)),
    purposes=st.frozensets(st.sampled_from(PURPOSES)),
    classes=CLASSES | st.just(frozenset(NAMES)),
    signed_at=MOMENTS,
    expires_on=st.none() | DAYS,
    zone=st.sampled_from(["UTC", "America/New_York", "Pacific/Kiritimati"]),
    ended_at=MAYBE_MOMENT,
    revoked_at=MAYBE_MOMENT,
    states_remuneration=st.booleans(),
    channels=SOME_CHANNELS,
)
PART2 = st.builds(
    Part2Facts,
    signed_at=MOMENTS,
    purposes=SOME_PURPOSES,
    expires_on=st.none() | DAYS,
    revoked_at=MAYBE_MOMENT,
)
RESTRICTIONS = st.builds(
    RestrictionFacts, purposes=SOME_PURPOSES, classes=CLASSES, channels=SOME_CHANNELS
)
CONFIDENTIAL = st.builds(
    ConfidentialFacts,
    category=st.sampled_from(["", "reproductive", "clinical", "payment"]),
    channel=st.sampled_from(["", *CHANNELS]),
    alternative=st.booleans(),
)
ROUTES = st.builds(
    RouteFacts,
    own=st.booleans(),
    agreement_from=st.none() | DAYS,
    agreement_until=st.none() | DAYS,
    covers_channel=st.booleans(),
)
HOURS = st.sampled_from([time(0), time(8), time(12), time(20), time(21, 30)])
QUIET = st.builds(
    QuietHours,
    id=st.just("ours"),
    begins=HOURS,
    ends=HOURS,
    channels=SOME_CHANNELS,
    purposes=SOME_PURPOSES,
    days=st.frozensets(st.integers(1, 7), min_size=1),
)
CAPS = st.builds(
    Cap,
    id=st.just("ours"),
    most=st.integers(1, 3),
    days=st.integers(1, 30),
    channels=SOME_CHANNELS,
    purposes=SOME_PURPOSES,
    when_full=st.sampled_from(["hold", "refuse"]),
)
USES = st.builds(
    Use,
    purpose=st.sampled_from(PURPOSES),
    channel=st.sampled_from(CHANNELS),
    at=st.integers(0, 40).map(lambda hours: NOW - timedelta(hours=9 * hours)),
)
PAYMENTS = st.builds(
    Remuneration,
    payer=st.just("Maker"),
    product_of=st.sampled_from(["Maker", "Other"]),
    kind=st.sampled_from(["cash", "in_kind"]),
    amount=st.integers(0, 3),
    cost=st.integers(0, 3),
)


def _few(what: st.SearchStrategy[object], most: int = 2) -> st.SearchStrategy[object]:
    return st.lists(what, max_size=most).map(tuple)


QUESTIONS = st.builds(
    Question,
    purpose=st.none() | st.sampled_from([*PURPOSES, "other"]),
    channel=st.sampled_from(CHANNELS),
    now=st.just(NOW),
    classes=CLASSES,
    topic=st.sampled_from(["", "diabetes"]),
    authorizations=_few(AUTHORIZATIONS, 4),
    opt_outs=_few(OPT_OUTS, 1),
    suppressed=st.sampled_from([False, False, False, True]),
    deceased=st.sampled_from([False, False, False, True]),
    has_address=st.sampled_from([True, True, True, False]),
    known=st.sampled_from([True, True, True, False]),
    remuneration=st.none() | PAYMENTS,
    days_lapsed=st.none() | st.integers(80, 100),
    new_formulation=st.booleans(),
    part2=_few(PART2),
    restrictions=_few(RESTRICTIONS, 1),
    confidential=_few(CONFIDENTIAL, 1),
    route=st.just(RouteFacts()) | ROUTES,
    accepts_plain=SOME_CHANNELS,
    reassigned_at=st.none() | MOMENTS,
    do_not_call=st.booleans(),
    birth_date=st.none() | st.dates(date(2000, 1, 1), date(2020, 1, 1)),
    state=st.sampled_from(["", "CA", "TX", "WA", "MA"]),
    to_representative=st.sampled_from([False, False, True]),
    representative_until=MAYBE_MOMENT,
    recipient_state=st.sampled_from(["", "CA", "NV"]),
    zones=st.sampled_from([(), ("America/New_York",), ("Pacific/Honolulu",)]),
    quiet=_few(QUIET),
    caps=_few(CAPS),
    used=_few(USES, 4),
    stop_means_all=st.booleans(),
)
