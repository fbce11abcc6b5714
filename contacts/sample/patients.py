"""A seeded generator of believable patients: the same seed gives the same people.

Ages, illnesses that come with age and weight and bring their medicines and results, visits, shots,
appointments kept, missed and ahead, families that share an address.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from contacts.records import Change
from contacts.sample import medicine, names
from contacts.sample.medicine import DIABETES, HYPERTENSION, ILLNESSES, PREDIABETES, Illness, Item

SOURCE = "sample-ehr"
EMAIL_DOMAIN = "example.test"

_AGES = (
    (0, 6),
    (6, 9),
    (13, 6),
    (18, 12),
    (30, 15),
    (40, 14),
    (50, 15),
    (60, 13),
    (70, 8),
    (80, 3),
)
_OLDEST = 97
_HOURS = tuple(f"T{13 + quarter // 4:02}:{15 * (quarter % 4):02}:00Z" for quarter in range(36))
_AHEAD = 90


def people(seed: int, n: int, *, now: datetime, domain: str = EMAIL_DOMAIN) -> Iterator[Change]:
    """Yield `n` patients as their source would report them at `now`."""
    clinic = _Clinic(seed, now, domain)
    for number in range(n):
        yield clinic.patient(number)


class _Weighted:
    """Draws from values with weights by one random number and one bisection."""

    def __init__(self, weighted: Sequence[tuple[Any, int]]) -> None:
        self.values = [value for value, _ in weighted]
        self.bounds = list(accumulate(weight for _, weight in weighted))
        self.total = self.bounds[-1]

    def draw(self, chance: float) -> Any:
        return self.values[bisect_right(self.bounds, chance * self.total)]


_PLACES = _Weighted([((city, state, code), share) for city, state, code, share in names.PLACES])
_LANGUAGES = _Weighted(names.LANGUAGES)
_RACES = _Weighted(names.RACES)
_BANDS = _Weighted(
    [
        ((low, high), share)
        for (low, share), (high, _) in zip(_AGES, (*_AGES[1:], (_OLDEST, 0)), strict=True)
    ]
)
_KEPT = _Weighted([("fulfilled", 78), ("noshow", 13), ("cancelled", 9)])


def _by_age(illness: Illness) -> list[float]:
    """Return the share of each year of age."""
    shares = [0.0] * (_OLDEST + 1)
    for start, share in illness.shares:
        shares[start:] = [share / 1000] * (_OLDEST + 1 - start)
    return shares


_SHARES = [(illness, illness.item(), _by_age(illness)) for illness in ILLNESSES]


class _Clinic:
    """The state of one run: the random numbers, the calendar, and the last family."""

    def __init__(self, seed: int, now: datetime, domain: str) -> None:
        self.random = Random(seed).random  # noqa: S311 - nobody real, nothing secret
        self.now, self.domain = now, domain
        first = now.date() + timedelta(days=_AHEAD)
        self.days = [
            (first - timedelta(days=ago)).isoformat() for ago in range(366 * (_OLDEST + 2))
        ]
        self.parent: Mapping[str, Any] = {}

    def pick(self, values: Sequence[Any]) -> Any:
        return values[int(self.random() * len(values))]

    def day(self, ago: float) -> str:
        """Return the date so many days ago; ahead of now where it is negative."""
        return self.days[int(ago) + _AHEAD]

    def at(self, ago: float) -> str:
        return self.day(ago) + _HOURS[int(self.random() * 36)]

    def patient(self, number: int) -> Change:
        low, high = _BANDS.draw(self.random())
        age = low + self.random() * (high - low)
        gender = "female" if self.random() < 0.53 else "male"
        values: dict[str, Any] = {
            "given_name": self.pick(names.FEMALE if gender == "female" else names.MALE),
            "birth_date": self.day(age * 365.25),
            "gender": gender,
            "deceased": False,
        }
        self.household(values, number, age)
        self.about(values, age)
        self.health(values, age, f"{number:07}")
        if self.random() < _dies(age):
            self.death(values)
        return Change(source=SOURCE, record_number=f"HC-{number:07}", values=values)

    def household(self, values: dict[str, Any], number: int, age: float) -> None:
        """Give a name and an address; many children live with the last grown-up."""
        shared = ("family_name", "address_line", "city", "state", "postal_code", "country")
        if age < 18 and self.parent and self.random() < 0.7:
            values |= {key: self.parent[key] for key in shared}
            values |= {k: self.parent[k] for k in ("email", "phone") if k in self.parent}
            return
        family = self.pick(names.FAMILY)
        city, state, code = _PLACES.draw(self.random())
        street = f"{self.pick(names.STREETS)} {self.pick(names.STREET_KINDS)}"
        values |= {
            "family_name": family,
            "address_line": f"{1 + int(self.random() * 900)} {street}",
            "city": city,
            "state": state,
            "postal_code": code,
            "country": "US",
        }
        self.reach(values, number, age)
        if age >= 18:
            self.parent = values

    def reach(self, values: dict[str, Any], number: int, age: float) -> None:
        if self.random() < (0.92 if age < 70 else 0.74):
            name = f"{values['given_name']}.{values['family_name']}".lower().replace("'", "")
            values["email"] = f"{name}{number}@{self.domain}"
        if self.random() < 0.95:
            digits = int(self.random() * 10_000)
            values["phone"] = f"+1617555{digits:04}"

    def about(self, values: dict[str, Any], age: float) -> None:
        values["language"] = _LANGUAGES.draw(self.random())
        values["race"] = _RACES.draw(self.random())
        if age >= 65:
            values["insurance"] = "Medicare"
        elif self.random() < 0.9:
            values["insurance"] = self.pick(names.INSURANCE)
        if age >= 18:
            values["marital_status"] = "Married" if self.random() < 0.48 else "Never Married"

    def health(self, values: dict[str, Any], age: float, number: str) -> None:
        bmi = 16 + age * 0.4 if age < 18 else 19 + 17 * self.random() ** 1.4 + 6 * self.random()
        ill = self.illnesses(age, values["gender"], bmi)
        ago = 20 + 500 * self.random() ** 2
        seen = self.at(ago)
        values["results"] = self.results(ill, age, bmi, seen)
        if ill:
            values["conditions"] = [
                {**item, "date": self.day(30 + self.random() * age * 90), "ref": f"c{number}-{k}"}
                for k, (_, item) in enumerate(ill)
            ]
            self.medicines(values, ill, number)
        values["encounters"] = self.visits(age, seen, ago, number, len(ill))
        self.shots(values, age, number)
        self.appointments(values, number, ill=bool(ill))

    def illnesses(self, age: float, gender: str, bmi: float) -> list[tuple[Illness, Item]]:
        year, heavy, random = int(age), bmi >= 30, self.random
        found: list[tuple[Illness, Item]] = []
        for illness, item, shares in _SHARES:
            share = shares[year] * (illness.heavy if heavy else 1.0)
            if share and random() < share and illness.gender in ("", gender):
                found.append((illness, item))
        if len(found) > 1 and found[0][0] is DIABETES and found[1][0] is PREDIABETES:
            del found[1]
        return found

    def results(
        self, ill: list[tuple[Illness, Item]], age: float, bmi: float, seen: str
    ) -> list[Item]:
        random, kinds = self.random, {illness.snomed for illness, _ in ill}
        results = [{**medicine.BMI, "value": round(bmi, 1), "at": seen}]
        if age >= 18:
            high = 24 if HYPERTENSION.snomed in kinds else 0
            pressure = 108 + high + int(24 * random())
            results.append({**medicine.SYSTOLIC, "value": pressure, "at": seen})
        a1c = self.a1c(kinds, age)
        if a1c:
            results.append({**medicine.A1C, "value": a1c, "at": seen})
        if age >= 40:
            results.append({**medicine.LDL, "value": 70 + int(110 * random()), "at": seen})
        return results

    def a1c(self, kinds: set[str], age: float) -> float | None:
        chance = self.random()
        if DIABETES.snomed in kinds:
            return round(6.3 + 4.2 * chance**2, 1)
        if PREDIABETES.snomed in kinds:
            return round(5.7 + 0.7 * chance, 1)
        return round(4.8 + 0.8 * chance, 1) if age >= 45 else None

    def medicines(
        self, values: dict[str, Any], ill: list[tuple[Illness, Item]], number: str
    ) -> None:
        taken = [
            {
                **medicine.medicine(*illness.medicine),
                "date": self.day(10 + 700 * self.random()),
                "ref": f"m{number}-{place}",
            }
            for place, (illness, _) in enumerate(ill)
            if illness.medicine and self.random() < illness.treated
        ]
        if taken:
            values["medications"] = taken

    def visits(self, age: float, seen: str, ago: float, number: str, ill: int) -> list[Item]:
        visits = [{**medicine.CHECK_UP, "at": seen, "ref": f"e{number}-0"}]
        for place in range(1, 1 + int(self.random() * (2 + ill) + self.random())):
            chance = self.random()
            kind = (
                medicine.EMERGENCY if chance < 0.09
                else medicine.ADMISSION if chance < 0.09 + age / 2000
                else medicine.FOLLOW_UP
            )  # fmt: skip
            when = self.at(ago + 900 * self.random())
            visits.append({**kind, "at": when, "ref": f"e{number}-{place}"})
        return visits

    def shots(self, values: dict[str, Any], age: float, number: str) -> None:
        likes = self.random()
        shots = [
            {**medicine.FLU, "at": self.at(40 + 365 * year), "ref": f"i{number}-{year}"}
            for year in range(4)
            if self.random() < likes
        ]
        if age >= 50 and likes > 0.45:
            at = self.at(200 + 900 * self.random())
            shots.append({**medicine.SHINGLES, "at": at, "ref": f"i{number}-s"})
        if age >= 65 and likes > 0.3:
            at = self.at(200 + 900 * self.random())
            shots.append({**medicine.PNEUMOCOCCAL, "at": at, "ref": f"i{number}-p"})
        if shots:
            values["immunizations"] = shots
        if age >= 50 and likes > 0.4:
            at = self.at(100 + 3000 * self.random())
            values["procedures"] = [{**medicine.COLONOSCOPY, "at": at, "ref": f"p{number}"}]

    def appointments(self, values: dict[str, Any], number: str, *, ill: bool) -> None:
        found: list[Item] = []
        if self.random() < 0.6:
            kept, kind = _KEPT.draw(self.random()), self.pick(medicine.APPOINTMENTS)
            at = self.at(2 + 150 * self.random())
            found.append({**kind, "status": kept, "at": at, "ref": f"a{number}-0"})
        if self.random() < (0.45 if ill else 0.2):
            at = self.at(-(1 + (_AHEAD - 2) * self.random()))
            kind = self.pick(medicine.APPOINTMENTS)
            found.append({**kind, "status": "booked", "at": at, "ref": f"a{number}-1"})
        if found:
            values["appointments"] = found

    def death(self, values: dict[str, Any]) -> None:
        ago = 1 + 700 * self.random()
        values["deceased"] = True
        values["deceased_at"] = self.day(ago)
        values.pop("appointments", None)


def _dies(age: float) -> float:
    """The share of an age that the clinic still has on file though they died."""
    return 0.001 if age < 50 else 0.01 if age < 75 else 0.05
