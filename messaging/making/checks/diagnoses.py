"""Does what is read without opening the mail name an illness? (EM-07) Pure.

A field cannot stand in a subject, but a word can: “Your diabetes class” on a locked screen says as
much. A sign, not a verdict: a class that everybody is asked to betrays nobody. Where being among
the recipients says something clinical of a person, it does, and no version is made (`drafts`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from messaging.making.checks.checked import MARK, Checked, elements
from messaging.sandbox import Problem

CODE = "diagnosis"
_WORDS = """
abortion|addiction|alcoholism|alzheimer\\w*|anorexia|anxiety|arthritis|asthma\\w*|autis\\w+|biopsy|
bipolar|bulimia|buprenorphine|cancer\\w*|chemo\\w*|chlamydia|cholesterol|cirrhosis|contracepti\\w+|
copd|cystic fibrosis|dementia|depress(?:ion|ed|ive)|(?:pre)?diabet\\w+|dialysis|eating disorder\\w*|
emphysema|epilep\\w+|erectile dysfunction|gonorrh\\w+|heart (?:attack|disease|failure)|hepatitis|
herpes|high blood pressure|hospice|hypertension|incontinence|infertility|insulin|
kidney (?:disease|failure)|leuk\\w*emia|lupus|lymphoma|melanoma|menopaus\\w+|metformin|methadone|
miscarriage|multiple sclerosis|naloxone|obesity|opioid\\w*|osteoporosis|overdose|parkinson\\w*|
pregnan\\w+|psoriasis|psychosis|radiotherapy|schizophreni\\w+|seizures?|sickle cell|
sobriety|stroke|suicid\\w+|syphilis|transplant\\w*|tuberculosis|tumou?rs?|
adicción|alcoholismo|ansiedad|anticoncepti\\w+|aborto|artritis|asma|autismo|cáncer|colesterol|
demencia|depresión|derrame cerebral|diálisis|embaraz\\w+|epilepsia|esclerosis múltiple|
esquizofrenia|hipertensión|infarto|infertilidad|insuficiencia cardíaca|insulina|menopausia|
obesidad|quimioterapia|sífilis|sobredosis|trasplante|tumor(?:es)?
"""
_ILLNESS = re.compile(rf"\b(?:{''.join(_WORDS.split(chr(10)))})\b", re.IGNORECASE)
# In small letters these are words of every day, or of nobody.
_SHORT = re.compile(r"\b(?:ADHD|AIDS|HIV|HPV|PTSD|PrEP|STDs?|STIs?|SIDA|TDAH|VIH)\b")
_SEEN = {"mj-preview": "the preheader", "mj-title": "the title"}
_ON_SCREENS = "is read on locked screens: who sees it learns of an illness. Say it inside the mail."
_ON_THE_WAY = "is kept in logs on the way. Give the page or the file a name that says nothing."


def named(text: str) -> str:
    """Return the first word for an illness; empty where there is none."""
    plain = MARK.sub(" ", text)
    found = _ILLNESS.search(plain) or _SHORT.search(plain)
    return found[0] if found else ""


def check(checked: Checked) -> Iterator[Problem]:
    if word := named(checked.subject):
        yield Problem("subject", 1, f"“{word}” in the subject {_ON_SCREENS}", CODE)
    for element in elements(checked.mjml):
        place = _SEEN.get(element.name, "")
        if place and (word := named(element.text())):
            yield Problem("mjml", element.line, f"“{word}” in {place} {_ON_SCREENS}", CODE)
        for name, what in (("href", "a link's address"), ("src", "a picture's address")):
            if word := named(_path(element.given.get(name, ""))):
                yield Problem("mjml", element.line, f"“{word}” in {what} {_ON_THE_WAY}", CODE)


def _path(address: str) -> str:
    """Return what of an address is words: not the host, which is the organisation's name."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return re.sub(r"[/_.?=&+-]+", " ", unquote(f"{parts.path} {parts.query}"))
