from __future__ import annotations

import json

import pytest

from messaging.making.checks import KINDS, clients, reading
from messaging.making.checks.accessibility import colour, ratio
from messaging.templates_compile import TemplateInvalid
from tests.intake.builders import DATA
from tests.messaging.mails import BODY, SUBJECT, compiled

A = "https://a.example"
FLEX = '<mj-text><p style="display:flex">x</p></mj-text>'
BUTTON = f'<mj-button href="{A}">Come to the class</mj-button>'
FEATURES = DATA / "caniemail" / "features.json"


def warned(kind: str, **parts: object) -> list[str]:
    made = compiled(**parts)  # type: ignore[arg-type]
    return [each.message for each in made.warnings if each.code == kind]


def inside(mjml: str) -> str:
    return f"{BODY}\n{mjml}"


def test_a_sound_mail_has_no_warning() -> None:
    large = '<mj-attributes><mj-all font-size="16px" /></mj-attributes>'
    assert compiled(head=large).warnings == ()


@pytest.mark.parametrize(
    ("kind", "parts", "said"),
    [
        ("accessibility", {"body": inside('<mj-text color="#999999">Pale</mj-text>')}, "2.8"),
        ("accessibility", {"body": inside('<mj-text font-size="10px">Small</mj-text>')}, "small"),
        ("accessibility", {"body": inside("<mj-text><h1>A</h1><h3>B</h3></mj-text>")}, "<h3>"),
        ("accessibility", {"body": inside("<mj-text><h2>A</h2></mj-text>")}, "no heading"),
        ("accessibility", {"body": inside(
            '<mj-image src="https://h.example/a.png" href="https://a.example" alt="" />'),
            "text": ""}, "where it leads"),
        ("accessibility", {"body": inside(
            '<mj-image src="https://h.example/a.png" alt="bowl.png" />')}, "file's name"),
        ("links", {"body": inside('<mj-text><a href="https://a.example">here</a></mj-text>'),
                   "text": ""}, "say where it leads"),
        ("links", {"body": inside('<mj-text><a href="http://a.example">The menu</a></mj-text>'),
                   "text": ""}, "use https"),
        ("links", {"body": inside(f'<mj-text><a href="{A}">www.a.example</a></mj-text>'),
                   "text": ""}, "shows its address"),
        ("links", {"body": inside(BUTTON),
                   "text": ""}, "different places"),
        ("clients", {"body": inside(FLEX)}, "Outlook"),
        ("clients", {"head": "<mj-style>.x { position: absolute }</mj-style>"}, "Gmail"),
        ("spam", {"subject": "LAST CHANCE TO COME"}, "shouting"),
        ("spam", {"subject": "Re: your visit"}, "CAN-SPAM"),
        ("spam", {"subject": "Come!!"}, "Repeated"),
        ("spam", {"subject": "A subject that goes on and on until no program shows the end of it "
                             "to anybody"}, "most programs"),
        ("spam", {"body": inside("<mj-text>Act now, this is risk-free</mj-text>")}, "act now"),
        ("spam", {"body": inside('<mj-text><a href="https://bit.ly/x">Menu</a></mj-text>'),
                  "text": ""}, "bit.ly"),
        ("size", {"body": inside(f"<mj-text>{'words and ' * 11_000}</mj-text>")}, "cuts a mail"),
    ],
)  # fmt: skip
def test_a_check_warns(kind: str, parts: dict[str, str], said: str) -> None:
    """AC-01, CA-73"""
    found = warned(kind, **parts, own_hosts={"h.example"})
    assert any(said in each for each in found), found


@pytest.mark.parametrize(
    "lacking",
    [
        '<mj-image src="https://h.example/a.png" />',
        '<mj-text><img src="https://h.example/a.png"></mj-text>',
    ],
)
def test_a_picture_without_words_is_refused(lacking: str) -> None:
    """AC-01"""
    with pytest.raises(TemplateInvalid) as caught:
        compiled(body=inside(lacking), own_hosts={"h.example"})
    assert "has no alt" in caught.value.problems[0].message


