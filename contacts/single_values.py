"""The stored form of a single value of each type; `contacts.canonical` chooses among them.

Each returns None for what is blank and raises ValueRefused, or a ValueError, TypeError or
OverflowError where the type's own words say enough.
"""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import available_timezones

from contacts import plain
from contacts.declared import code_lines
from contacts.fields import FIELDS, Field
from contacts.plain import MAX_TEXT

MAX_ITEMS = 20_000
MAX_DIGITS = 15
"""Any two decimals of so many digits differ as floats too, and in the same order."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029\ud800-\udfff]")
"""Half a surrogate pair is legal JSON, but no text that can be stored."""
_ZONES = available_timezones()
_SPACES = re.compile(r"\s+")
_EMAIL = re.compile(
    r"(?P<local>[^\s@\"<>()\[\],;:\\]{1,64}|\"[^\"\\\x00-\x1f]{1,62}\")@"
    r"(?P<domain>(?=.{1,253}$)[^\W_](?:[\w-]{0,61}[^\W_])?(?:\.[^\W_](?:[\w-]{0,61}[^\W_])?)*)"
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::00)?", re.ASCII)
_DIGITS = re.compile("[0-9]{3,20}")
_NO_DIGIT = re.compile("[^0-9]")
_EXTENSION = re.compile(r"\s*(?:x|ext\.?|extension)\s*(\d{1,8})\s*$", re.IGNORECASE)


class ValueRefused(ValueError):
    """A value cannot be stored. Names the field and the reason, never the value."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def text(value: object, field: Field) -> str | None:
    if type(value) is not str:
        if value is None:
            return None
        raise ValueRefused(field.key, "must be text")
    if value.isascii() and value.isprintable() and len(value) <= MAX_TEXT:
        return value.strip() or None
    if not value.isascii():
        value = unicodedata.normalize("NFC", value)
    if not value.isprintable():
        if _CONTROL.search(value):
            raise ValueRefused(field.key, "has control characters")
        value = _SPACES.sub(" ", value)
    if len(value) > MAX_TEXT:
        raise ValueRefused(field.key, f"is longer than {MAX_TEXT} characters")
    return value.strip() or None


def has_control(words: str) -> bool:
    """Say whether words hold control characters other than tabs and line breaks."""
    return _CONTROL.search(words) is not None


def day(value: object, field: Field) -> str | None:
    if value.__class__ is str and plain.is_day(value):
        return value  # type: ignore[return-value]
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    given = text(value, field)
    if given is None:
        return None
    if not _DATE.fullmatch(given[:10]):
        raise ValueError
    return date.fromisoformat(given[:10]).isoformat()


def moment(value: object, field: Field) -> str | None:
    if plain.is_moment(value):
        return value  # type: ignore[return-value]
    if not isinstance(value, datetime):
        given = text(value, field)
        if given is None:
            return None
        value = datetime.fromisoformat(given)
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    # Not strftime: it writes the year 999 with three figures.
    return f"{value.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()}Z"


def email(value: object, field: Field) -> str | None:
    given = text(value, field)
    if given is None:
        return None
    if len(given) > 254 or not _EMAIL.fullmatch(given) or ".." in given:
        raise ValueRefused(field.key, "is not an e-mail address")
    return given


def email_form(address: str) -> str:
    """Return the form in which two spellings of one address are equal (EM-22)."""
    if address.isascii() and "@" in address:
        return address.strip().lower().rstrip(".")
    local, _, domain = unicodedata.normalize("NFC", address.strip()).rpartition("@")
    domain = domain.lower().rstrip(".")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            domain = domain.casefold()
    return f"{local.casefold()}@{domain}"


def phone(value: object, field: Field) -> str | None:
    given = text(value, field)
    if given is None or (given[0] == "+" and given.isascii() and _DIGITS.fullmatch(given, 1)):
        return given
    number = _EXTENSION.sub("", given)
    extension = given[len(number) :]
    digits = _NO_DIGIT.sub("", number)
    if not 3 <= len(digits) <= 20:
        raise ValueRefused(field.key, "is not a phone number")
    tail = ";ext=" + "".join(c for c in extension if c.isdigit()) if extension else ""
    if number.lstrip().startswith("+"):
        return f"+{digits}{tail}"
    if len(digits) == 11 and digits[0] == "1" and digits[1] in "23456789":
        return f"+{digits}{tail}"
    if len(digits) == 10 and digits[0] in "23456789":
        return f"+1{digits}{tail}"
    return given


