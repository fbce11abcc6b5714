"""The one form in which each value is stored and compared.

Text: Unicode NFC, without control characters, trimmed, never reinterpreted ("02026" stays text).
Date: `YYYY-MM-DD`. Moment: `YYYY-MM-DDTHH:MM:SSZ`. Time of day: `HH:MM`. Number: int or float.
Decimal: text such as `-12.5`, without exponent or idle zeros. Choices: in the field's order, each
once. Phone: `+15551234567` where the number can be told, else as given. E-mail: as given;
`email_form` is what is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

from contacts import plain
from contacts.fields import FIELDS, Field, FieldType
from contacts.single_values import (
    MAX_DIGITS,
    MAX_ITEMS,
    ValueRefused,
    boolean,
    coded,
    day,
    decimal,
    email,
    email_form,
    finite_number,
    gender,
    has_control,
    moment,
    one_choice,
    phone,
    phone_form,
    record_number_form,
    several_choices,
    text,
    time_of_day,
    zone,
)

__all__ = [
    "MAX_DIGITS", "MAX_ITEMS", "ValueRefused", "are_plain", "canonical", "day", "email",
    "email_form", "has_control", "lists_are_plain", "moment", "phone", "phone_form",
    "record_number_form", "text",
]  # fmt: skip


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
    return finite_number(value, field) if is_number else text(value, field)


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
    "gender": gender,
    "time_zone": zone,
}

_BY_TYPE: Mapping[FieldType, _Canon] = {
    FieldType.TEXT: text,
    FieldType.NUMBER: finite_number,
    FieldType.BOOLEAN: boolean,
    FieldType.DATE: day,
    FieldType.DATETIME: moment,
    FieldType.CHOICE: one_choice,
    FieldType.DECIMAL: decimal,
    FieldType.TIME: time_of_day,
    FieldType.CHOICES: several_choices,
    FieldType.CODED: coded,
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
    FieldType.CODED: "must be an object with system, code and display, or text such as "
    "ICD-10-CM E11.9",
    FieldType.CODES: "must be a list of coded items",
    FieldType.RESULTS: "must be a list of results",
    FieldType.OCCURRENCES: "must be a list of dated items",
    FieldType.NUMBERS: "must be a list of record numbers",
}
