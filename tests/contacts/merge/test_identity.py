"""Merge, then take it back: everything is as it was, whatever it was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent import gate, ledger
from consent.gate import GateRequest
from contacts import events, lists, records
from contacts.events import NewEvent
from contacts.fields import DataClass
from contacts.merge import acts
from contacts.models import Contact, Event, Identifier, ListMember
from contacts.records import Change
from contacts.reveal import reveal
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("at_harbor")

TELLING = frozenset({"contact.merged", "contact.unmerged", "contact.deceased"})
CITIES = st.sampled_from(["Boston", "Quincy", "Salem"])
CODES = st.lists(
    st.builds(
        lambda code, ref: {
            "system": "http://snomed.info/sct", "code": code, "display": code,
            "status": "active", "ref": ref,
        },
        st.sampled_from(["1", "2", "3"]),
        st.sampled_from(["a", "b", "c"]),
    ),
    max_size=3,
)  # fmt: skip
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "city": CITIES,
        "given_name": st.sampled_from(["Ada", "Ida"]),
        "email": st.sampled_from(["a@x.example", "b@x.example"]),
        "deceased": st.booleans(),
        "conditions": CODES,
        "gender": st.sampled_from(["female", "other"]),
    },
)
SAID = st.tuples(VALUES, st.integers(0, 5))
PERSON = st.fixed_dictionaries(
    {
        "said": st.lists(SAID, min_size=1, max_size=3),
        "events": st.lists(st.booleans(), max_size=3),
        "on": st.sets(st.integers(0, 1)),
        "no": st.sampled_from(["", "marketing", "treatment"]),
    }
)


def make(number: str, told: dict[str, Any], listed: list[Any]) -> int:
    for values, days in told["said"]:
        at = NOON - timedelta(days=days)
        change = Change(source="ehr", record_number=number, values=values, occurred_at=at)
        (contact_id,) = records.upsert([change], now=NOON).contact_ids
    events.append(
        [
            NewEvent(
                contact_id=contact_id,
                kind="visited",
                occurred_at=NOON,
                properties={"n": place} if sealed else None,
            )
            for place, sealed in enumerate(told["events"])
        ],
        now=NOON,
    )
    for place in told["on"]:
        lists.add(listed[place].id, [contact_id], now=NOON)
    if told["no"]:
        ledger.opt_out(contact_id, purpose=told["no"], received_by="test", now=NOON)
    return contact_id


def picture(ids: list[int]) -> Any:
    """Everything that is known of these contacts, as far as a merge could change it."""
    columns = ("id", "email_index", "phone_index", "deceased", "erased_at", "merged_into")
    asked = [GateRequest(one, purpose) for one in ids for purpose in ("treatment", "operations")]
    return (
        reveal(ids, list(DataClass), purpose="test"),
        list(Contact.objects.filter(pk__in=ids).order_by("pk").values(*columns)),
        list(
            Event.objects.filter(contact_id__in=ids)
            .exclude(kind__in=TELLING)
            .order_by("id")
            .values("id", "contact_id", "kind", "through")
        ),
        list(
            Identifier.objects.order_by("value_index").values("value_index", "contact_id", "origin")
        ),
        sorted(ListMember.objects.values_list("list_id", "contact_id", "added_at")),
        [getattr(answer, "code", "permit") for answer in gate.ask(asked, now=NOON)],
    )


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(mine=PERSON, theirs=PERSON, third=st.none() | PERSON)
def test_hd04_a_merge_taken_back_leaves_everything_as_it_was(
    mine: dict[str, Any], theirs: dict[str, Any], third: dict[str, Any] | None
) -> None:
    """HD-04: also where the one that stays had been merged with another before."""
    with transaction.atomic():
        listed = [lists.create(name, now=NOON) for name in ("x", "y")]
        ids = [make("m", mine, listed), make("t", theirs, listed)]
        if third is not None:
            ids.append(make("o", third, listed))
            acts.merge(ids[0], ids[2], now=NOON)
        before = picture(ids)
        made = acts.merge(ids[0], ids[1], now=NOON)
        acts.undo(made.pk, now=NOON)
        after = picture(ids)
        transaction.set_rollback(True)
    assert after == before
