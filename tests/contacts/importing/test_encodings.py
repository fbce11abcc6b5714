"""In which encoding names of people were written, told by their letters or asked."""

from __future__ import annotations

import io

import pytest

from contacts.importing import encodings, letters
from contacts.importing.encodings import EncodingUnclear

NAMES = {
    "us": "José García|María Muñoz|Luis Peña",
    "martinez": "Mary Martínez|Ann Rodríguez",
    "french": "Hélène Dupré|Noël Crêpe|Anaïs Lefèvre|Gaël Maître",
    "portuguese": "João Simões|Conceição Gonçalves|Inês Assunção",
    "danish": "Søren Kjær|Åse Bjørn|Mette Østergård",
    "swedish": "Åkesson Växjö|Strömqvist",
    "icelandic": "Guðrún Sigurðardóttir|Þórður Jónsson|Steinþór",
    "german": "Jürgen Groß|Käthe Schröder|Änne Öhler",
    "polish": "Łukasz Wiśniewski|Małgorzata Dąbrowska|Żaneta Poznańska|Stanisław Źrebiec",
    "czech": "Jiří Dvořák|Tomáš Novák|Věra Růžičková|Čeněk Šťastný",
    "hungarian": "Győző Erdős|Béla Szűcs|Zsófia Tóth|Ödön Szőke",
    "croatian": "Luka Kovačević|Đorđe Šimić|Ana Perić",
    "romanian": "Ionuţ Brăila|Ştefan Munteanu|Măria Ţepeş",
    "turkish": "Ayşe Yıldız|Mehmet Şahin|Doğan Güneş",
    "lithuanian": "Jonas Žemaitė|Rūta Šimkutė",
    "estonian": "Tõnu Võsu|Jüri Mägi",
    "japanese": "山田太郎|髙橋さくら|ヤマダ タロウ",
    "chinese": "张三丰|李小龙|王芳",
    "taiwanese": "張三豐|李小龍|陳美麗",
    "korean": "김철수|이영희|박지성",
    "russian": "Иванов Пётр|Анна Сидорова",
}

OTHER_SCRIPTS = {"japanese", "chinese", "taiwanese", "korean", "russian"}


def found(names: str, encoding: str) -> str:
    if encoding in ("euc-jp", "iso2022-jp"):
        names = names.replace("髙", "高")
    rows = "".join(f"{n},{name},x\r\n" for n, name in enumerate(names.split("|")))
    content = ("id,name,city\r\n" + rows).encode(encoding)
    return encodings.of(io.BytesIO(content), content[: encodings.SAMPLE])


@pytest.mark.parametrize(
    ("whose", "encoding"),
    [
        *((whose, "cp1252") for whose in ("us", "martinez", "french", "portuguese", "danish")),
        *((whose, "cp1252") for whose in ("swedish", "icelandic", "german")),
        *((whose, "cp1250") for whose in ("polish", "czech", "hungarian", "croatian", "romanian")),
        ("polish", "iso-8859-2"),
        ("czech", "iso-8859-2"),
        ("lithuanian", "cp1257"),
        ("japanese", "cp932"),
        ("japanese", "iso2022-jp"),
        ("chinese", "gb18030"),
    ],
)
def test_names_that_make_sense_in_one_encoding_alone_are_read_so(whose: str, encoding: str) -> None:
    assert found(NAMES[whose], encoding) == encoding


@pytest.mark.parametrize(
    ("whose", "encoding"),
    [
        *((whose, "mac-roman") for whose in ("us", "martinez", "french", "portuguese", "german")),
        *((whose, "cp437") for whose in ("us", "martinez", "german")),
        *((whose, "cp850") for whose in ("us", "portuguese", "german")),
        ("danish", "cp865"),
        ("polish", "cp852"),
        ("czech", "mac-latin2"),
        ("turkish", "cp1254"),
        ("estonian", "cp1252"),
        ("japanese", "euc-jp"),
        ("taiwanese", "big5"),
        ("korean", "cp949"),
        ("russian", "cp1251"),
        ("russian", "koi8-r"),
    ],
)
def test_names_that_may_be_read_in_several_ways_are_asked(whose: str, encoding: str) -> None:
    with pytest.raises(EncodingUnclear):
        found(NAMES[whose], encoding)


@pytest.mark.parametrize("word", ["Erdős|Kiss", "Inês"])
def test_a_single_name_that_fits_west_and_centre_is_asked(word: str) -> None:
    with pytest.raises(EncodingUnclear):
        found(word, "cp1250" if "ő" in word else "cp1252")


@pytest.mark.parametrize(
    ("words", "encoding"),
    [
        ("O\u2019Brien|it\u2019s|Dell\u2019Orto", "cp1252"),
        ("André D\u2019angelo|father\u2013daughter", "cp1252"),
        ("Straße 5½|50 µm|20 €|Tylenol™", "cp1252"),
        ("Tomáš Novák|Žižka", "cp1252"),
    ],
)
def test_signs_and_letters_that_stand_alike_in_both_are_no_question(
    words: str, encoding: str
) -> None:
    assert found(words, encoding) == encoding


def test_a_few_odd_words_among_many_western_ones_are_no_question() -> None:
    many = "|".join(f"Muñoz{chr(97 + n % 26)}{'ab'[n % 2]}a" for n in range(200))
    assert found(f"{many}|Dvo\u00f8\u00e1k", "cp1252") == "cp1252"


def test_letters_far_down_in_a_long_file_count_too() -> None:
    rows = "".join(f"{n},Anna\r\n" for n in range(200_000))
    content = (f"id,name\r\n1,José\r\n{rows}" + "9,Dvořák Jiří\r\n").encode("cp1250")
    assert encodings.of(io.BytesIO(content), content[: encodings.SAMPLE]) == "cp1250"


@pytest.mark.parametrize(
    ("whose", "encoding"), [("polish", "cp852"), ("us", "cp437"), ("turkish", "cp1254")]
)
def test_the_right_encoding_is_among_the_first_that_are_offered(whose: str, encoding: str) -> None:
    words = encodings.words(io.BytesIO(NAMES[whose].encode(encoding)))
    assert encoding in encodings.likeliest(words)[:6]


@pytest.mark.parametrize("whose", sorted(NAMES.keys() - OTHER_SCRIPTS))
def test_every_name_makes_sense_as_it_was_written(whose: str) -> None:
    assert not letters.nonsense(NAMES[whose].replace("|", " ").split())
