"""Translations follow the main words, and say where they lag (AC-02)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Organisation
from messaging.making import drafts, languages
from messaging.models import Template, Translation
from tests.conftest import NOON
from tests.messaging.conftest import template


@pytest.fixture
def draft(at_harbor: Organisation) -> Template:
    Organisation.objects.filter(pk=at_harbor.pk).update(
        postal_address="1 Quay, Boston", web_origin="https://h.example"
    )
    return template()


@pytest.fixture
def spanish(draft: Template) -> Translation:
    return languages.begin(draft, "es", now=NOON)


def test_a_translation_that_was_just_begun_does_not_lag(
    draft: Template, spanish: Translation
) -> None:
    assert not languages.lags(draft, spanish)


def test_a_translation_lags_once_the_main_words_change(
    draft: Template, spanish: Translation
) -> None:
    draft.subject = "Other news from {{ organisation.name }}"
    assert languages.lags(draft, spanish)


def test_line_ends_that_a_form_wrote_anew_make_none_lag(
    draft: Template, spanish: Translation
) -> None:
    draft.mjml, draft.text = draft.mjml.replace("\n", "\r\n") + "\r\n", f"{draft.text}\n"
    assert not languages.lags(draft, spanish)


def test_a_change_of_the_purpose_alone_makes_none_lag(
    draft: Template, spanish: Translation
) -> None:
    draft.topic, draft.changed_at = "diet", NOON + timedelta(days=1)
    assert not languages.lags(draft, spanish)


def test_saving_a_translation_does_not_say_that_it_was_held_against_the_main_words(
    draft: Template, spanish: Translation
) -> None:
    draft.subject = "Other news"
    languages.keep(spanish, now=NOON)
    assert languages.lags(draft, spanish)


def test_one_that_was_held_against_the_main_words_does_not_lag_any_more(
    draft: Template, spanish: Translation
) -> None:
    draft.subject = "Other news"
    languages.hold(draft, spanish)
    assert not languages.lags(draft, spanish)


def test_of_one_from_before_the_times_decide(draft: Template, spanish: Translation) -> None:
    spanish.main, spanish.changed_at = None, NOON - timedelta(days=1)
    assert languages.lags(draft, spanish)


def test_the_check_names_the_language_that_lags(draft: Template, spanish: Translation) -> None:
    draft.subject = "Other news from {{ organisation.name }}"
    found = [one for one in drafts.compiled(draft).warnings if one.code == languages.CODE]
    assert [(one.language, one.part) for one in found] == [("es", "mjml")]
