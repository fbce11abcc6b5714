from __future__ import annotations

import pytest

from accounts.models import Organisation
from messaging.making import drafts
from messaging.models import Translation
from messaging.templates_compile import Compiled, TemplateInvalid
from tests.conftest import NOON
from tests.messaging.texts.conftest import NAMED, REMINDER, text_template

pytestmark = pytest.mark.usefixtures("at_harbor")
END = " Reply STOP to end."


def compiled(words: str = REMINDER, **more: object) -> Compiled:
    return drafts.compiled(text_template(words, **more))  # type: ignore[arg-type]


def codes(words: str, **more: object) -> list[str]:
    with pytest.raises(TemplateInvalid) as invalid:
        compiled(words, **more)
    return [one.code or one.message for one in invalid.value.problems]


def warned(words: str, **more: object) -> list[str]:
    return [one.code for one in compiled(words, **more).warnings]


def test_a_sound_text_compiles_to_words_alone() -> None:
    made = compiled()
    assert (made.subject, made.html, made.text) == ("", "", REMINDER)


def test_it_says_of_the_person_what_it_prints() -> None:
    made = compiled(NAMED, declared=["given_name"])
    assert (set(made.data_classes), set(made.fields_read)) == ({"identity"}, {"given_name"})


def test_a_field_without_a_fallback_is_refused() -> None:
    words = "{{ organisation.name }}: {{ contact.given_name }}. Call 617-555-0000. STOP to end."
    assert codes(words, declared=["given_name"]) == ["fallback"]


def test_the_number_that_a_text_goes_to_is_always_there() -> None:
    words = "{{ organisation.name }} for {{ contact.phone }}. Call 617-555-0000. STOP to end."
    assert compiled(words, declared=["phone"]).fields_read == {"phone"}


def test_an_injection_is_refused() -> None:
    """SE-03"""
    assert codes("{{ organisation.name }} {{ contact.__class__.__mro__ }}" + END)


def test_a_sender_who_is_not_named_is_refused() -> None:
    """TC-05"""
    assert codes("Your visit is near. Call 617-555-0000." + END) == ["sender"]


@pytest.mark.parametrize("purpose", ["appointment", "marketing", "payment"])
def test_a_text_without_a_way_out_is_refused(purpose: str) -> None:
    """TC-05"""
    words = "{{ organisation.name }}: see you soon. Call 617-555-0000."
    assert codes(words, purpose=purpose) == ["opt_out"]


def test_what_a_person_must_be_told_needs_no_way_out() -> None:
    words = "{{ organisation.name }}: our privacy practices have changed."
    assert compiled(words, purpose="service_notice").text == words


def test_spanish_may_say_alto() -> None:
    words = "{{ organisation.name }}: su cita se acerca. 617-555-0000. Responda ALTO para terminar."
    assert compiled(words, language="es").text == words


def test_english_does_not_stop_by_alto() -> None:
    words = "{{ organisation.name }}: see you soon. 617-555-0000. Reply ALTO."
    assert codes(words) == ["opt_out"]


def filled(characters: int) -> str:
    """Return a reminder that is so long when Harbor Clinic sends it."""
    head, tail = "{{ organisation.name }}: ", " Call 617-555-0000. STOP to end."
    return head + "x" * (characters - len("Harbor Clinic: ") - len(tail)) + tail


def test_160_characters_of_health_care_are_few_enough() -> None:
    """TC-05"""
    assert compiled(filled(160)).text == filled(160)


def test_161_characters_of_health_care_are_too_many() -> None:
    """TC-05"""
    assert codes(filled(161)) == ["length"]


def test_a_payment_text_may_be_longer() -> None:
    assert compiled(filled(300), purpose="payment").text == filled(300)


def test_more_parts_than_carriers_take_are_refused() -> None:
    assert codes(filled(1_600), purpose="payment") == ["length"]


def test_a_health_care_text_says_how_to_reach_the_sender() -> None:
    """TC-05"""
    assert codes("{{ organisation.name }}: your visit is near." + END) == ["contact"]


def test_a_health_care_text_says_nothing_of_money() -> None:
    """TC-05"""
    words = "{{ organisation.name }}: your bill is ready. Call 617-555-0000." + END
    assert codes(words) == ["billing"]


def test_a_health_care_text_sells_nothing() -> None:
    """TC-05"""
    words = "{{ organisation.name }}: 20% off whitening. Call 617-555-0000." + END
    assert codes(words) == ["purpose"]


def test_a_link_of_ours_is_refused() -> None:
    words = "{{ organisation.name }} 617-555-0000 {{ links.unsubscribe }}" + END
    assert any("people stop it by a word" in one for one in codes(words))


def test_a_field_in_a_link_is_refused() -> None:
    """EM-07"""
    words = "{{ organisation.name }} https://h.example/{{ contact.city | default('x') }}" + END
    assert any("may not stand in a URL" in one for one in codes(words, declared=["city"]))


def test_what_is_said_in_the_open_is_told() -> None:
    """W8"""
    assert "open" in warned(NAMED, declared=["given_name"])


def test_a_letter_outside_the_alphabet_is_told() -> None:
    words = "{{ organisation.name }}: your visit “near”. Call 617-555-0000." + END
    assert "size" in warned(words)


def test_every_language_is_checked() -> None:
    draft = text_template()
    Translation.objects.create(
        template=draft, language="es", subject="", mjml="", text="Hola", changed_at=NOON
    )
    with pytest.raises(TemplateInvalid) as invalid:
        drafts.compiled(draft)
    assert {one.language for one in invalid.value.problems} == {"es"}


def test_a_condition_counts_with_its_longest_branch(at_harbor: Organisation) -> None:
    words = (
        "{{ organisation.name }}: {% if contact.city %}" + "x" * 120 + "{% endif %}"
        " Call 617-555-0000. STOP to end."
    )
    assert codes(words, declared=["city"]) == ["length"]
