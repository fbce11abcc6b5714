"""How hard is it to read? English by Flesch and Kincaid, Spanish by Fernández Huerta and INFLESZ.

Syllables are where a word could be hyphenated (the TeX patterns in pyphen), and never fewer than
its groups of vowels.

- Flesch-Kincaid grade (Kincaid and others 1975): 0.39 × words a sentence + 11.8 × syllables a word
  - 15.59. Health mail should stay at grade 8 or below; AHRQ and the NIH advise 6 to 8.
- Fernández Huerta (1959): 206.84 - 60 × syllables a word - 1.02 × words a sentence.
- Szigriszt-Pazos (1993): 206.835 - 62.3 × syllables a word - words a sentence, on the INFLESZ scale
  (Barrio-Cantalejo 2008): below 55 is hard for most people, 65 and above is easy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import pyphen

from messaging.making.checks.checked import Checked
from messaging.sandbox import Problem

HARDEST_GRADE = 8.0
LEAST_INFLESZ = 55.0
FEWEST_WORDS = 30
"""With fewer, a formula says nothing."""

_TAG = re.compile(r"\{[{%].*?[%}]\}|zq\d+xq|[\ue000]\d+[\ue001]", re.DOTALL)
_ADDRESS = re.compile(r"https?://\S+|\b[^\s@]{1,64}@[^\s@]{1,255}\.\w+")
_SENTENCE = re.compile(r"[.!?…]+(?=\s|$)|\n\s*\n|\n(?=\s*[-*•])")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_VOWELS = {
    "en": re.compile(r"[aeiouy]+"),
    "es": re.compile(r"[aeiouáéíóúü]+"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """How hard a text is; figures are None where it is too short or of another language."""

    language: str
    words: int
    sentences: int
    grade: float | None = None
    huerta: float | None = None
    inflesz: float | None = None

    @property
    def hard(self) -> bool:
        if self.grade is not None:
            return self.grade > HARDEST_GRADE
        return self.inflesz is not None and self.inflesz < LEAST_INFLESZ

    def in_words(self) -> str:
        if self.grade is not None:
            return f"Grade {max(self.grade, 0):.1f} (Flesch-Kincaid), {self.words} words"
        if self.inflesz is not None:
            level = next(name for least, name in INFLESZ if self.inflesz >= least)
            return (
                f"INFLESZ {self.inflesz:.0f}, {level} "
                f"(Fernández Huerta {self.huerta:.0f}), {self.words} words"
            )
        if self.language in _VOWELS:
            return f"{self.words} words: too few to say how hard they are to read"
        return f"{self.words} words; how hard they are to read has no formula in this language"


INFLESZ = (
    (80.0, "very easy"),
    (65.0, "rather easy"),
    (55.0, "normal"),
    (40.0, "somewhat hard"),
    (float("-inf"), "very hard"),
)


def of(text: str, language: str) -> Reading:
    """Return how hard a text is to read; merge tags and addresses do not count."""
    plain = _ADDRESS.sub(" ", _TAG.sub(" ", text))
    sentences = [s for each in _SENTENCE.split(plain) if (s := _WORD.findall(each))]
    words = [word for sentence in sentences for word in sentence]
    own = language.partition("-")[0]
    if len(words) < FEWEST_WORDS or own not in _VOWELS:
        return Reading(own, len(words), len(sentences))
    long = len(words) / len(sentences)
    heavy = sum(syllables(word, own) for word in words) / len(words)
    if own == "en":
        grade = 0.39 * long + 11.8 * heavy - 15.59
        return Reading(own, len(words), len(sentences), grade=grade)
    huerta = 206.84 - 60 * heavy - 1.02 * long
    inflesz = 206.835 - 62.3 * heavy - long
    return Reading(own, len(words), len(sentences), huerta=huerta, inflesz=inflesz)


@lru_cache(maxsize=4)
def _hyphens(language: str) -> pyphen.Pyphen:
    lang, shortest_end = {"en": ("en_US", 2), "es": ("es", 1)}[language]
    return pyphen.Pyphen(lang=lang, left=1, right=shortest_end)


@lru_cache(maxsize=20_000)
def syllables(word: str, language: str) -> int:
    word = word.lower()
    hyphened = len(_hyphens(language).positions(word)) + 1
    heard = len(_VOWELS[language].findall(word))
    if language == "en" and word.endswith("e") and not word.endswith(("le", "ee")):
        heard -= 1
    return max(1, hyphened, heard)


def check(checked: Checked) -> Iterator[Problem]:
    read = of(checked.text, checked.language)
    if read.hard:
        yield Problem("text", 1, f"{read.in_words()}: hard for many. Shorten sentences, and say it "
                      "in everyday words.", "reading")  # fmt: skip