def phone_form(number: str) -> str:
    """Return the form in which two spellings of one number are equal."""
    if number[:1] == "+" and number.isascii() and _DIGITS.fullmatch(number, 1):
        return number
    try:
        stored = phone(number, FIELDS["phone"]) or ""
    except ValueRefused:
        stored = number
    return "".join(c for c in stored.split(";")[0] if c.isdigit() or c == "+")


def record_number_form(number: str) -> str:
    """Return the form in which two spellings of one record number are equal."""
    return unicodedata.normalize("NFC", number).strip()


def boolean(value: object, field: Field) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    word = (text(value, field) or "").lower()
    if not word:
        return None
    if word in {"true", "yes", "y", "1", "t"}:
        return True
    if word in {"false", "no", "n", "0", "f"}:
        return False
    raise ValueError


def finite_number(value: object, field: Field) -> float | int | None:
    if isinstance(value, bool):
        raise TypeError
    if isinstance(value, int | float):
        return _finite(value)
    given = text(value, field)
    return None if given is None else _finite(float(given))


def _finite(value: float) -> float | int:
    if not math.isfinite(value) or not plain.fits(value):
        raise ValueError
    return value


def decimal(value: object, field: Field) -> str | None:
    if isinstance(value, bool):
        raise TypeError
    if isinstance(value, int | float | Decimal):
        value = format(Decimal(repr(value) if isinstance(value, float) else value), "f")
    given = text(value, field)
    if given is None:
        return None
    if not _DECIMAL.fullmatch(given):
        raise ValueError
    sign = "-" if given[0] == "-" else ""
    whole, _, part = given.lstrip("+-").partition(".")
    whole, part = whole.lstrip("0"), part.rstrip("0")
    if len(whole) + len(part) > MAX_DIGITS:
        raise ValueRefused(field.key, f"has more than {MAX_DIGITS} digits")
    if not whole and not part:
        return "0"
    return f"{sign}{whole or '0'}{'.' if part else ''}{part}"


def time_of_day(value: object, field: Field) -> str | None:
    if isinstance(value, time):
        value = value.isoformat()
    given = text(value, field)
    if given is None:
        return None
    found = _TIME.fullmatch(given)
    if found is None:
        raise ValueError
    return time(int(found[1]), int(found[2])).isoformat("minutes")


def one_choice(value: object, field: Field) -> str | None:
    given = text(value, field)
    if given is None:
        return None
    word = given.casefold()
    for choice in field.choices:
        if word == choice.casefold():
            return choice
    raise ValueRefused(field.key, "must be one of " + ", ".join(field.choices))


def zone(value: object, field: Field) -> str | None:
    given = text(value, field)
    if given is not None and given not in _ZONES:
        raise ValueRefused(field.key, "must be an IANA time zone such as America/Chicago")
    return given


def gender(value: object, field: Field) -> str | None:
    """One letter is enough, as many exports write it."""
    given = text(value, field)
    letters = {choice[0]: choice for choice in field.choices}
    return one_choice(letters.get((given or "").lower(), given), field)


def several_choices(value: object, field: Field) -> list[str] | None:
    """A list, or text that separates choices by `|` or `;`, as a cell of a file does."""
    if isinstance(value, str):
        value = re.split(r"[|;]", value) if len(value) <= MAX_TEXT else [value]
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) > MAX_ITEMS:
        raise TypeError
    given = {one_choice(one, field) for one in value}
    return [choice for choice in field.choices if choice in given] or None


def coded(value: object, field: Field) -> dict[str, str] | None:
    """A code with its system, or text that says both, as a cell does: `system|code|name`.

    A system that is known has its address, and its codes their one form: groups match by those.
    """
    if isinstance(value, str):
        value = _coded_of(value)
    if value is None:
        return None
    if not isinstance(value, dict) or not value.keys() <= {"system", "code", "display"}:
        raise TypeError
    parts = {key: text(part, field) or "" for key, part in value.items()}
    if not any(parts.values()):
        return None
    if not parts.get("system") or not parts.get("code"):
        raise ValueRefused(field.key, "needs a system and a code, such as ICD-10-CM E11.9")
    system = code_lines.system_of(parts["system"])
    code = system and code_lines.code_form(system, parts["code"])
    return {
        "system": system or parts["system"],
        "code": code or parts["code"],
        "display": parts.get("display", ""),
    }


def _coded_of(given: str) -> dict[str, str] | None:
    if not given.strip():
        return None
    said = code_lines.parts(given.strip()) or tuple(given.split("|", 2))
    return dict(zip(("system", "code", "display"), said, strict=False))
