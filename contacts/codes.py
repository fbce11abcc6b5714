"""Code systems and the sensitivity labels that follow from single codes.

The table is a starting set, not a complete value set: it covers the codes that US exports use most
for substance use, HIV, mental health and reproductive care. A compliance officer's own additions
belong beside it, never instead of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from contacts.fields import Sensitivity

SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
CVX = "http://hl7.org/fhir/sid/cvx"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CPT = "http://www.ama-assn.org/go/cpt"

KNOWN_SYSTEMS = (SNOMED, ICD10, LOINC, RXNORM, CVX, ACT, CPT)
"""Stored as their place in this tuple: append only, never reorder."""

_S = Sensitivity

_BY_CODE: Mapping[tuple[str, str], Sensitivity] = {
    # Substance use
    (SNOMED, "66590003"): _S.SUBSTANCE_USE,  # alcohol dependence
    (SNOMED, "7200002"): _S.SUBSTANCE_USE,  # alcoholism
    (SNOMED, "15167005"): _S.SUBSTANCE_USE,  # alcohol abuse
    (SNOMED, "55680006"): _S.SUBSTANCE_USE,  # drug overdose
    (SNOMED, "5602001"): _S.SUBSTANCE_USE,  # opioid abuse
    (SNOMED, "75544000"): _S.SUBSTANCE_USE,  # opioid dependence
    (SNOMED, "6525002"): _S.SUBSTANCE_USE,  # dependent drug abuse
    (SNOMED, "26416006"): _S.SUBSTANCE_USE,  # drug abuse
    (SNOMED, "361055000"): _S.SUBSTANCE_USE,  # misuses drugs
    (SNOMED, "424313000"): _S.SUBSTANCE_USE,  # started detoxification programme
    (SNOMED, "56876005"): _S.SUBSTANCE_USE,  # drug rehabilitation
    (RXNORM, "1818"): _S.SUBSTANCE_USE,  # buprenorphine
    (RXNORM, "6813"): _S.SUBSTANCE_USE,  # methadone
    (RXNORM, "7243"): _S.SUBSTANCE_USE,  # naltrexone
    (RXNORM, "3554"): _S.SUBSTANCE_USE,  # disulfiram
    # HIV
    (SNOMED, "86406008"): _S.HIV,  # HIV infection
    (SNOMED, "62479008"): _S.HIV,  # AIDS
    (SNOMED, "91947003"): _S.HIV,  # asymptomatic HIV infection
    (SNOMED, "165816005"): _S.HIV,  # HIV positive
    (SNOMED, "31676001"): _S.HIV,  # HIV antibody test
    (LOINC, "75622-1"): _S.HIV,
    (LOINC, "56888-1"): _S.HIV,
    (LOINC, "7917-8"): _S.HIV,
    (LOINC, "25836-8"): _S.HIV,
    (LOINC, "20447-9"): _S.HIV,
    (RXNORM, "276237"): _S.HIV,  # emtricitabine
    (RXNORM, "1433868"): _S.HIV,  # dolutegravir
    # Mental health
    (SNOMED, "35489007"): _S.MENTAL_HEALTH,  # depressive disorder
    (SNOMED, "370143000"): _S.MENTAL_HEALTH,  # major depressive disorder
    (SNOMED, "36923009"): _S.MENTAL_HEALTH,  # major depression, single episode
    (SNOMED, "66344007"): _S.MENTAL_HEALTH,  # recurrent major depression
    (SNOMED, "78667006"): _S.MENTAL_HEALTH,  # dysthymia
    (SNOMED, "48694002"): _S.MENTAL_HEALTH,  # anxiety
    (SNOMED, "371631005"): _S.MENTAL_HEALTH,  # panic disorder
    (SNOMED, "13746004"): _S.MENTAL_HEALTH,  # bipolar disorder
    (SNOMED, "58214004"): _S.MENTAL_HEALTH,  # schizophrenia
    (SNOMED, "47505003"): _S.MENTAL_HEALTH,  # post-traumatic stress disorder
    (SNOMED, "197480006"): _S.MENTAL_HEALTH,  # anxiety disorder
    (SNOMED, "21897009"): _S.MENTAL_HEALTH,  # generalised anxiety disorder
    (SNOMED, "192127007"): _S.MENTAL_HEALTH,  # attention deficit disorder of childhood
    (SNOMED, "44465007"): _S.MENTAL_HEALTH,  # attempted suicide
    (SNOMED, "82313006"): _S.MENTAL_HEALTH,  # suicide attempt
    (LOINC, "44261-6"): _S.MENTAL_HEALTH,  # PHQ-9 total
    (LOINC, "55758-7"): _S.MENTAL_HEALTH,  # PHQ-2 total
    (LOINC, "70274-6"): _S.MENTAL_HEALTH,  # GAD-7 total
    # Reproductive
    (SNOMED, "72892002"): _S.REPRODUCTIVE,  # normal pregnancy
    (SNOMED, "77386006"): _S.REPRODUCTIVE,  # pregnant
    (SNOMED, "47200007"): _S.REPRODUCTIVE,  # high risk pregnancy
    (SNOMED, "11687002"): _S.REPRODUCTIVE,  # gestational diabetes
    (SNOMED, "19169002"): _S.REPRODUCTIVE,  # miscarriage in the first trimester
    (SNOMED, "35999006"): _S.REPRODUCTIVE,  # blighted ovum
    (SNOMED, "79586000"): _S.REPRODUCTIVE,  # tubal pregnancy
    (SNOMED, "398254007"): _S.REPRODUCTIVE,  # pre-eclampsia
    (SNOMED, "156073000"): _S.REPRODUCTIVE,  # fetus with unknown complication
    (SNOMED, "57797005"): _S.REPRODUCTIVE,  # termination of pregnancy
    (SNOMED, "8098009"): _S.REPRODUCTIVE,  # sexually transmitted infection
    (SNOMED, "6738008"): _S.REPRODUCTIVE,  # female infertility
    (LOINC, "2106-3"): _S.REPRODUCTIVE,  # pregnancy test, urine
    (LOINC, "2118-8"): _S.REPRODUCTIVE,  # pregnancy test, serum
}

_BY_ICD10_PREFIX: tuple[tuple[str, Sensitivity], ...] = (
    *((f"F1{digit}", _S.SUBSTANCE_USE) for digit in "0123456789"),
    *((f"F{digit}", _S.MENTAL_HEALTH) for digit in "23456789"),
    ("T40", _S.SUBSTANCE_USE),
    ("B20", _S.HIV),
    ("Z21", _S.HIV),
    ("R75", _S.HIV),
    ("O98.7", _S.HIV),
    ("T14.91", _S.MENTAL_HEALTH),
    ("R45.85", _S.MENTAL_HEALTH),
    ("O", _S.REPRODUCTIVE),
    ("Z30", _S.REPRODUCTIVE),
    ("Z31", _S.REPRODUCTIVE),
    ("Z32", _S.REPRODUCTIVE),
    ("Z33", _S.REPRODUCTIVE),
    ("Z34", _S.REPRODUCTIVE),
    ("Z3A", _S.REPRODUCTIVE),
    ("N97", _S.REPRODUCTIVE),
    ("A5", _S.REPRODUCTIVE),
)


def labels_for(system: str, code: str) -> Sensitivity:
    """Return the sensitivity labels of one code."""
    found = _BY_CODE.get((system, code), Sensitivity.NONE)
    if system == ICD10:
        for prefix, label in _BY_ICD10_PREFIX:
            if code.upper().startswith(prefix):
                found |= label
    return found


def labels_of(codings: Iterable[tuple[str, str]]) -> Sensitivity:
    """Return the labels of several codes together."""
    found = Sensitivity.NONE
    for system, code in codings:
        found |= labels_for(system, code)
    return found
