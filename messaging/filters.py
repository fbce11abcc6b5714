"""What a merge field can be passed through: dates, names, numbers and plurals, in one's own words.

Words follow the language, and clocks the zone, that the message is written for (`Locale`). A mail
from before there were locales is rendered again in the words that it had then, byte for byte.
A field without a value goes through every filter untouched, so that `default` may stand last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache, wraps
from typing import Any
from zoneinfo import ZoneInfo

import babel
from babel import dates, lists, numbers
from jinja2 import Undefined, pass_context
from jinja2.filters import FILTERS
from jinja2.runtime import Context

LOCALE = "locale"
"""Where a message's locale stands among what is rendered."""
FORMS = ("short", "medium", "long", "full", "day_month", "month_year")
_SKELETONS = {"day_month": "MMMMd", "month_year": "yMMMM"}


@dataclass(frozen=True, slots=True)
class Locale:
    """Which language a message is written in, and on whose clock its times are."""

    language: str
    zone: str
    elsewhere: bool = False
    """The person's clock is not the organisation's: a time says which one it means."""

    def stored(self) -> list[Any]:
        return [self.language, self.zone, self.elsewhere]


@lru_cache(maxsize=64)
def known(language: str) -> babel.Locale:
    """Return how a language is written; English as in the United States where it is not known."""
    try:
        made = babel.Locale.parse(language.replace("-", "_"), sep="_")
    except (ValueError, babel.UnknownLocaleError):
        made = None
    if made is None or str(made) == "en":
        return babel.Locale("en", "US")
    return babel.Locale("es", "US") if str(made) == "es" else made


def written_in(context: Context) -> babel.Locale | None:
    """Return the message's language; None for a mail from before there were locales."""
    locale = context.get(LOCALE)
    return known(locale.language) if isinstance(locale, Locale) else None


def in_zone(context: Context, moment: object) -> date:
    """Return the day, or the moment on the message's clock."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment) if len(moment) > 10 else date.fromisoformat(moment)
    if isinstance(moment, datetime):
        locale = context.get(LOCALE)
        ours = context["organisation"].get("timezone", "UTC")
        zone = ZoneInfo(locale.zone if isinstance(locale, Locale) else ours)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(zone)
    if isinstance(moment, date):
        return moment
    raise ValueError("this is not a date")


@pass_context
def day(context: Context, moment: object, form: str = "long") -> str:
    """Return `May 4, 2026`; of a moment, its day on the message's clock."""
    local, language = in_zone(context, moment), written_in(context)
    if language is None and form == "long":
        return f"{local.day} {local:%B %Y}"
    language = language or known("en")
    shown = local.date() if isinstance(local, datetime) else local
    if form in _SKELETONS:
        return str(dates.format_skeleton(_SKELETONS[form], shown, locale=language))
    return str(dates.format_date(shown, form, locale=language))


@pass_context
def weekday(context: Context, moment: object) -> str:
    local, language = in_zone(context, moment), written_in(context)
    if language is None:
        return f"{local:%A}"
    return str(dates.format_date(local, "EEEE", locale=language))


@pass_context
def clock(context: Context, moment: object) -> str:
    """Return `9:05 AM`, with its zone where the person's clock is not the organisation's."""
    local, language = in_zone(context, moment), written_in(context)
    if not isinstance(local, datetime):
        raise ValueError("this is a day without a time")
    if language is None:
        return f"{local.hour % 12 or 12}:{local:%M} {'am' if local.hour < 12 else 'pm'}"
    said = str(dates.format_time(local, "short", locale=language, tzinfo=local.tzinfo))
    said = said.replace("\u202f", "\u00a0")  # a narrow blank is a box in older mail programs
    return f"{said} {_zone_name(local, language)}" if context[LOCALE].elsewhere else said


def _zone_name(local: datetime, language: babel.Locale) -> str:
    return str(dates.get_timezone_name(local, "short", locale=language))


@pass_context
def number(context: Context, value: object, digits: int | None = None) -> str:
    """Return `1,250` or `12.5`, at most `digits` after the point where that is given."""
    pattern = None if digits is None else "#,##0." + "0" * digits if digits else "#,##0"
    language = written_in(context) or known("en")
    return str(numbers.format_decimal(_numeral(value), pattern, locale=language))


@pass_context
def percent(context: Context, value: object) -> str:
    """Return `25%` of 0.25."""
    language = written_in(context) or known("en")
    return str(numbers.format_percent(_numeral(value), locale=language))


@pass_context
def money(context: Context, value: object, currency: str = "USD") -> str:
    """Return `$12.50`."""
    language = written_in(context) or known("en")
    return str(numbers.format_currency(_numeral(value), currency, locale=language))