def test_a_mail_without_a_language_gets_the_templates() -> None:
    """AC-01"""
    html = compiled().html
    assert '<html lang="en"' in html


def test_a_mail_that_says_another_language_is_refused() -> None:
    """AC-01"""
    with pytest.raises(TemplateInvalid) as caught:
        compiled(language="es")
    assert 'lang="en"' in caught.value.problems[0].message


def test_a_warning_names_its_line() -> None:
    made = compiled(body=inside('<mj-text color="#999999">Pale</mj-text>'))
    assert next(w for w in made.warnings if "contrast" in w.message).line == 4


def test_every_warning_has_a_kind_with_words() -> None:
    body = inside('<mj-text color="#999999"><a href="http://a.example">here</a></mj-text>')
    assert {each.code for each in compiled(body=body, text="", subject=SUBJECT).warnings} <= set(
        KINDS
    )


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("#000", "#ffffff", 21.0), ("#777777", "#fff", 4.48), ("white", "rgb(255,255,255)", 1.0)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, expected: float) -> None:
    first, second = colour(one), colour(other)
    assert first is not None
    assert second is not None
    assert ratio(first, second) == pytest.approx(expected, abs=0.01)


PLAIN = (
    "We will call you. You can come in at ten. Bring your card with you. We are glad to help. " * 3
)
HARD = (
    "Individuals experiencing persistent cardiovascular complications should immediately consult "
    "appropriately qualified professionals regarding pharmacological interventions. "
) * 5
LLANO = (
    "Lo llamamos hoy. Venga a las diez. Traiga su ficha. Le damos agua y pan. Es muy fácil. " * 3
)
DIFICIL = (
    "Las complicaciones cardiovasculares persistentes requieren inmediatamente intervenciones "
    "farmacológicas especializadas, adecuadamente supervisadas por profesionales cualificados. "
) * 4


@pytest.mark.parametrize(
    ("text", "language", "hard"),
    [(PLAIN, "en", False), (HARD, "en", True), (LLANO, "es", False), (DIFICIL, "es-US", True)],
)
def test_plain_words_are_told_from_hard_ones(text: str, language: str, hard: bool) -> None:
    """CA-73"""
    assert reading.of(text, language).hard is hard


@pytest.mark.parametrize(
    ("word", "language", "expected"),
    [("call", "en", 1), ("water", "en", 2), ("appointment", "en", 3), ("table", "en", 2),
     ("immediately", "en", 5), ("agua", "es", 2), ("corazón", "es", 3), ("medicamento", "es", 5)],
)  # fmt: skip
def test_syllables_are_counted(word: str, language: str, expected: int) -> None:
    assert reading.syllables(word, language) == expected


def test_a_formula_says_nothing_of_few_words_or_other_languages() -> None:
    assert reading.of("Come in.", "en").grade is None
    assert reading.of("słowo " * 50, "pl").grade is None


def test_why_there_is_no_figure_is_said() -> None:
    assert reading.of("A few words.", "en").in_words() == (
        "3 words: too few to say how hard they are to read"
    )
    assert "no formula in this language" in reading.of("Et par ord.", "da").in_words()


def test_fields_and_addresses_are_not_read() -> None:
    text = PLAIN + " {{ contact.given_name }} https://extraordinarily.example/complicated"
    assert reading.of(text, "en").words == reading.of(PLAIN, "en").words


@pytest.mark.skipif(not FEATURES.exists(), reason="the data of Can I email is not on this machine")
@pytest.mark.parametrize("fact", clients.FACTS, ids=lambda fact: fact.slug)
def test_our_table_says_what_can_i_email_found(fact: clients.Fact) -> None:
    found = {row["slug"]: row["stats"] for row in json.loads(FEATURES.read_text())}[fact.slug]
    tested = {
        "gmail": found["gmail"]["desktop-webmail"],
        "outlook": found["outlook"]["windows"],
        "outlook-com": found["outlook"]["outlook-com"],
        "yahoo": found["yahoo"]["desktop-webmail"],
    }
    newest = {name: list(each.values())[-1] for name, each in tested.items()}
    assert {name for name, said in newest.items() if said.startswith("n")} == set(fact.lacking)
