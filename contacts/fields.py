"""The registry of contact fields: every fact that Attune keeps of a person is declared here.

A field names its data class, which decides under which sealed record it is stored and which roles
may open it, and its sensitivity labels. Coded clinical values carry labels of their own, derived
from their codes (`contacts.codes`). Values are held in one canonical form (`contacts.canonical`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, Flag, StrEnum, auto
from types import MappingProxyType


class DataClass(StrEnum):
    """What kind of fact a value is; the values are the names used in rows and APIs."""

    IDENTITY = "identity"
    CONTACT_POINT = "contact_point"
    DEMOGRAPHIC = "demographic"
    CLINICAL = "clinical"
    COVERAGE = "coverage"
    ENGAGEMENT = "engagement"


class Sensitivity(Flag):
    """Labels above the data class; law or policy asks for more care with these."""

    NONE = 0
    SUBSTANCE_USE = auto()
    """42 CFR Part 2."""
    MENTAL_HEALTH = auto()
    PSYCHOTHERAPY = auto()
    """Psychotherapy notes, 45 CFR 164.508(a)(2)."""
    HIV = auto()
    REPRODUCTIVE = auto()
    MINOR = auto()
    """Services that a minor may consent to alone."""


class FieldType(Enum):
    """The shape of a value; `contacts.canonical` says exactly what each looks like."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    CHOICE = "choice"
    CODES = "codes"
    """Conditions, medications: a list of coded items, each with a status and a date."""
    RESULTS = "results"
    """The newest result of each code."""
    OCCURRENCES = "occurrences"
    """Things that happened or are planned, each with a time."""
    NUMBERS = "record_numbers"
    """Numbers of the person in source systems."""
    DECIMAL = "decimal"
    """An exact number, kept as text; at most 15 digits, so that a float tells any two apart."""
    TIME = "time"
    """A time of day, `HH:MM`."""
    CHOICES = "choices"
    """Several of a field's choices; a change replaces them all."""
    CODED = "coded"
    """One value of a code system: `system`, `code`, `display`."""


LISTS = frozenset({FieldType.CODES, FieldType.RESULTS, FieldType.OCCURRENCES, FieldType.NUMBERS})
"""Types whose values are lists; a change merges into them item by item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One declared field."""

    key: str
    label: str
    type: FieldType
    data_class: DataClass
    sensitivity: Sensitivity = Sensitivity.NONE
    segmentable: bool = True
    lookup: bool = False
    """Kept as a blind index, so that exact search finds it."""
    derived_from: str = ""
    """Computed from another field when read, never stored."""
    choices: tuple[str, ...] = ()
    custom: bool = False
    """Added by the organisation (`contacts.registry`), not declared here."""
    by_rules: bool = False
    """Worked out by rules of the segment language (`contacts.stage_rules`): kept nowhere, and a
    question about it is a question about what the rules name."""
    archived: bool = False
    """Keeps and shows the values that it has; takes no new ones."""

    @property
    def is_list(self) -> bool:
        return self.type in LISTS


def _field(data_class: DataClass, key: str, label: str, type_: FieldType, **more: object) -> Field:
    return Field(key=key, label=label, type=type_, data_class=data_class, **more)  # type: ignore[arg-type]


_I, _P, _D = DataClass.IDENTITY, DataClass.CONTACT_POINT, DataClass.DEMOGRAPHIC
_C, _V, _E = DataClass.CLINICAL, DataClass.COVERAGE, DataClass.ENGAGEMENT
_T = FieldType

