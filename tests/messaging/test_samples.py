from __future__ import annotations

import re

import pytest

from accounts.models import Organisation
from messaging import samples
from messaging.links import Addresses
from messaging.models import TemplateVersion
from messaging.render import Rendered
from messaging.versions import parts_of
from tests.conftest import NOON
from tests.messaging.mails import ORGANISATION

SLUGS = [each.slug for each in samples.SAMPLES]


def shown(version: TemplateVersion, **values: str) -> Rendered:
    return parts_of(version).render(
        values, organisation=ORGANISATION, addresses=Addresses("https://h.example/m/u/U")
    )


def test_the_samples_compile_and_are_approved(at_harbor: Organisation) -> None:
    made = samples.ensure_sample_templates(now=NOON)
    assert list(made) == SLUGS
    assert all(hasattr(version, "approval") for version in made.values())


def test_a_second_time_changes_nothing(at_harbor: Organisation) -> None:
    first = samples.ensure_sample_templates(now=NOON)
    assert samples.ensure_sample_templates(now=NOON) == first


@pytest.mark.parametrize("slug", SLUGS)
def test_no_subject_names_a_condition(at_harbor: Organisation, slug: str) -> None:
    """EM-07"""
    version = samples.ensure_sample_templates(now=NOON)[slug]
    assert "diabet" not in shown(version, given_name="Ada").subject.lower()


@pytest.mark.parametrize("slug", SLUGS)
def test_a_sample_loads_nothing_and_greets_by_name(at_harbor: Organisation, slug: str) -> None:
    """TR-01"""
    said = shown(samples.ensure_sample_templates(now=NOON)[slug], given_name="Ada")
    assert "Dear Ada," in said.text
    assert "Dear Ada," in said.html
    assert not re.search(r"(src|background)=[\"']http", said.html)
