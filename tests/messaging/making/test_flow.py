"""Wall W8: which field reaches which part."""

from __future__ import annotations

import pytest

from messaging.making import flow
from messaging.making.flow import Asked, Use
from messaging.templates_compile import Shared, TemplateInvalid
from tests.messaging.mails import BODY, TEXT, compiled

OLDER = Shared({"older": Asked("Older people", frozenset({"birth_date"}), frozenset({"identity"}))})
SICK = Shared({"sick": Asked("With diabetes", frozenset({"conditions"}), frozenset({"clinical"}))})
A, SAID = "https://a.example/", "{{ contact.conditions }}"
PICTURE = '<mj-image src="https://h.example/a.png" alt="A bowl" />'


def reached(uses: tuple[Use, ...]) -> set[tuple[str, str, str]]:
    return {(use.place, use.field, use.how) for use in uses}


def refused(**spoiled: object) -> TemplateInvalid:
    with pytest.raises(TemplateInvalid) as caught:
        compiled(**spoiled)  # type: ignore[arg-type]
    return caught.value


def test_what_is_printed_reaches_the_part_it_stands_in() -> None:
    assert reached(compiled().uses) == {
        (flow.BODY, "given_name", flow.PRINTED),
        (flow.TEXT, "given_name", flow.PRINTED),
    }


def test_a_use_names_its_line() -> None:
    use = next(each for each in compiled().uses if each.place == flow.TEXT)
    assert use.line == 1


@pytest.mark.parametrize(
    ("spoiled", "place"),
    [
        ({"subject": "For {{ contact.conditions | default('') }}"}, flow.SUBJECT),
        ({"head": "<mj-preview>{{ contact.conditions }}</mj-preview>"}, flow.PREHEADER),
        ({"head": "<mj-title>{{ contact.conditions }}</mj-title>"}, flow.HEAD),
        ({"body": BODY + f'<mj-button href="{A}">{SAID}</mj-button>'},
         flow.LINKS),
        ({"body": BODY + f'<mj-text><a href="{A}{SAID}">x</a></mj-text>'},
         flow.LINKS),
        ({"body": BODY + '<mj-image src="https://h.example/a" alt="{{ contact.conditions }}" />'},
         flow.IMAGES),
        ({"body": BODY + f"<mj-text><b title='{SAID}'>x</b></mj-text>"}, flow.MARKUP),
        ({"body": BODY + "<mj-text><!-- {{ contact.conditions }} --></mj-text>"}, flow.MARKUP),
        ({"text": TEXT + "https://a.example/{{ contact.conditions }}"}, flow.LINKS),
    ],
)  # fmt: skip
def test_a_refused_version_says_which_flow_is_forbidden(
    spoiled: dict[str, str], place: str
) -> None:
    """EM-07, CA-60: the author is warned of the field and the place."""
    wrong = flow.forbidden(refused(**spoiled).uses)
    assert {(use.place, use.field) for use in wrong} == {(place, "conditions")}


def test_a_condition_around_a_part_reaches_what_stands_in_it() -> None:
    inside = f"{{% if contact.conditions %}}{PICTURE}{{% endif %}}"
    made = compiled(body=BODY + inside, own_hosts={"h.example"})
    assert (flow.IMAGES, "conditions", flow.ASKED) in reached(made.uses)
    assert not flow.forbidden(made.uses)


def test_a_loop_over_a_list_reads_the_list() -> None:
    loop = "<mj-text>{% for c in contact.conditions %}{{ c.display }}{% endfor %}</mj-text>"
    assert (flow.BODY, "conditions", flow.PRINTED) in reached(compiled(body=BODY + loop).uses)


def test_a_condition_of_the_template_counts_among_what_the_mail_says() -> None:
    """W8: a paragraph that only people with diabetes get says that they have it."""
    inside = "{% if when.sick %}<mj-text>Mind your feet.</mj-text>{% endif %}"
    made = compiled(body=BODY + inside, shared=SICK)
    assert made.data_classes == {"identity", "clinical"}
    assert made.asked == {"sick"}
    assert (flow.BODY, "conditions", flow.ASKED) in reached(made.uses)


def test_what_a_condition_reads_is_not_opened_for_the_mail() -> None:
    """PR-20: only what is printed is decrypted."""
    inside = "{% if when.sick %}<mj-text>Mind your feet.</mj-text>{% endif %}"
    assert compiled(body=BODY + inside, shared=SICK).opened == {"identity"}


def test_a_subject_asks_no_condition() -> None:
    """EM-07"""
    wrong = refused(subject="{% if when.sick %}Your feet{% else %}News{% endif %}", shared=SICK)
    assert any("may not ask when.sick" in each.message for each in wrong.problems)


def test_a_preheader_asks_no_condition() -> None:
    """EM-07"""
    head = "<mj-preview>{% if when.sick %}Feet{% endif %}</mj-preview>"
    assert any("the preheader" in each.message for each in refused(head=head, shared=SICK).problems)


def test_a_condition_that_does_not_exist_is_named() -> None:
    wrong = refused(text=TEXT + "{% if when.young %}x{% endif %}", shared=OLDER)
    assert [each.message for each in wrong.problems] == [
        "The template has no condition 'young'; it has older."
    ]


def test_kept_uses_come_back_as_they_were() -> None:
    uses = compiled().uses
    assert flow.restored([use.stored() for use in uses]) == uses


def test_blanks_around_a_dot_hide_no_field() -> None:
    """Jinja reads `contact . conditions` as it reads `contact.conditions`."""
    spaced = "<mj-text>{% if contact . conditions %}x{% endif %}</mj-text>"
    made = compiled(body=BODY + spaced, text="", purpose="treatment")
    assert ("body", "conditions") in {(use.place, use.field) for use in made.uses}