_DECLARED = (
    _field(_I, "given_name", "Given name", _T.TEXT, segmentable=False),
    _field(_I, "family_name", "Family name", _T.TEXT, segmentable=False),
    _field(_I, "prefix", "Form of address", _T.TEXT, segmentable=False),
    _field(_I, "birth_date", "Date of birth", _T.DATE),
    _field(_I, "deceased", "Deceased", _T.BOOLEAN),
    _field(_I, "deceased_at", "Date of death", _T.DATE),
    _field(_I, "record_numbers", "Record numbers", _T.NUMBERS, segmentable=False, lookup=True),
    _field(_P, "email", "E-mail address", _T.TEXT, segmentable=False, lookup=True),
    _field(_P, "phone", "Phone", _T.TEXT, segmentable=False, lookup=True),
    _field(_P, "address_line", "Street", _T.TEXT, segmentable=False),
    _field(_P, "city", "City", _T.TEXT),
    _field(_P, "state", "State", _T.TEXT),
    _field(_P, "postal_code", "Postal code", _T.TEXT),
    _field(_P, "country", "Country", _T.TEXT),
    _field(_P, "time_zone", "Time zone", _T.TEXT),
    _field(_D, "gender", "Gender", _T.CHOICE, choices=("female", "male", "other", "unknown")),
    _field(_D, "language", "Language", _T.TEXT),
    _field(_D, "race", "Race", _T.TEXT),
    _field(_D, "ethnicity", "Ethnicity", _T.TEXT),
    _field(_D, "marital_status", "Marital status", _T.TEXT),
    _field(_D, "family_status", "Family status", _T.TEXT),
    _field(_D, "household_size", "People in the household", _T.NUMBER),
    _field(_D, "education", "Education", _T.TEXT),
    _field(_D, "employment", "Employment", _T.TEXT),
    _field(_D, "income", "Yearly household income", _T.NUMBER),
    _field(_D, "religion", "Religion", _T.TEXT),
    _field(_C, "conditions", "Conditions", _T.CODES),
    _field(_C, "medications", "Medications", _T.CODES),
    _field(_C, "results", "Results", _T.RESULTS),
    _field(_C, "encounters", "Visits", _T.OCCURRENCES),
    _field(_C, "immunizations", "Immunizations", _T.OCCURRENCES),
    _field(_C, "procedures", "Procedures", _T.OCCURRENCES),
    _field(_C, "appointments", "Appointments", _T.OCCURRENCES),
    _field(_C, "care_plans", "Plans of care", _T.CODES),
    _field(_C, "hospital_stays", "Hospital stays", _T.CODES),
    _field(_V, "insurance", "Insurance", _T.TEXT),
    _field(_V, "plan", "Plan", _T.TEXT),
    _field(_V, "coverage_type", "Kind of coverage", _T.TEXT),
    _field(_V, "coverage_start", "Covered from", _T.DATE),
    _field(_V, "coverage_end", "Covered until", _T.DATE),
    _field(_V, "coverages", "Coverages", _T.CODES),
    _field(_E, "last_visit", "Last visit", _T.DATETIME, derived_from="encounters"),
    _field(
        _E,
        "journey_stage",
        "Journey stage",
        _T.CHOICE,
        choices=("new", "active", "overdue", "at risk"),
        derived_from="encounters",
        segmentable=False,
        by_rules=True,
    ),
)

FIELDS: Mapping[str, Field] = MappingProxyType({field.key: field for field in _DECLARED})
"""Every field by its key, in the order of a record's page."""

SEALED_CLASSES = (_I, _P, _D, _C, _V)
"""The classes with a sealed record on the contact's row; engagement is derived or is events."""


CUSTOM = "custom_"
"""The key of every field that an organisation adds begins so, and no declared one does."""


def fields_of(data_class: DataClass, *, fields: Mapping[str, Field] = FIELDS) -> tuple[Field, ...]:
    """Return the fields of one data class, in order."""
    return tuple(field for field in fields.values() if field.data_class is data_class)


STORED_CLASS: Mapping[str, DataClass] = MappingProxyType(
    {key: FIELDS[field.derived_from or key].data_class for key, field in FIELDS.items()}
)
"""In which class's sealed record the value of a declared field is found."""


def stored_in(fields: Mapping[str, Field]) -> dict[DataClass, frozenset[str]]:
    """Return the keys of the values that may be read from each class's sealed record."""
    return {
        kind: frozenset(
            key
            for key, field in fields.items()
            if not field.derived_from and STORED_CLASS.get(key, field.data_class) is kind
        )
        for kind in SEALED_CLASSES
    }
