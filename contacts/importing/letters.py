"""Whether words with accents make sense, as one encoding or another reads them. Pure.

The same byte is `ñ` on a Western machine and `ń` on a Central European one. What gives a wrong
reading away is where the letter stands: `ń` before a vowel, `ø` between two, two letters that no
language has together. A word without any of that may be right in several readings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_LANGUAGES = tuple(
    map(
        frozenset,
        (
            "àâæçéèêëîïôœùûüÿ",  # French
            "äöüßéèà",  # German
            "áéíñóúü",  # Spanish
            "àçèéíïòóúü",  # Catalan
            "áàâãçéêíóôõúü",  # Portuguese
            "àèéìíòóùú",  # Italian
            "éëïöüèáóúêô",  # Dutch
            "æøåéäöüóô",  # Danish, Norwegian
            "åäöéüšž",  # Swedish, Finnish
            "áðéíóúýþæö",  # Icelandic
            "äöõüšž",  # Estonian
            "âêîôûŵŷáéíóúàèìòù",  # Welsh, Irish, Gaelic
            "ąćęłńóśźż",  # Polish
            "áčďéěíňóřšťúůýž",  # Czech
            "áäčďéíĺľňóôŕšťúýž",  # Slovak
            "áéíóöőúüű",  # Hungarian
            "čćđšž",  # Croatian, Slovene
            "ăâîşţșț",  # Romanian
            "çë",  # Albanian
            "çğıöşüâîû",  # Turkish
            "ąčęėįšųūž",  # Lithuanian
            "āčēģīķļņšūž",  # Latvian
        ),
    )
)
_ORDINALS = frozenset("ªºµ")
_VOWELS = "aeiouyáàâãäåăąæéèêëěęėíìîïóòôõöøőœúùûüůűýÿıāēīūŕĺ"
_V, _C = f"[{_VOWELS}]", f"[^\\W\\d_{_VOWELS}]"
_WRONG = re.compile(
    "|".join(
        (
            # Letters where no language has them.
            f"(?:{_V}|^)[èòàåøæ]{_V}|{_V}[æøåœ]$|{_V}œ",
            f"(?<![lr]){_C}[čćřňťşţď]{_C}|{_C}{{2}}[čćřňťşţ]{_C}|(?<!{_C})[lr][čćřňťď]{_C}",
            f"^[ĺŕ]|{_C}ň$|ń{_V}|ñ(?!{_V})|[ąę]{_V}|ő{_V}|ă[oeaă]|[őűăąęłńś][æøåñœþð]",
            "ã(?![oe]|$)|^.+þ(?![ójrú])|õ(?!e)(?=.*(?:gy|sz|cs|zs|y))|ď[csdtr]",
            "(?:gy|sz|cs|zs|ny).*[õû](?!e)|[õû](?!e).*(?:gy|sz|cs|zs|ny)",
        )
    )
)
_SIGNS = re.compile(
    # A sign in a word, one that opens at its end, one that belongs to figures at its beginning.
    r"[^\W\d_][‚ƒ„…†‡ˆ‰‹“•˜™›¡¢£¤¥¦§¨©«¬®¯°±²³µ¶¸¹»¼½¾¿×÷‘][^\W\d_]"
    r"|[^\W\d_][‚„‹“¡¿«¤§‘¨ƒ†‡ˆ]"
    r"|(?:^|[^\w])[£¥¯³¤¦§¹¼¾ªº±¶¨][a-zà-ÿ]"
    r"|[^\W\d_]{2}[ªº]|[ªº][^\W\d_]"
    r"|[\x80-\x9f\ufffdˇ˘˝˛˙]"
)
_LATE_CAPITAL = re.compile(r"[a-zà-öø-ÿ](?![A-Z])[^\W\d_a-zà-öø-ÿ]")
_BREAK = re.compile(r"[a-z]{2}(?:[–—]|’(?!(?:s|t|re|ll|ve|d|m|em|n)\b))[a-z]")


def nonsense(words: Iterable[str]) -> int:
    """Count the words that no language writes so."""
    return sum(map(is_nonsense, words))


def is_nonsense(word: str) -> bool:
    if _SIGNS.search(word) or any(_is_late(found[0]) for found in _LATE_CAPITAL.finditer(word)):
        return True
    return any(_is_wrong(part) for part in re.findall(r"[^\W\d_]+", word))


def _is_late(two: str) -> bool:
    return two[1].isupper() and not two[1].isascii()


def _is_wrong(part: str) -> bool:
    lower = part.replace("İ", "i").lower()
    special = frozenset(one for one in lower if one.isalpha() and not one.isascii()) - _ORDINALS
    if special and not any(special <= language for language in _LANGUAGES):
        return True
    return bool(_WRONG.search(lower))


def are_broken(words: Iterable[str]) -> bool:
    """Whether a dash or an apostrophe stands in the midst of a word, where Macs have `ñ` and `í`.

    Where there are other letters of the West besides, it may well be a dash.
    """
    return any(_BREAK.search(word) for word in words)
