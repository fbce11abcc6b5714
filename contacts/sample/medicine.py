"""How often invented people have what, and what follows from it.

Shares follow the order of magnitude of published US prevalence by age; they are for believable
pictures and honest loads, not for epidemiology.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from contacts.codes import CVX, ICD10, LOINC, RXNORM, SNOMED

Item = dict[str, Any]


class Illness(NamedTuple):
    """A condition, its share (in 1,000) by age from each bound on, and its usual medicine."""

    snomed: str
    icd10: str
    display: str
    shares: tuple[tuple[int, int], ...]
    medicine: tuple[str, str] | None = None
    treated: float = 0.0
    heavy: float = 1.0
    """How many times likelier with a body mass index of 30 or more."""
    gender: str = ""

    def item(self) -> Item:
        return {
            "system": SNOMED,
            "code": self.snomed,
            "display": self.display,
            "status": "active",
            "also": [[ICD10, self.icd10]],
        }


DIABETES = Illness(
    "44054006", "E11.9", "Diabetes mellitus type 2",
    ((18, 12), (35, 45), (45, 110), (55, 170), (65, 240), (75, 260)),
    ("860975", "Metformin hydrochloride 500 MG Oral Tablet"), 0.78, 1.9,
)  # fmt: skip
PREDIABETES = Illness(
    "15777000", "R73.03", "Prediabetes",
    ((18, 80), (35, 180), (45, 260), (55, 300), (65, 330)),
    ("861007", "Metformin hydrochloride 1000 MG Oral Tablet"), 0.06, 1.5,
)  # fmt: skip
HYPERTENSION = Illness(
    "38341003", "I10", "Hypertensive disorder",
    ((18, 60), (35, 180), (45, 330), (55, 480), (65, 620), (75, 720)),
    ("314076", "Lisinopril 10 MG Oral Tablet"), 0.72, 1.5,
)  # fmt: skip

OTHERS = (
    Illness("55822004", "E78.5", "Hyperlipidemia",
            ((18, 50), (35, 170), (45, 300), (55, 420), (65, 480)),
            ("617312", "Atorvastatin 20 MG Oral Tablet"), 0.65, 1.3),
    Illness("195967001", "J45.909", "Asthma", ((3, 90), (18, 80), (50, 75)),
            ("745752", "Albuterol 0.09 MG/ACTUAT Inhaler"), 0.8, 1.3),
    Illness("35489007", "F32.A", "Depressive disorder", ((13, 70), (25, 95), (65, 70)),
            ("312938", "Sertraline 100 MG Oral Tablet"), 0.6),
    Illness("197480006", "F41.9", "Anxiety disorder", ((13, 80), (25, 90), (65, 45))),
    Illness("396275006", "M19.90", "Osteoarthritis", ((40, 60), (55, 180), (65, 330), (75, 420)),
            ("198405", "Ibuprofen 400 MG Oral Tablet"), 0.4, 1.5),
    Illness("40930008", "E03.9", "Hypothyroidism", ((30, 40), (60, 90)),
            ("966224", "Levothyroxine sodium 0.05 MG Oral Tablet"), 0.9),
    Illness("13645005", "J44.9", "Chronic obstructive lung disease", ((45, 40), (65, 120))),
    Illness("53741008", "I25.10", "Coronary arteriosclerosis", ((45, 35), (65, 140), (75, 210)),
            ("212033", "Aspirin 81 MG Oral Tablet"), 0.7),
    Illness("433144002", "N18.30", "Chronic kidney disease stage 3", ((55, 50), (70, 150))),
    Illness("66590003", "F10.20", "Alcohol dependence", ((20, 35), (60, 20))),
    Illness("86406008", "B20", "Human immunodeficiency virus infection", ((20, 4), (60, 2))),
    Illness("72892002", "Z34.90", "Normal pregnancy", ((19, 45), (24, 75), (36, 20), (43, 0)),
            gender="female"),
)  # fmt: skip
ILLNESSES = (DIABETES, PREDIABETES, HYPERTENSION, *OTHERS)

BMI: Item = {"system": LOINC, "code": "39156-5", "display": "Body mass index", "unit": "kg/m2"}
A1C: Item = {"system": LOINC, "code": "4548-4", "display": "Hemoglobin A1c", "unit": "%"}
SYSTOLIC: Item = {
    "system": LOINC, "code": "8480-6", "display": "Systolic blood pressure", "unit": "mm[Hg]",
}  # fmt: skip
LDL: Item = {"system": LOINC, "code": "2089-1", "display": "LDL cholesterol", "unit": "mg/dL"}

CHECK_UP: Item = {
    "system": SNOMED, "code": "185349003", "display": "Encounter for check up",
    "status": "finished", "class": "AMB",
}  # fmt: skip
FOLLOW_UP: Item = {
    "system": SNOMED, "code": "390906007", "display": "Follow-up encounter",
    "status": "finished", "class": "AMB",
}  # fmt: skip
EMERGENCY: Item = {
    "system": SNOMED, "code": "50849002", "display": "Emergency room admission",
    "status": "finished", "class": "EMER",
}  # fmt: skip
ADMISSION: Item = {
    "system": SNOMED, "code": "32485007", "display": "Hospital admission",
    "status": "finished", "class": "IMP",
}  # fmt: skip

FLU: Item = {
    "system": CVX, "code": "140", "status": "completed",
    "display": "Influenza, seasonal, injectable, preservative free",
}  # fmt: skip
SHINGLES: Item = {
    "system": CVX,
    "code": "187",
    "status": "completed",
    "display": "Zoster recombinant",
}
PNEUMOCOCCAL: Item = {
    "system": CVX, "code": "133", "status": "completed", "display": "Pneumococcal conjugate PCV 13",
}  # fmt: skip
COLONOSCOPY: Item = {
    "system": SNOMED, "code": "73761001", "status": "completed", "display": "Colonoscopy",
}  # fmt: skip

APPOINTMENTS: tuple[Item, ...] = (
    {"system": SNOMED, "code": "185389009", "display": "Follow-up visit"},
    {"system": SNOMED, "code": "185349003", "display": "Encounter for check up"},
    {"system": SNOMED, "code": "698314001", "display": "Consultation for diabetes"},
)


def medicine(code: str, display: str) -> Item:
    return {"system": RXNORM, "code": code, "display": display, "status": "active"}
