"""Harbor Clinic with the education series published and people who may or may not be written to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pytest

from accounts.models import Organisation
from consent import ledger
from contacts.records import Change, upsert
from contacts.segments import catalogue
from messaging import versions
from messaging.models import Template
from tests.conftest import NOON
from tests.messaging.conftest import approved, template
from tests.workflows.graphs import series
from workflows import publishing
from workflows.models import Workflow

EVERYTHING = frozenset({"identity", "demographic", "clinical", "coverage", "engagement"})
WOMEN = {"field": "gender", "op": "equals", "value": "female"}


def people(*numbers: str, **values: object) -> list[int]:
    known = {"given_name": "P", "birth_date": "1960-04-05", **values}
    changes = [
        Change(
            source="ehr",
            record_number=number,
            values={"email": f"{number}@patients.example", **known},
        )
        for number in numbers
    ]
    return list(upsert(changes, now=NOON).contact_ids)


def sign(
    contact_ids: Sequence[int],
    *,
    until: date = date(2030, 1, 1),
    classes: frozenset[str] = EVERYTHING,
) -> None:
    ledger.record_authorizations(
        [
            ledger.Signing(one, frozenset({"marketing"}), classes, NOON, expires_on=until)
            for one in contact_ids
        ],
        received_by="paper",
        now=NOON,
    )


@pytest.fixture
def ada(at_harbor: Organisation) -> int:
    """Authorised."""
    (one,) = people("ada", gender="female")
    sign([one])
    return one


@pytest.fixture
def cleo(at_harbor: Organisation) -> int:
    """Never asked."""
    return people("cleo", gender="female")[0]


@pytest.fixture
def mails(at_harbor: Organisation) -> dict[str, Template]:
    """Three approved templates for marketing."""
    Organisation.objects.filter(pk=at_harbor.pk).update(
        postal_address="1 Quay, Boston", web_origin="https://h.example"
    )
    made = {slug: template(slug) for slug in ("educate", "invite", "remind")}
    for one in made.values():
        approved(one)
    assert all(versions.latest_approved(one.id) for one in made.values())
    return made


Publish = Callable[..., Workflow]


@pytest.fixture
def publish(mails: dict[str, Template]) -> Publish:
    """Publish the series with some steps changed, let in by API unless told otherwise."""

    def published(
        *, trigger: object = None, slug: str = "series", extra: object = None, **changes: Any
    ) -> Workflow:
        raw = series(**{slug_: {"template": str(one.id)} for slug_, one in mails.items()})
        raw = series(
            **{
                node: {"template": str(mails[node].id)} | changes.pop(node, {})
                for node in ("educate", "invite", "remind")
            },
            **changes,
        )
        raw["trigger"] = trigger or {"kind": "api"}
        raw["nodes"] += [extra] if extra else []
        workflow = publishing.create("Series", slug=slug, draft=raw, now=NOON)
        publishing.publish(workflow.id, now=NOON)
        return Workflow.objects.select_related("live").get(id=workflow.id)

    return published


@pytest.fixture
def women(at_harbor: Organisation) -> str:
    """The id of a segment."""
    return str(catalogue.save(name="Women", tree=WOMEN, now=NOON).id)