@pass_context
def plural(context: Context, value: object, one: str, other: str, few: str = "") -> str:
    """Return the word that goes with a number, or with so many entries of a list."""
    language = written_in(context) or known("en")
    form = language.plural_form(_numeral(_size(value)))
    return one if form == "one" else few if form == "few" and few else other


def count(value: object) -> int:
    """Return how many entries a list has."""
    return len(value) if isinstance(value, Sequence) and not isinstance(value, str) else 0


@pass_context
def names(context: Context, value: object) -> str:
    """Return a list in words: `asthma, diabetes, and gout`."""
    language = written_in(context) or known("en")
    if isinstance(value, str) or not isinstance(value, Sequence):
        return said(value)
    words = [said(each) for each in value]
    return str(lists.format_list(words, locale=language)) if words else ""


_SHOUTED = re.compile(r"[^\W\d_]+")
_SMALL = frozenset(["de", "del", "la", "las", "los", "y", "van", "von", "der", "den", "da", "dos"])


def name(value: object) -> str:
    """Return a name as one writes it, where a record keeps it in capitals: `ADA DE LA CRUZ`.

    A name with small letters of its own (`McDonald`, `d'Angelo`) is left as it is.
    """
    plain = " ".join(str(value).split())
    if plain.upper() != plain:
        return plain
    made = _SHOUTED.sub(lambda word: word[0].capitalize(), plain)
    return " ".join(
        word.lower() if at and word.lower() in _SMALL else word
        for at, word in enumerate(made.split())
    )


def initial(value: object) -> str:
    """Return `A.`"""
    plain = str(value).strip()
    return f"{plain[0].upper()}." if plain else ""


def possessive(value: object) -> str:
    """Return `Ada’s`; English only."""
    plain = str(value)
    return f"{plain}’" if plain.endswith(("s", "S")) else f"{plain}’s"


def _size(value: object) -> object:
    return len(value) if isinstance(value, list | tuple) else value


def _numeral(value: object) -> Any:
    if isinstance(value, bool):
        raise ValueError("this is not a number")
    if isinstance(value, int | float):
        return value
    return Decimal(str(value))


def said(value: object) -> str:
    """Return what is printed of a value: of a coded one, what people call it."""
    if isinstance(value, Mapping):
        return str(value.get("display") or value.get("code") or value.get("value") or "")
    return str(value)


@pass_context
def finalize(context: Context, value: Any) -> Any:
    """Print a coded value by its name, several as a list in words, yes and no as words."""
    if type(value) is str:
        return value
    if isinstance(value, Mapping):
        return said(value)
    if isinstance(value, list):
        return names(context, value)
    if isinstance(value, bool):
        language = written_in(context)
        yes, no = ("sí", "no") if language is not None and language.language == "es" else _YES_NO
        return yes if value else no
    return value


_YES_NO = ("yes", "no")


def _passing(made: Any) -> Callable[..., Any]:
    """Let a missing value through, so that `default` may stand after any filter."""
    with_context = hasattr(made, "jinja_pass_arg")
    place = 1 if with_context else 0

    @wraps(made)
    def passed(*args: Any, **more: Any) -> Any:
        value = args[place]
        return value if isinstance(value, Undefined) else made(*args, **more)

    return passed


def _built_in(key: str) -> Callable[..., Any]:
    found: Callable[..., Any] = FILTERS[key]
    return found


OF_DATES: Mapping[str, Callable[..., Any]] = {"date": day, "weekday": weekday, "time": clock}
OF_NUMBERS: Mapping[str, Callable[..., Any]] = {
    "number": number,
    "percent": percent,
    "money": money,
}
OF_LISTS: Mapping[str, Callable[..., Any]] = {"count": count, "names": names}
OF_TEXT: Mapping[str, Callable[..., Any]] = {
    "name": name,
    "initial": initial,
    "possessive": possessive,
}
_BUILT_IN = ("first", "last", "lower", "title", "trim", "truncate", "upper")

ALLOWED_FILTERS: Mapping[str, Callable[..., Any]] = {
    "default": FILTERS["default"],
    **{key: _passing(_built_in(key)) for key in _BUILT_IN},
    **{
        key: _passing(made)
        for key, made in {**OF_DATES, **OF_NUMBERS, **OF_LISTS, **OF_TEXT, "plural": plural}.items()
    },
}
MOST_ARGUMENTS = {
    "default": (1, 2), "first": (0, 0), "last": (0, 0), "lower": (0, 0), "title": (0, 0),
    "trim": (0, 1), "truncate": (0, 4), "upper": (0, 0), "date": (0, 1), "weekday": (0, 0),
    "time": (0, 0), "number": (0, 1), "percent": (0, 0), "money": (0, 1), "count": (0, 0),
    "names": (0, 0), "name": (0, 0), "initial": (0, 0), "possessive": (0, 0), "plural": (2, 3),
}  # fmt: skip
"""How many arguments a filter takes, least and most."""
