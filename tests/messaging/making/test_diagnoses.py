"""An illness by its name, where the mail is seen without being opened (EM-07)."""

from __future__ import annotations

import pytest

from messaging.making import drafts
from messaging.making.checks.diagnoses import named
from messaging.templates_compile import TemplateInvalid
from tests.messaging.conftest import template
from tests.messaging.mails import BODY, compiled


@pytest.mark.parametrize(
    "said",
    ["Your diabetes class", "Living with HIV", "Prediabetic? Come", "Pregnancy care", "PrEP refill",
     "High blood pressure check", "Clase para la DIABETES", "Su embarazo", "Cáncer de mama"],
)  # fmt: skip
def test_an_illness_is_heard(said: str) -> None:
    assert named(said)


@pytest.mark.parametrize(
    "said",
    ["Spring news from {{ organisation.name }}", "He aids us", "We prep a meal", "Come and walk",
     "Your visit on Monday", "Small steps that help", "Masma street", "Un saludo"],
)  # fmt: skip
def test_words_of_every_day_are_not(said: str) -> None:
    assert named(said) == ""


@pytest.mark.parametrize(
    ("spoiled", "place"),
    [
        ({"subject": "Your diabetes class"}, "in the subject"),
        ({"head": "<mj-preview>Eat well with diabetes</mj-preview>"}, "in the preheader"),
        ({"head": "<mj-title>Diabetes</mj-title>"}, "in the title"),
        ({"body": BODY + '<mj-button href="https://h.example/diabetes-class">Come</mj-button>',
          "text": ""}, "in a link's address"),
    ],
)  # fmt: skip
def test_where_it_stands_is_told(spoiled: dict[str, str], place: str) -> None:
    made = compiled(purpose="treatment", **spoiled)
    assert any(place in one.message for one in made.warnings if one.code == "diagnosis")


def test_inside_the_mail_it_may_be_named() -> None:
    made = compiled(
        body=BODY + "<mj-text>You have diabetes.</mj-text>", text="", purpose="treatment"
    )
    assert [one for one in made.warnings if one.code == "diagnosis"] == []


def test_who_gets_it_for_having_it_makes_the_warning_a_refusal(at_harbor: object) -> None:
    draft = template(subject="Your diabetes class", purpose="treatment")
    assert drafts.compiled(draft).warnings
    draft.audience = ["clinical"]
    with pytest.raises(TemplateInvalid) as refused:
        drafts.compiled(draft)
    assert [one.part for one in refused.value.problems] == ["subject"]
