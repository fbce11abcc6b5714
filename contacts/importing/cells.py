"""What a cell of a file means where a spreadsheet or another language wrote it. Pure."""

from __future__ import annotations

import re

_YES = (
    "yes y true t 1 x ja j oui o vrai sí si s sim verdadero vero wahr tak ano áno igen da kyllä"
    " evet да はい 是 예 네 ✓ ✔"
)
_NO = (
    "no n false f 0 nein non faux não nao falso falsch nie ne nem nu ei nej hayır нет не いいえ"
    " 否 아니요 ✗ ✘"
)
_ANSWERS = {**dict.fromkeys(_YES.split(), "true"), **dict.fromkeys(_NO.split(), "false")}
_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d{1,3}")
LOST_DIGITS = (
    "is a number such as 1.2E+11, of which a spreadsheet has dropped digits; format its column as"
    " text and export it again"
)
_NOTHING = frozenset(
    [
        "n/a",
        "na",
        "#n/a",
        "null",
        "(null)",
        "none",
        "(none)",
        "nil",
        "nan",
        "unknown",
        "undefined",
        "-",
        "--",
        "---",
        ".",
        "?",
        "\\n",
    ]
)


def answer(text: str) -> str:
    """Return yes as `true` and no as `false`, in the languages that files come in."""
    return _ANSWERS.get(text.casefold(), text)


def has_lost_digits(text: str) -> bool:
    """Whether a spreadsheet wrote a long number so that its last digits are gone."""
    return _SCIENTIFIC.fullmatch(text) is not None


def says_nothing(text: str) -> bool:
    """Whether a cell holds a word that systems write for a value that they have not."""
    return text.casefold() in _NOTHING


def markers(text: str) -> frozenset[str]:
    """Return the texts of cells that clear, as a person wrote them: divided by commas."""
    return frozenset(part.strip() for part in text.split(",") if part.strip())
