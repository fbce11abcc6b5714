"""What a password must be: long and unguessable, and nothing else (NIST SP 800-63B-4, SE-08).

15 characters at least, though a second factor would allow 8: a password manager does not care, and
a person who makes up a sentence reaches it at once. Up to 256, every character counts, any
character is allowed, none is demanded, nothing expires.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import sessions
from accounts.models import Session, User
from audit import trail

SHORTEST = 15
LONGEST = 256
LEFT_OVER = 8
"""What must be left once the words that anybody would try are taken out."""
_OURS = ("attune", "password", "passwort", "welcome", "letmein", "qwerty", "iloveyou", "hospital")


def problems(password: str, *, user: User, organisation_name: str = "") -> list[str]:
    """Return what is wrong with the password, in sentences; empty means that it will do."""
    plain = normal(password)
    if len(plain) < SHORTEST:
        return [f"Use at least {SHORTEST} characters: a sentence that nobody has said is good."]
    if len(plain) > LONGEST:
        return [f"Use at most {LONGEST} characters."]
    if _is_common(plain) or _is_guessable(plain, _context(user, organisation_name)):
        return ["This is too easy to guess: it is common, repeats itself, or is made of your name."]
    return []


def normal(password: str) -> str:
    """The same characters typed on two keyboards are the same password; nothing is cut off."""
    return unicodedata.normalize("NFKC", password)


def matches(user: User, password: str) -> bool:
    return user.check_password(normal(password))


def pretend_to_match(password: str) -> None:
    """Take the time of a real check, so that the answer does not tell who has an account."""
    make_password(normal(password)[:LONGEST])


def choose(
    user: User, password: str, *, now: datetime, by: str = "self", but: Session | None = None
) -> None:
    """Set the password and end the user's other sessions."""
    user.set_password(normal(password))
    user.password_changed_at = now
    with transaction.atomic():
        user.save(update_fields=["password", "password_changed_at"])
        sessions.end_all(user, but=but)
        trail.record("staff.password_changed", subject=f"staff:{user.pk}", detail={"by": by})


def _context(user: User, organisation_name: str) -> set[str]:
    words = f"{user.name} {user.email.replace('@', ' ').replace('.', ' ')} {organisation_name}"
    return {word for word in words.casefold().split() if len(word) >= 4} | set(_OURS)


def _is_common(password: str) -> bool:
    letters = "".join(character for character in password.casefold() if character.isalnum())
    validator = CommonPasswordValidator()
    for candidate in (password.casefold(), letters, letters.rstrip("0123456789")):
        try:
            validator.validate(candidate)
        except ValidationError:
            return True
    return False


def _is_guessable(password: str, words: set[str]) -> bool:
    """Say whether little is left once the words that anybody would try are taken out."""
    rest = password.casefold()
    if len(set(rest)) < 5:
        return True
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    return len(rest) < LEFT_OVER and len(rest) < len(password)
