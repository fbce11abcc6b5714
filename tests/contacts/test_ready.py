"""New people made ready for their rows."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organisation
from contacts import merging, packing
from contacts.facts import CLEAR
from contacts.fields import FIELDS, SEALED_CLASSES, DataClass, Field, FieldType
from contacts.ready import New, of_records, of_values
from contacts.sample import people
from tests.conftest import NOON

SITE = Field(
    key="custom_site",
    label="Site",
    data_class=DataClass.DEMOGRAPHIC,
    type=FieldType.CHOICES,
    choices=("N", "S"),
)
WITH_SITE = {**FIELDS, SITE.key: SITE}

ITEMS = st.lists(
    st.fixed_dictionaries(
        {"system": st.sampled_from(["http://loinc.org", "urn:ours"]), "code": st.just("4548-4")},
        optional={
            "display": st.sampled_from(["HbA1c", ""]),
            "status": st.just("final"),
            "value": st.sampled_from([6.5, 7, "high"]),
            "at": st.sampled_from(["2026-09-17T19:15:00Z", "2025-01-01T00:00:00Z"]),
        },
    ).map(lambda item: {"display": "", "status": "final", **item}),
    max_size=4,
)
RESULTS = ITEMS.map(lambda items: [{k: v for k, v in i.items() if k != "status"} for i in items])
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "given_name": st.sampled_from(["Ana", None, CLEAR]),
        "deceased": st.sampled_from([True, False, None, CLEAR]),
        "email": st.sampled_from(["Ana@Example.test", None, CLEAR]),
        "phone": st.sampled_from(["+16175550100", CLEAR]),
        "gender": st.sampled_from(["female", CLEAR]),
        "household_size": st.sampled_from([1, 2]),
        "plan": st.sampled_from(["Gold", CLEAR]),
        "encounters": ITEMS,
        "results": RESULTS,
        "record_numbers": st.sampled_from([CLEAR, [{"source": "ehr", "value": "1"}] * 2]),
        "custom_site": st.sampled_from([["N"], ["N", "S"]]),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some=st.lists(st.tuples(VALUES, st.sampled_from([0, 5, 1_700_000_000_000_000])), max_size=4))
def test_new_people_are_packed_as_if_their_records_were_made_first(
    at_harbor: Organisation,
    some: list[tuple[dict[str, Any], int]],
) -> None:
    records = [merging.fresh(values, as_of=as_of, fields=WITH_SITE) for values, as_of in some]
    expected = [
        [
            packing.unpack(packing.pack(one.get(kind, packing.Record({}, {}))))
            for kind in SEALED_CLASSES
        ]
        for one in records
    ]
    made = of_values(at_harbor.pk, [New(*one) for one in some], fields=WITH_SITE)
    assert [[packing.unpack(packed) for packed in one.classes] for one in made] == expected
    assert [one[1:] for one in made] == [one[1:] for one in of_records(at_harbor.pk, records)]


def test_the_bytes_of_new_people_are_those_of_their_records(at_harbor: Organisation) -> None:
    """So that nothing in a row says by which way its person came."""
    values = [dict(one.values) for one in people(7, 200, now=NOON)]
    records = [merging.fresh(one, as_of=5) for one in values]
    made = of_values(at_harbor.pk, [New(one, 5) for one in values], fields=FIELDS)
    assert made == of_records(at_harbor.pk, records)
