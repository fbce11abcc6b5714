from __future__ import annotations

import pytest

from messaging import templates_compile
from messaging.templates_compile import TemplateInvalid
from tests.messaging.mails import BODY, FOOT, SUBJECT, TEXT, compiled, complaints, mjml

SITE = "https://a.example/"
NAME = "{{ contact.given_name }}"
EACH = "{% for c in contact.conditions %}"


def with_text(text: str) -> str:
    return f"{BODY}<mj-text>{text}</mj-text>"


def test_a_sound_template_compiles() -> None:
    assert complaints() == []


def test_the_data_classes_are_those_of_the_fields_read() -> None:
    body = BODY + "<mj-text>{% for c in contact.conditions %}{{ c.display }}{% endfor %}</mj-text>"
    assert compiled(body=body).data_classes == {"identity", "clinical"}


def test_a_declared_field_that_is_not_read_adds_no_class() -> None:
    assert compiled().data_classes == {"identity"}


def test_an_undeclared_field_is_named() -> None:
    """PR-20"""
    (only,) = complaints(body=BODY + "<mj-text>{{ contact.city }}</mj-text>")
    assert only == "mjml: contact.city is not declared; add it to the template's fields."


def test_a_field_that_does_not_exist_is_named() -> None:
    assert complaints(text=TEXT + "{{ contact.shoe_size }}") == [
        "text: There is no contact field 'shoe_size'."
    ]


def test_a_problem_names_its_line() -> None:
    with pytest.raises(TemplateInvalid) as caught:
        compiled(text=TEXT + "\n{{ contact.city }}")
    assert [(each.part, each.line) for each in caught.value.problems] == [("text", 7)]


def test_a_text_part_that_could_not_be_made_yet_is_not_said_to_lack_anything() -> None:
    (only,) = complaints(subject="For {{ contact.given_name }}", text="")
    assert "locked screens" in only


@pytest.mark.parametrize(
    ("spoiled", "place"),
    [
        ({"subject": "For {{ contact.given_name }}"}, "locked screens"),
        ({"subject": "{% if contact.conditions %}a{% endif %}"}, "locked screens"),
        ({"head": "<mj-preview>Hi {{ contact.given_name }}</mj-preview>"}, "the preheader"),
        ({"head": "<mj-title>{{ contact.given_name }}</mj-title>"}, "the title"),
        ({"body": BODY + "<mj-text><!-- {{ contact.given_name }} --></mj-text>"}, "comment"),
        (
            {"body": with_text(f'<a href="{SITE}{NAME}">x</a>')},
            "a URL",
        ),
        (
            {"body": with_text(f'<a href="{SITE}">{NAME}</a>')},
            "the text of a link",
        ),
        (
            {"body": BODY + f'<mj-button href="{SITE}">{NAME}</mj-button>'},
            "the text of a link",
        ),
        (
            {"body": BODY + f'<mj-image src="{SITE}a.png" alt="{NAME}" />'},
            "an alternative text",
        ),
        (
            {"body": with_text(f"{EACH}<b title='{{{{ c.display }}}}'>x</b>{{% endfor %}}")},
            "the attribute title",
        ),
        ({"text": TEXT + "https://a.example/?n={{ contact.given_name }}"}, "a URL"),
    ],
)  # fmt: skip
def test_no_fact_about_a_person_outside_the_text(spoiled: dict[str, str], place: str) -> None:
    """EM-07"""
    assert any(place in each for each in complaints(**spoiled))


def test_a_link_is_written_out_in_full() -> None:
    assert any(
        "written out" in each
        for each in complaints(text=TEXT + "https://a.example/{{ organisation.name }}")
    )


@pytest.mark.parametrize(
    "href", ["javascript:alert(1)", "data:text/html,x", "//evil.example/", "/a", "https:///x"]
)
def test_a_link_goes_to_the_web_or_to_a_person(href: str) -> None:
    body = BODY + f'<mj-text><a href="{href}">x</a></mj-text>'
    assert any("link" in each.lower() for each in complaints(body=body))


