"""The rule files: complete, sourced, and what staff and code say of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import available_timezones

import pytest

from consent import policy, rulebook
from consent.management.commands.purposes import table
from consent.objections import OBJECTIONS
from consent.purposes import Purpose
from consent.reasons import HOLDS, REASONS
from consent.rulebook import Rules
from consent.rules import shelf
from consent.states import NAMES, code_of
from messaging.models import PURPOSES
from messaging.templates_compile import COMMERCIAL

EVERY = shelf.every()


@pytest.mark.parametrize("rules", EVERY, ids=lambda one: one.version)
def test_every_purpose_has_a_rule(rules: Rules) -> None:
    """PR-01"""
    assert rules.purposes.keys() == set(Purpose)


@pytest.mark.parametrize("rules", EVERY, ids=lambda one: one.version)
def test_what_needs_an_authorization_is_what_figures_are_counted_by(rules: Rules) -> None:
    """PR-01"""
    needs = {key for key, one in rules.purposes.items() if one.needs_authorization}
    assert needs == set(policy.NEEDS_AUTHORIZATION)


@pytest.mark.parametrize("rules", EVERY, ids=lambda one: one.version)
def test_every_rule_names_its_source(rules: Rules) -> None:
    """ST-01"""
    assert all(one.law for one in rules.purposes.values())
    assert all(one.source for one in rules.states)
    assert all(one.source for one in rules.quiet)
    assert all(one.source for one in rules.caps)


@pytest.mark.parametrize("rules", EVERY, ids=lambda one: one.version)
def test_every_state_has_its_zones(rules: Rules) -> None:
    """TC-04"""
    assert rules.zones is not None and rules.zones.keys() - {"unknown"} == NAMES.keys()
    known = {zone for zones in rules.zones.values() for zone in zones}
    assert known <= available_timezones()


def test_the_rules_that_staff_see_have_the_labels_of_the_forms() -> None:
    assert {key: one.label for key, one in EVERY[-1].purposes.items()} == dict(PURPOSES)


def test_commercial_mail_is_what_the_rules_say() -> None:
    """CS-05, PR-37: a fundraising mail needs a way out as well."""
    assert {key for key, one in EVERY[-1].purposes.items() if one.commercial} == COMMERCIAL


def test_a_moment_before_the_first_version_is_decided_by_the_first() -> None:
    assert shelf.at(datetime(1999, 1, 1, tzinfo=UTC)) is EVERY[0]


def test_the_latest_version_in_force_decides() -> None:
    assert shelf.at(datetime(2026, 11, 22, tzinfo=UTC)).version == EVERY[-1].version
    assert rulebook.in_force(EVERY[-1].since, datetime(2026, 11, 22, tzinfo=UTC))


def test_every_objection_has_its_words() -> None:
    assert {code for code, _ in OBJECTIONS} <= REASONS.keys() and REASONS.keys() >= HOLDS


@pytest.mark.parametrize(
    ("said", "country", "code"),
    [
        ("Massachusetts", "US", "MA"),
        ("ma", "", "MA"),
        ("US-TX", "", "TX"),
        ("Bavaria", "", ""),
        ("CA", "Canada", ""),
        ("", "", ""),
    ],
)
def test_a_state_is_known_by_name_and_by_code(said: str, country: str, code: str) -> None:
    assert code_of(said, country=country) == code


def test_the_page_for_readers_has_the_rules_in_force() -> None:
    """PR-01: docs/purposes.md is what `manage.py purposes` prints."""
    page = (Path(__file__).parents[2] / "docs" / "purposes.md").read_text("utf-8")
    assert table(EVERY[-1]) in page


def test_the_page_for_readers_names_every_reason() -> None:
    page = (Path(__file__).parents[2] / "docs" / "purposes.md").read_text("utf-8")
    assert [code for code in REASONS if f"`{code}`" not in page] == []
