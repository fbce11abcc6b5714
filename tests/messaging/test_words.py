"""AC-02: every word that a patient reads stands in every language that the pages speak."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from string import Formatter

import pytest
from django.test import RequestFactory

from messaging import words
from messaging.protection import wrapping
from messaging.words import LANGUAGES, Table, asked, by_browser, known, said

ROOT = Path(__file__).parents[2]
PAGES = (
    *(ROOT / "templates/public").glob("*.html"),
    ROOT / "templates/consent/_document.html",
    *(
        ROOT / f"templates/messaging/{name}.html"
        for name in ("pickup", "message", "own_key", "left", "unsubscribe", "untracked")
    ),
)
"""What patients see, but for what an organisation's own staff wrote."""
NAMES = {"Attune", "S/MIME", "OpenPGP"}


def tables() -> dict[str, Table]:
    found: dict[str, Table] = {"wrapping.SUBJECT": _flat(wrapping.SUBJECT)}
    for one in pkgutil.iter_modules(words.__path__):
        module = importlib.import_module(f"messaging.words.{one.name}")
        for name, value in vars(module).items():
            if name.isupper() and isinstance(value, dict) and isinstance(value.get("en"), dict):
                found[f"{one.name}.{name}"] = value
    return found


def _flat(subjects: object) -> Table:
    assert isinstance(subjects, dict)
    return {language: {"subject": subject} for language, subject in subjects.items()}


def test_there_is_something_to_test() -> None:
    assert len(tables()) >= 9
    assert len(PAGES) >= 12


@pytest.mark.parametrize("name", sorted(tables()))
def test_ac02_no_word_is_missing_in_any_language(name: str) -> None:
    """AC-02"""
    table = tables()[name]
    assert set(table) >= set(LANGUAGES)
    for language in LANGUAGES:
        assert set(table[language]) == set(table["en"]), language
        assert all(value.strip() for value in table[language].values()), language


@pytest.mark.parametrize("name", sorted(tables()))
def test_ac02_nothing_is_left_in_english(name: str) -> None:
    """AC-02: a sentence that is the same in two languages was not translated."""
    table = tables()[name]
    same = {
        key
        for key, value in table["en"].items()
        if value == table["es"][key] and re.search(r"[a-z]{4}", value)
    }
    assert same == set()


@pytest.mark.parametrize("name", sorted(tables()))
def test_the_blanks_to_fill_are_the_same_in_every_language(name: str) -> None:
    table = tables()[name]
    for language in LANGUAGES:
        for key, value in table[language].items():
            assert _blanks(value) == _blanks(table["en"][key]), (language, key)


def _blanks(value: str) -> set[str]:
    tags = set(re.findall(r"\{\{.*?\}\}", value))
    return tags or {name for _, name, _, _ in Formatter().parse(value) if name}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_ac02_no_page_for_patients_has_words_of_its_own(page: Path) -> None:
    """AC-02: whatever stands in the page itself would stay English in every language."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", " ", text, flags=re.DOTALL)
    shown = re.findall(r"(?:aria-label|title|alt|placeholder)=\"([^\"]*)\"", text)
    shown.append(re.sub(r"<[^>]*>", " ", text))
    left = {word for each in shown for word in re.findall(r"[A-Za-z][A-Za-z/]+", each)} - NAMES
    assert left == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_word_that_a_page_asks_for_is_there(page: Path) -> None:
    """A misspelt key prints nothing, and nobody notices."""
    everything = {key for table in tables().values() for key in table["en"]}
    wanted = re.findall(r"\bwords\.([a-z_]+)", page.read_text(encoding="utf-8"))
    assert set(wanted) <= everything


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("fr,es;q=0.5", "es"),
        ("en-US,es", "en"),
        ("zh", "en"),
        ("", "en"),
        ("x" * 5000, "en"),
        ("*;q=0.1", "en"),
    ],
)
def test_the_browser_is_heard_where_nobody_chose(header: str, language: str) -> None:
    assert by_browser(RequestFactory().get("/", HTTP_ACCEPT_LANGUAGE=header)) == language


def test_what_was_chosen_comes_before_the_person_and_the_person_before_the_browser() -> None:
    request = RequestFactory().get("/?lang=en", HTTP_ACCEPT_LANGUAGE="en")
    assert asked(request, otherwise="es") == "en"
    request = RequestFactory().get("/?lang=xx", HTTP_ACCEPT_LANGUAGE="en")
    assert asked(request, otherwise="es-MX") == "es"
    assert known("spanglish") == ""
    assert said(tables()["frame.WORDS"], "es-MX")["skip"] == "Ir al contenido"