@pytest.mark.parametrize(
    "bad",
    [
        "<script>x</script>",
        "<iframe src='https://a.example'></iframe>",
        "<form></form>",
        "<b onclick='x'>x</b>",
        "<img src='https://tracker.example/p.gif'>",
        "<div style='background: url(https://tracker.example/p.gif)'>x</div>",
        "<link rel='stylesheet' href='https://a.example/x.css'>",
    ],
)
def test_nothing_runs_and_nothing_is_loaded_from_elsewhere(bad: str) -> None:
    """TR-01"""
    assert complaints(body=f"{BODY}<mj-text>{bad}</mj-text>")


@pytest.mark.parametrize(
    "bad",
    [
        r"<div style='background: u\72l(https://tracker.example/p.gif)'>x</div>",
        "<div style='background: image-set(\"https://tracker.example/p.gif\" 1x)'>x</div>",
        "<svg><image href='https://tracker.example/p.gif'/></svg>",
        "<meta http-equiv='refresh' content='0;url=https://tracker.example/'>",
        "<area href='javascript:alert(1)'>",
        "<a href='https://a.example/' href='javascript:alert(1)'>x</a>",
    ],
)
def test_no_other_spelling_runs_or_loads_either(bad: str) -> None:
    """TR-01"""
    assert complaints(body=f"{BODY}<mj-text>{bad}</mj-text>")


@pytest.mark.parametrize(
    "head",
    [
        "<mj-attributes><mj-all href='javascript:alert(1)' /></mj-attributes>",
        "<mj-attributes><mj-class name='k' href='//evil.example/' /></mj-attributes>",
        "<mj-attributes><mj-text color='red;background:url(https://t.example/)' /></mj-attributes>",
        r"<mj-style>.x { background: u\72l(https://tracker.example/p.gif) }</mj-style>",
    ],
)
def test_the_head_lends_the_body_nothing_that_it_may_not_have(head: str) -> None:
    """TR-01"""
    assert complaints(head=head)


@pytest.mark.parametrize(
    "forged", ["zq0xq", "zq99xq", "zq<!-- -->0xq", "z&#113;0xq", "zq{# #}0xq", "zq<b></b>0xq"]
)
def test_a_merge_tag_cannot_be_forged_into_the_preheader(forged: str) -> None:
    """EM-07"""
    found = complaints(head=f"<mj-preview>{forged}</mj-preview>")
    assert found == ["mjml: This part holds the letters that stand for a merge tag: zq0xq."]


def test_no_font_is_fetched() -> None:
    """TR-01: MJML would add one of Google's."""
    html = compiled(head="<mj-style>.x { color: red }</mj-style>").html
    assert "googleapis" not in html
    assert "@import" not in html


def test_a_picture_of_the_organisations_own_host_may_be_loaded() -> None:
    body = BODY + '<mj-image src="https://h.example/logo.png" alt="Harbor Clinic" />'
    assert complaints(body=body, own_hosts={"h.example"}) == []


def test_the_text_part_holds_all_links() -> None:
    """EM-27"""
    lacking = TEXT.replace("https://harbor.example/class", "our site")
    assert complaints(text=lacking) == [
        "text: The text part lacks the link https://harbor.example/class; both parts hold all."
    ]


def test_a_commercial_mail_needs_a_postal_address_and_a_way_out() -> None:
    """CS-05"""
    found = complaints(foot="", text=TEXT.split("{{ organisation.name }}", maxsplit=1)[0])
    assert sum("postal_address" in each for each in found) == 2
    assert sum("links.unsubscribe" in each for each in found) == 2


def test_a_treatment_mail_may_do_without() -> None:
    text = TEXT.split("{{ organisation.name }}", maxsplit=1)[0]
    assert complaints(foot="", text=text, purpose="treatment") == []


def test_mjml_that_is_not_closed_names_the_element() -> None:
    assert "mjml: <mj-text> is not closed before </mj-column>." in complaints(
        body=BODY + "<mj-text>x", foot=""
    )


