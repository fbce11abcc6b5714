"""What a newcomer finds around the sample's patients."""

from __future__ import annotations

import pytest

from contacts.importing import work
from contacts.models import (
    CustomField,
    Household,
    ImportRun,
    MergeProposal,
    Representation,
    Segment,
)
from contacts.sample import around, seed
from contacts.segments import references
from contacts.segments.definition import parse
from tests.conftest import NOON

pytestmark = pytest.mark.usefixtures("at_harbor")


def test_the_sample_shows_what_surrounds_a_record() -> None:
    seed.patients(120, now=NOON)
    segment = Segment.objects.get()
    assert segment.name == around.SEGMENT
    assert Representation.objects.count() == seed.FAMILIES
    assert Household.objects.count() > 0
    assert MergeProposal.objects.get().state == "open"
    assert CustomField.objects.get().label == "Preferred site"
    assert references.code_groups_named(parse(segment.definition))
    assert ImportRun.objects.exclude(job=None).count() == 1


def test_the_sample_is_filled_once() -> None:
    assert seed.patients(30, now=NOON) == 30
    assert seed.patients(30, now=NOON) == 0


def test_the_samples_file_comes_in_but_for_one_row() -> None:
    seed.patients(30, now=NOON)
    while work.run_once(now=NOON):
        pass
    run = ImportRun.objects.exclude(job=None).get()
    assert (run.state, run.created, run.refused) == ("done", 3, 1)
