from __future__ import annotations

from tests.messaging.mails import BODY, FOOT, compiled, rendered


def test_an_empty_text_part_is_made_from_the_body() -> None:
    """EM-27"""
    assert rendered({"given_name": "Ada"}, text="").text == (
        "Dear Ada,\n\n"
        "Read how to eat well: https://h.example/m/c/T/0.\n\n"
        "Come to the class: https://h.example/m/c/T/1\n\n"
        "Harbor Clinic, 1 Quay, Boston Stop these mails: https://h.example/m/u/U\n"
    )


def test_lists_tables_and_pictures_are_read_out() -> None:
    body = BODY + (
        "<mj-text><h1>Eat</h1><ul><li>Beans</li><li>Rice &amp; peas</li></ul></mj-text>"
        "<mj-table><tr><th>When</th><td>Thursdays</td></tr></mj-table>"
        '<mj-image src="https://h.example/a.png" alt="A bowl of beans" /><mj-divider />'
    )
    text = compiled(body=body, text="", own_hosts={"h.example"}).text
    for said in ("Eat\n", "- Beans\n- Rice & peas", "When Thursdays", "A bowl of beans", "\n--\n"):
        assert said in text


def test_conditions_stand_in_the_text_as_in_the_body() -> None:
    body = BODY + "{% if contact.conditions %}<mj-text>Mind your feet.</mj-text>{% endif %}"
    assert "Mind" not in rendered(body=body, text="").text
    assert "Mind" in rendered({"conditions": [{"display": "x"}]}, body=body, text="").text


def test_what_is_not_shown_is_not_read_out() -> None:
    head = "<mj-style>.x { color: red }</mj-style><mj-preview>Peep</mj-preview>"
    text = compiled(head=head, text="").text
    assert "color" not in text
    assert "Peep" not in text


def test_a_telephone_number_is_not_said_twice() -> None:
    body = BODY + '<mj-text>Call <a href="tel:+16175550142">+16175550142</a></mj-text>'
    assert compiled(body=body, foot=FOOT, text="").text.count("+16175550142") == 1