def test_a_condition_between_boxes_survives_the_layout() -> None:
    body = BODY + "{% if contact.given_name %}<mj-text>named</mj-text>{% endif %}"
    html = compiled(body=body).html
    before, _, after = html.partition("{% if contact.given_name %}")
    assert before.count("<table") > before.count("</table")
    assert after.index("named") < after.index("{% endif %}")


@pytest.mark.parametrize(
    "printed",
    [
        "{{ contact.given_name }}",
        "{{ contact.given_name | upper }}",
        "{% if contact.given_name %}-{% else %}{{ contact.given_name }}{% endif %}",
        "{% if contact.conditions %}{{ contact.given_name }}{% endif %}",
        "{% if contact.given_name or contact.conditions %}{{ contact.given_name }}{% endif %}",
        "{% if contact.given_name != 'x' %}{{ contact.given_name }}{% endif %}",
        "{% for c in contact.conditions %}{{ c.date | date }}{% endfor %}",
    ],
)
def test_what_may_be_missing_needs_a_fallback(printed: str) -> None:
    """PR-20: the problem names the field and the line."""
    with pytest.raises(TemplateInvalid) as caught:
        compiled(text=TEXT + printed)
    (only,) = caught.value.problems
    assert (only.part, only.line) == ("text", 6)
    assert "may have no value: write {{ c" in only.message


@pytest.mark.parametrize(
    "printed",
    [
        "{{ contact.given_name | upper | default('you') }}",
        "{% if contact.given_name %}{{ contact.given_name }}{% endif %}",
        "{% if contact.given_name and contact.conditions %}{{ contact.given_name }}{% endif %}",
        "{% if not contact.given_name %}-{% else %}{{ contact.given_name }}{% endif %}",
        "{% if contact.given_name is undefined %}-{% else %}{{ contact.given_name }}{% endif %}",
        "{% if contact.given_name == 'x' %}{{ contact.given_name }}{% endif %}",
        "{{ contact.given_name if contact.given_name else 'you' }}",
        "{% for c in contact.conditions %}{{ c.display }}{% endfor %}",
        "{% for c in contact.conditions %}{% if c.date %}{{ c.date|date }}{% endif %}{% endfor %}",
    ],
)
def test_a_fallback_or_a_condition_around_it_will_do(printed: str) -> None:
    assert complaints(text=TEXT + printed) == []


def test_the_address_that_a_mail_goes_to_is_always_there() -> None:
    assert complaints(text=TEXT + "{{ contact.email }}", declared=["given_name", "email"]) == []


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("{{ contact.given_name|date|default('') }}", "not what the filter 'date' is for"),
        ("{{ contact.birth_date|default('soon')|date }}", "Write default after date"),
        ("{{ contact.birth_date|date('roman')|default('') }}", "one of short, medium"),
        ("{{ contact.birth_date|time|default('') }}", "a day without a time"),
        ("{{ contact.household_size|plural('one')|default('') }}", "takes 2 to 3 arguments"),
    ],
)
def test_a_filter_that_does_not_fit_is_named(printed: str, said: str) -> None:
    fields = ["given_name", "birth_date", "household_size"]
    assert any(said in each for each in complaints(text=TEXT + printed, declared=fields))


def test_the_same_source_has_the_same_fingerprint_and_another_another() -> None:
    same, other = compiled().sha256, compiled(subject=SUBJECT + "!").sha256
    assert compiled().sha256 == same != other


def test_an_empty_or_too_long_part_is_refused() -> None:
    with pytest.raises(TemplateInvalid) as caught:
        templates_compile.compile("", mjml(), "x" * 70_000, [])
    assert {each.part for each in caught.value.problems} == {"subject", "text"}


def test_unsubscribe_in_one_part_only_is_a_problem() -> None:
    found = complaints(
        foot=FOOT.replace("{{ links.unsubscribe }}", "https://harbor.example/class"),
        purpose="treatment",
    )
    assert found == ["mjml: {{ links.unsubscribe }} stands in one part only."]
