"""The one form in which each value is stored and compared.

Text: Unicode NFC, without control characters, trimmed, never reinterpreted ("02026" stays text).
Date: `YYYY-MM-DD`. Moment: `YYYY-MM-DDTHH:MM:SSZ`. Time of day: `HH:MM`. Number: int or float.
Decimal: text such as `-12.5`, without exponent or idle zeros. Choices: in the field's order, each
once. Phone: `+15551234567` where the number can be told, else as given. E-mail: as given;
`email_form` is what is compared.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import chain
from typing import Any
from zoneinfo import available_timezones

from contacts import plain
from contacts.fields import FIELDS, Field, FieldType
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


def canonical(key: str, value: object, *, fields: Mapping[str, Field] = FIELDS) -> Any:
    """Return the stored form of a value of field `key`; None where it is blank.

    `fields` are those of the organisation (`contacts.registry`); alone, only the declared ones.
    """
    field = fields.get(key)
    if field is None:
        raise ValueRefused(key[:60], "is not a field of contacts")
    if field.derived_from:
        raise ValueRefused(key, f"is derived from {field.derived_from} and cannot be set")
    if field.archived:
        raise ValueRefused(key, "is archived and takes no new values")
    try:
        return (_CANON.get(key) or _BY_TYPE[field.type])(value, field)
    except ValueRefused:
        raise
    except (ValueError, TypeError, OverflowError) as broken:
        raise ValueRefused(key, _EXPECTED[field.type]) from broken


def lists_are_plain(key: str, lists: Sequence[list[Any]], *, fields: Mapping[str, Field]) -> bool:
    """Whether all of these lists of one field, none of them empty, have their stored form."""
    field = fields.get(key)
    if key not in _PLAIN or field is None or field.archived or not all(lists):
        return False
    return max(map(len, lists)) <= MAX_ITEMS and _PLAIN[key].are_plain(chain.from_iterable(lists))


def are_plain(key: str, texts: Sequence[str], *, fields: Mapping[str, Field]) -> bool:
    """Whether all of these texts of one field have their stored form, as far as a glance tells."""
    field = fields.get(key)
    if field is None or field.archived or field.derived_from:
        return False
    look = _LOOKS.get(_CANON.get(key) or _BY_TYPE[field.type])
    return look is not None and look(texts)


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


def _boolean(value: object, field: Field) -> bool | None:
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


def _number(value: object, field: Field) -> float | int | None:
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


def _decimal(value: object, field: Field) -> str | None:
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


def _time(value: object, field: Field) -> str | None:
    if isinstance(value, time):
        value = value.isoformat()
    given = text(value, field)
    if given is None:
        return None
    found = _TIME.fullmatch(given)
    if found is None:
        raise ValueError
    return time(int(found[1]), int(found[2])).isoformat("minutes")


def _choice(value: object, field: Field) -> str | None:
    given = text(value, field)
    if given is None:
        return None
    word = given.casefold()
    for choice in field.choices:
        if word == choice.casefold():
            return choice
    raise ValueRefused(field.key, "must be one of " + ", ".join(field.choices))


def _zone(value: object, field: Field) -> str | None:
    given = text(value, field)
    if given is not None and given not in _ZONES:
        raise ValueRefused(field.key, "must be an IANA time zone such as America/Chicago")
    return given


def _gender(value: object, field: Field) -> str | None:
    """One letter is enough, as many exports write it."""
    given = text(value, field)
    letters = {choice[0]: choice for choice in field.choices}
    return _choice(letters.get((given or "").lower(), given), field)


def _choices(value: object, field: Field) -> list[str] | None:
    """A list, or text that separates choices by `|` or `;`, as a cell of a file does."""
    if isinstance(value, str):
        value = re.split(r"[|;]", value) if len(value) <= MAX_TEXT else [value]
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) > MAX_ITEMS:
        raise TypeError
    given = {_choice(one, field) for one in value}
    return [choice for choice in field.choices if choice in given] or None


def _coded(value: object, field: Field) -> dict[str, str] | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not value.keys() <= {"system", "code", "display"}:
        raise TypeError
    parts = {key: text(part, field) or "" for key, part in value.items()}
    if not any(parts.values()):
        return None
    if not parts.get("system") or not parts.get("code"):
        raise ValueRefused(field.key, "needs a system and a code")
    return {"system": parts["system"], "code": parts["code"], "display": parts.get("display", "")}


def _items(value: object, field: Field) -> list[dict[str, Any]] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) > MAX_ITEMS:
        raise ValueRefused(field.key, f"must be a list of at most {MAX_ITEMS} items")
    are_plain = _PLAIN[field.key].are_plain
    if value.__class__ is list and are_plain(value):
        return value or None  # type: ignore[return-value]
    return [item if are_plain((item,)) else _item(item, field) for item in value] or None


def _item(item: object, field: Field) -> dict[str, Any]:
    parts, needed = _ITEMS[field.key]
    if not isinstance(item, dict) or not item.keys() <= parts.keys():
        raise ValueRefused(field.key, "each item is an object with " + ", ".join(sorted(parts)))
    clean = {}
    for key, value in item.items():
        part = parts[key](value, field)
        if part is not None:
            clean[key] = part
    for key in needed:
        if key not in clean:
            raise ValueRefused(field.key, f"each item needs {key}")
    if "system" in parts:
        for key in ("system", "code", "display"):
            clean.setdefault(key, "")
    return clean


def _word(value: object, field: Field) -> str | None:
    """Return a word of a code system."""
    if value.__class__ is str and value in plain.WORDS:
        return value  # type: ignore[return-value]
    clean = text(value, field)
    if clean is not None and clean == value:
        plain.keep_word(clean)
    return clean


def _result(value: object, field: Field) -> float | int | str | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return _number(value, field) if is_number else text(value, field)


def _also(value: object, field: Field) -> list[list[str]] | None:
    if not isinstance(value, list | tuple):
        raise ValueRefused(field.key, "also is a list of [system, code]")
    if any(not isinstance(pair, list | tuple) or len(pair) != 2 for pair in value):
        raise ValueRefused(field.key, "also is a list of [system, code]")
    return [[_word(a, field) or "", _word(b, field) or ""] for a, b in value] or None


_Canon = Callable[[object, Field], Any]

_CODE: Mapping[str, _Canon] = {
    "system": _word, "code": _word, "display": _word, "also": _also, "ref": text,
}  # fmt: skip
_ITEMS_BY_TYPE: Mapping[FieldType, tuple[dict[str, _Canon], tuple[str, ...]]] = {
    FieldType.CODES: (
        {**_CODE, "status": _word, "date": day, "end": day},
        ("system", "code", "status"),
    ),
    FieldType.RESULTS: (
        {**_CODE, "value": _result, "unit": _word, "at": moment},
        ("system", "code", "value"),
    ),
    FieldType.OCCURRENCES: (
        {**_CODE, "status": _word, "class": _word, "at": moment},
        ("status",),
    ),
    FieldType.NUMBERS: ({"source": text, "value": text}, ("source", "value")),
}
_ITEMS = {key: _ITEMS_BY_TYPE[field.type] for key, field in FIELDS.items() if field.is_list}
"""What an item of each list field may hold, and what it must."""

_LOOKS: Mapping[_Canon, Callable[[plain.Column], bool]] = {
    _word: plain.are_words,
    _also: plain.are_codes,
    _result: plain.are_results,
    day: plain.are_days,
    moment: plain.are_moments,
    text: plain.are_texts,
}
_PLAIN = {
    key: plain.Items(
        {name: _LOOKS[canon] for name, canon in parts.items()},
        {*needed, *(parts.keys() & {"system", "code", "display"})},
    )
    for key, (parts, needed) in _ITEMS.items()
}

_SPECIAL: Mapping[str, _Canon] = {
    "email": email,
    "phone": phone,
    "gender": _gender,
    "time_zone": _zone,
}

_BY_TYPE: Mapping[FieldType, _Canon] = {
    FieldType.TEXT: text,
    FieldType.NUMBER: _number,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: day,
    FieldType.DATETIME: moment,
    FieldType.CHOICE: _choice,
    FieldType.DECIMAL: _decimal,
    FieldType.TIME: _time,
    FieldType.CHOICES: _choices,
    FieldType.CODED: _coded,
    FieldType.CODES: _items,
    FieldType.RESULTS: _items,
    FieldType.OCCURRENCES: _items,
    FieldType.NUMBERS: _items,
}

_CANON = {key: _SPECIAL.get(key, _BY_TYPE[field.type]) for key, field in FIELDS.items()}

_EXPECTED: Mapping[FieldType, str] = {
    FieldType.TEXT: "must be text",
    FieldType.NUMBER: "must be a number",
    FieldType.BOOLEAN: "must be true or false",
    FieldType.DATE: "must be a date like 1970-12-31",
    FieldType.DATETIME: "must be a time like 1970-12-31T09:30:00Z",
    FieldType.CHOICE: "is not one of its choices",
    FieldType.DECIMAL: "must be a number like 12.50",
    FieldType.TIME: "must be a time of day like 09:30",
    FieldType.CHOICES: "must be a list of its choices",
    FieldType.CODED: "must be an object with system, code and display",
    FieldType.CODES: "must be a list of coded items",
    FieldType.RESULTS: "must be a list of results",
    FieldType.OCCURRENCES: "must be a list of dated items",
    FieldType.NUMBERS: "must be a list of record numbers",
}
