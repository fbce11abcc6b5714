"""A list of codes as people paste it: one code a line, its system before it, its name after. Pure.

ICD-10-CM  E11.9     Type 2 diabetes mellitus without complications
SNOMED CT, 44054006, Type 2 diabetes mellitus
# a line that begins so is passed over
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from contacts.codes import ACT, CPT, CVX, ICD10, LOINC, RXNORM, SNOMED

MOST_CODES = 20_000
MOST_TEXT = 4_000_000

NAMES: Mapping[str, str] = {
    ICD10: "ICD-10-CM",
    SNOMED: "SNOMED CT",
    LOINC: "LOINC",
    RXNORM: "RxNorm",
    CVX: "CVX",
    CPT: "CPT",
    ACT: "ActCode",
}
"""The code systems that a group may hold, as people write them."""


class Code(NamedTuple):
    system: str
    code: str
    display: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that says no code, and what to do about it."""

    line: int
    message: str


class LinesRefused(ValueError):
    """Some lines are no codes. Names each line."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"line {fault.line} {fault.message}" for fault in faults[:20]))
        self.faults = tuple(faults)


_BY_NAME = {re.sub(r"[\s_-]", "", name).casefold(): system for system, name in NAMES.items()} | {
    "icd10": ICD10,
    "snomed": SNOMED,
    "sct": SNOMED,
    **{system.casefold(): system for system in NAMES},
}
_SPACED = re.compile(
    r"(?P<system>snomed[ _-]?ct|icd[ _-]?10(?:[ _-]?cm)?|\S+)\s+(?P<code>\S+)\s*(?P<display>.*)",
    re.IGNORECASE,
)
_SHAPES: Mapping[str, tuple[re.Pattern[str], str]] = {
    ICD10: (re.compile(r"[A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?"), "E11.9"),
    SNOMED: (re.compile(r"[1-9]\d{5,17}"), "44054006"),
    LOINC: (re.compile(r"\d{1,7}-\d"), "4548-4"),
    RXNORM: (re.compile(r"[1-9]\d{0,8}"), "6809"),
    CVX: (re.compile(r"\d{1,3}"), "140"),
    CPT: (re.compile(r"\d{4}[0-9A-Z]"), "99213"),
    ACT: (re.compile(r"[A-Z_]{2,20}"), "AMB"),
}


def parse(pasted: str) -> list[Code]:
    """Return the codes of all lines, each once, in order; raise LinesRefused with every fault."""
    if len(pasted) > MOST_TEXT:
        raise LinesRefused([Fault(1, "begins a list that is too long: make two groups")])
    codes: dict[tuple[str, str], tuple[int, Code]] = {}
    faults: list[Fault] = []
    for number, line in _lines(pasted):
        found = _code(line)
        if isinstance(found, str):
            faults.append(Fault(number, found))
        elif (known := codes.get(found[:2])) is not None:
            faults.append(Fault(number, f"repeats the code of line {known[0]}: remove one of them"))
        else:
            codes[found[:2]] = (number, found)
    if not codes and not faults:
        faults.append(Fault(1, "is missing: paste one code a line, such as ICD-10-CM E11.9"))
    if len(codes) > MOST_CODES:
        faults.append(Fault(1, f"begins more than {MOST_CODES} codes: make two groups"))
    if faults:
        raise LinesRefused(faults)
    return ordered(code for _, code in codes.values())


def ordered(codes: Iterator[Code] | Sequence[Code]) -> list[Code]:
    """Return the codes by system, in the order of NAMES, and by code."""
    systems = list(NAMES)
    return sorted(codes, key=lambda code: (systems.index(code.system), code.code))


def written(codes: Sequence[Code]) -> str:
    """Return the codes as lines that `parse` reads back."""
    return "\n".join(
        "\t".join(part for part in (NAMES[code.system], code.code, code.display) if part)
        for code in codes
    )


def _lines(pasted: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(re.split(r"\r\n|\r|\n", pasted), 1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield number, stripped


def _code(line: str) -> Code | str:
    """Return the line's code, or what is wrong with it."""
    if len(line) > 500 or not line.replace("\t", " ").isprintable():
        return "is too long, or holds characters that cannot be printed"
    said = parts(line)
    if said is None:
        return "needs a system and a code, such as ICD-10-CM E11.9"
    return coded(*said)


def coded(name: str, code: str, display: str = "") -> Code | str:
    """Return the code in its one form, or what is wrong with it; `name` is a system's, or its
    address.
    """
    system = system_of(name)
    if system is None:
        return "names no code system that is known: use one of " + ", ".join(NAMES.values())
    form = code_form(system, code)
    if form is None:
        return f"has no {NAMES[system]} code, which looks like {_SHAPES[system][1]}"
    return Code(system, form, display[:300])


def system_of(name: str) -> str | None:
    """Return the address of a code system that is known, by its name or its address."""
    plain = name.strip().casefold()
    return _BY_NAME.get(plain) or _BY_NAME.get(re.sub(r"[\s_-]", "", plain))


def parts(line: str) -> tuple[str, str, str] | None:
    """Return system, code and name as a line says them, or None where it says no code."""
    for mark in ("\t", "|", ";", ","):
        name, found, rest = line.partition(mark)
        if found and system_of(name):
            code, _, display = rest.strip().partition(mark)
            return name.strip(), code.strip(), display.strip()
    spaced = _SPACED.fullmatch(line)
    return (spaced["system"], spaced["code"], spaced["display"].strip()) if spaced else None


def code_form(system: str, given: str) -> str | None:
    """Return the one way to write a code of this system, or None where it cannot be one."""
    code = given.upper()
    if system == ICD10 and len(code) > 3 and "." not in code:
        code = f"{code[:3]}.{code[3:]}"
    if not _SHAPES[system][0].fullmatch(code):
        return None
    if system == SNOMED and not _checks(code):
        return None
    return code


def _checks(digits: str) -> bool:
    """Verhoeff's check digit, the last of every SNOMED CT identifier: it finds a mistyped one."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = _dihedral(check, _permuted(int(digit), place % 8))
    return check == 0


def _dihedral(a: int, b: int) -> int:
    """The product of two elements of the symmetries of a pentagon, numbered 0 to 9."""
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b) % 5
    return 5 + (a - b) % 5 if b < 5 else (a - b) % 5


def _permuted(digit: int, times: int) -> int:
    for _ in range(times):
        digit = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)[digit]
    return digit
