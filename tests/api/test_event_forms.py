"""Two readers of one form: where the short one answers, it says what the long one says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketing.api import bodies, event_forms
from marketing.api.event_forms import Given
from marketing.api.problems import Fault, Problem

SOUND = {
    "contact": "0190b6a2-7c3e-7d8a-9a51-3f0c1d2e4b5a",
    "kind": "portal.opened",
    "occurred_at": "2026-03-02T09:30:00Z",
    "idempotency_key": "one",
}
_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
_likely: dict[str, st.SearchStrategy[Any]] = {
    "contact": st.sampled_from(
        [
            SOUND["contact"],
            SOUND["contact"].replace("-", ""),
            "nobody",
            {"source": "epic", "record_number": "1"},
            {"source": " ", "record_number": "1"},
            {"source": "epic", "record_number": "1", "more": 1},
        ]
    ),
    "kind": st.sampled_from(["portal.opened", "message.clicked", "Not", "a" * 61, ""]),
    "occurred_at": st.datetimes().map(lambda moment: moment.isoformat() + "+01:00")
    | st.sampled_from(["2026-03-02T09:30:00.1234567Z", "2026-03-02", "2026-03-02T09:30:00", ""]),
    "idempotency_key": st.text(max_size=3) | st.just("k" * 201),
    "properties": _values,
    "more": st.just(1),
}
_fields = {name: of | _values for name, of in _likely.items()}


@given(
    changed=st.fixed_dictionaries(
        {}, optional={name: of | _values for name, of in _fields.items()}
    ),
    missing=st.sets(st.sampled_from(sorted(SOUND)), max_size=1),
    ascii_only=st.booleans(),
)
def test_the_short_reader_never_differs_from_the_long_one(
    changed: dict[str, Any], missing: set[str], ascii_only: bool
) -> None:
    document = {k: v for k, v in (SOUND | changed).items() if k not in missing}
    raw = json.dumps(document, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    shortly = event_forms.plain_one(raw, key=None)
    if shortly is not None:
        assert [repr(one) for one in shortly] == [repr(_read_whole(raw))]


def _read_whole(raw: bytes) -> Given | None:
    faults: list[Fault] = []
    try:
        read = event_forms.read(bodies.parse(raw), "", faults)
    except Problem:
        return None
    assert (read is None) == bool(faults)
    return read


@pytest.mark.parametrize("properties", [None, {}, {"visits": 3, "of": [1.5, {"a": "é"}]}])
def test_a_sound_event_is_read_shortly(properties: object) -> None:
    raw = json.dumps(SOUND | {"properties": properties}).encode()
    assert event_forms.plain_one(raw, key=None) == [_read_whole(raw)]
    assert event_forms.plain_many(b'{"events": [%b]}' % raw) == [_read_whole(raw)]


def test_the_header_s_key_serves_an_event_without_one() -> None:
    without = {name: value for name, value in SOUND.items() if name != "idempotency_key"}
    (read,) = event_forms.plain_one(json.dumps(without).encode(), key="of the header") or []
    (own,) = event_forms.plain_one(json.dumps(SOUND).encode(), key="of the header") or []
    assert (read.idempotency_key, own.idempotency_key) == ("of the header", "one")


def test_a_batch_of_none_or_with_anything_more_is_in_doubt() -> None:
    assert event_forms.plain_many(b'{"events": []}') is None
    assert event_forms.plain_many(b'{"events": [], "more": 1}') is None
