"""Code groups that Attune ships, written from public knowledge of ICD-10-CM and SNOMED CT.

They are beginnings, not value sets that somebody certified: who answers for clinical meaning reads
one before it decides whom a campaign reaches, and edits it as a new version. ICD-10-CM codes are
the billable ones; where one name covers a family, the rests of its codes stand behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from contacts.codes import ICD10, SNOMED
from contacts.declared.code_lines import Code, code_form, ordered


class Starter(NamedTuple):
    """A shipped group; `key` stays, whatever an organisation calls its own copy."""

    key: str
    name: str
    codes: list[Code]


_EYES = """
311 319 3211 3212 3213 3219 3291 3292 3293 3299 3311 3312 3313 3319 3391 3392 3393 3399 3411 3412
3413 3419 3491 3492 3493 3499 3511 3512 3513 3519 3521 3522 3523 3529 3531 3532 3533 3539 3541 3542
3543 3549 3551 3552 3553 3559 3591 3592 3593 3599 36 37X1 37X2 37X3 37X9 39
"""
_LATER = f"""
21 22 29 {_EYES} 40 41 42 43 44 49 51 52 59 610 618 620 621 622 628 630 638 641 649 65 69 8 9
"""

_ICD10: dict[str, str] = {
    "diabetes": f"""
E08 Diabetes due to an underlying condition: 00 01 10 11 {_LATER}
E09 Drug or chemical induced diabetes: 00 01 10 11 {_LATER}
E10 Type 1 diabetes: 10 11 {_LATER} A0 A1 A2
E11 Type 2 diabetes: 00 01 10 11 {_LATER} A
E13 Other specified diabetes: 00 01 10 11 {_LATER}
""",
    "prediabetes": """
R73 Impaired fasting glucose: 01
R73 Impaired glucose tolerance: 02
R73 Prediabetes: 03
""",
    "hypertension": """
I10 Essential hypertension:
I11 Hypertensive heart disease: 0 9
I12 Hypertensive chronic kidney disease: 0 9
I13 Hypertensive heart and chronic kidney disease: 0 10 11 2
I15 Secondary hypertension: 0 1 2 8 9
I16 Hypertensive crisis: 0 1 9
I1A Resistant hypertension: 0
""",
    "hyperlipidemia": """
E78 Pure hypercholesterolemia: 00 01
E78 Pure hyperglyceridemia: 1
E78 Mixed hyperlipidemia: 2
E78 Hyperchylomicronemia: 3
E78 Other hyperlipidemia: 41 49
E78 Hyperlipidemia, unspecified: 5
""",
    "asthma": """
J45 Mild intermittent asthma: 20 21 22
J45 Mild persistent asthma: 30 31 32
J45 Moderate persistent asthma: 40 41 42
J45 Severe persistent asthma: 50 51 52
J45 Unspecified asthma: 901 902 909
J45 Other asthma: 990 991 998
""",
    "copd": """
J41 Chronic bronchitis: 0 1 8
J42 Unspecified chronic bronchitis:
J43 Emphysema: 0 1 2 8 9
J44 Chronic obstructive pulmonary disease: 0 1 81 89 9
""",
    "heart_failure": """
I09 Rheumatic heart failure: 81
I11 Hypertensive heart disease with heart failure: 0
I13 Hypertensive heart and chronic kidney disease with heart failure: 0 2
I50 Left ventricular failure: 1
I50 Systolic heart failure: 20 21 22 23
I50 Diastolic heart failure: 30 31 32 33
I50 Combined systolic and diastolic heart failure: 40 41 42 43
I50 Other heart failure: 810 811 812 813 814 82 83 84 89
I50 Heart failure, unspecified: 9
""",
    "coronary_disease": """
I20 Angina pectoris: 0 1 2 81 89 9
I21 Acute myocardial infarction: 01 02 09 11 19 21 29 3 4 9 A1 A9 B
I22 Subsequent myocardial infarction: 0 1 2 8 9
I24 Other acute ischemic heart disease: 0 1 81 89 9
I25 Atherosclerotic heart disease: 10 110 111 112 118 119
I25 Old myocardial infarction: 2
I25 Ischemic cardiomyopathy: 5
I25 Other chronic ischemic heart disease: 6 82 83 84 89 9
""",
    "atrial_fibrillation": """
I48 Paroxysmal atrial fibrillation: 0
I48 Persistent atrial fibrillation: 11 19
I48 Permanent or chronic atrial fibrillation: 20 21
I48 Atrial flutter: 3 4
I48 Unspecified atrial fibrillation or flutter: 91 92
""",
    "kidney_disease": """
N18 Chronic kidney disease, stage 1: 1
N18 Chronic kidney disease, stage 2: 2
N18 Chronic kidney disease, stage 3: 30 31 32
N18 Chronic kidney disease, stage 4: 4
N18 Chronic kidney disease, stage 5: 5
N18 End stage renal disease: 6
N18 Chronic kidney disease, unspecified: 9
""",
    "obesity": """
E66 Obesity due to excess calories: 01 09
E66 Drug-induced obesity: 1
E66 Morbid obesity with alveolar hypoventilation: 2
E66 Obesity: 811 812 813 89 9
Z68 Body mass index 30 to 39: 30 31 32 33 34 35 36 37 38 39
Z68 Body mass index 40 or more: 41 42 43 44 45
""",
    "tobacco": """
F17 Nicotine dependence: 200 201 203 208 209 210 211 213 218 219 220 221 223 228 229 290 291 293 298
299
Z72 Tobacco use: 0
""",
    "depression": """
F32 Major depressive disorder, single episode: 0 1 2 3 4 5 9
F32 Other depressive episodes: 81 89
F32 Depression, unspecified: A
F33 Major depressive disorder, recurrent: 0 1 2 3 40 41 42 8 9
F34 Dysthymic disorder: 1
F53 Postpartum depression: 0
""",
    "anxiety": """
F40 Phobic anxiety disorder: 00 01 02 10 11 8 9
F41 Panic disorder: 0
F41 Generalized anxiety disorder: 1
F41 Other anxiety disorder: 3 8 9
""",
    "substance_use": """
F10 Alcohol use: 10 11 120 121 129 130 131 132 139 14 150 151 159 180 181 182 188 19 20 21 220 221
229 230 231 232 239 24 250 251 259 26 27 280 281 282 288 29 90 91 920 921 929 930 931 932 939 94 950
951 959 96 97 980 981 982 988 99
F11 Opioid use: 10 11 120 121 122 129 13 14 150 151 159 181 182 188 19 20 21 220 221 222 229 23 24
250 251 259 281 282 288 29 90 91 920 921 922 929 93 94 950 951 959 981 982 988 99
F12 Cannabis use: 10 11 120 121 122 129 13 150 151 159 180 188 19 20 21 220 221 222 229 23 250 251
259 280 288 29 90 91 920 921 922 929 93 950 951 959 980 988 99
F13 Sedative, hypnotic or anxiolytic use: 10 11 120 121 129 130 131 132 139 14 150 151 159 180 181
182 188 19 20 21 220 221 229 230 231 232 239 24 250 251 259 26 27 280 281 282 288 29 90 91 920 921
929 930 931 932 939 94 950 951 959 96 97 980 981 982 988 99
F14 Cocaine use: 10 11 120 121 122 129 13 14 150 151 159 180 181 182 188 19 20 21 220 221 222 229 23
24 250 251 259 280 281 282 288 29 90 91 920 921 922 929 93 94 950 951 959 980 981 982 988 99
F15 Other stimulant use: 10 11 120 121 122 129 13 14 150 151 159 180 181 182 188 19 20 21 220 221
222 229 23 24 250 251 259 280 281 282 288 29 90 91 920 921 922 929 93 94 950 951 959 980 981 982 988
99
F16 Hallucinogen use: 10 11 120 121 122 129 14 150 151 159 180 183 188 19 20 21 220 221 229 24 250
251 259 280 283 288 29 90 91 920 921 929 94 950 951 959 980 983 988 99
F18 Inhalant use: 10 11 120 121 129 14 150 151 159 17 180 188 19 20 21 220 221 229 24 250 251 259 27
280 288 29 90 91 920 921 929 94 950 951 959 97 980 988 99
F19 Other psychoactive substance use: 10 11 120 121 122 129 130 131 132 139 14 150 151 159 16 17 180
181 182 188 19 20 21 220 221 222 229 230 231 232 239 24 250 251 259 26 27 280 281 282 288 29 90 91
920 921 922 929 930 931 932 939 94 950 951 959 96 97 980 981 982 988 99
""",
    "hiv": """
B20 Human immunodeficiency virus disease:
Z21 Asymptomatic human immunodeficiency virus infection status:
R75 Inconclusive laboratory evidence of human immunodeficiency virus:
O98 Human immunodeficiency virus disease complicating pregnancy: 711 712 713 719
""",
    "pregnancy": """
Z33 Pregnant state, incidental: 1
Z34 Supervision of normal first pregnancy: 00 01 02 03
Z34 Supervision of other normal pregnancy: 80 81 82 83
Z34 Supervision of normal pregnancy, unspecified: 90 91 92 93
O09 Supervision of high risk pregnancy: 00 01 02 03 10 11 12 13 211 212 213 219 291 292 293 299 30
31 32 33 40 41 42 43 511 512 513 519 521 522 523 529 611 612 613 619 621 622 623 629 70 71 72 73 811
812 813 819 821 822 823 829 891 892 893 899 90 91 92 93 A0 A1 A2 A3
O24 Gestational diabetes in pregnancy: 410 414 415 419
Z3A Weeks of gestation: 00 01 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30
31 32 33 34 35 36 37 38 39 40 41 42 49
""",
}

_SNOMED: dict[str, str] = {
    "diabetes": """
73211009 Diabetes mellitus
44054006 Diabetes mellitus type 2
46635009 Diabetes mellitus type 1
8801005 Secondary diabetes mellitus
127013003 Diabetic renal disease
422034002 Retinopathy due to type 2 diabetes mellitus
1551000119108 Nonproliferative retinopathy due to type 2 diabetes mellitus
97331000119101 Macular edema and retinopathy due to type 2 diabetes mellitus
90781000119102 Microalbuminuria due to type 2 diabetes mellitus
157141000119108 Proteinuria due to type 2 diabetes mellitus
368581000119106 Neuropathy due to type 2 diabetes mellitus
60951000119105 Blindness due to type 2 diabetes mellitus
""",
    "prediabetes": """
15777000 Prediabetes
714628002 Prediabetes
9414007 Impaired glucose tolerance
390951007 Impaired fasting glycemia
""",
    "hypertension": """
38341003 Hypertensive disorder
59621000 Essential hypertension
1201005 Benign essential hypertension
31992008 Secondary hypertension
""",
    "hyperlipidemia": """
55822004 Hyperlipidemia
13644009 Hypercholesterolemia
302870006 Hypertriglyceridemia
267432004 Pure hypercholesterolemia
267434003 Mixed hyperlipidemia
370992007 Dyslipidemia
398036000 Familial hypercholesterolemia
""",
    "asthma": """
195967001 Asthma
233678006 Childhood asthma
389145006 Allergic asthma
370218001 Mild asthma
370219009 Moderate asthma
370221004 Severe asthma
""",
    "copd": """
13645005 Chronic obstructive pulmonary disease
87433001 Pulmonary emphysema
185086009 Chronic obstructive bronchitis
63480004 Chronic bronchitis
""",
    "heart_failure": """
84114007 Heart failure
42343007 Congestive heart failure
88805009 Chronic congestive heart failure
48447003 Chronic heart failure
56675007 Acute heart failure
85232009 Left heart failure
367363000 Right ventricular failure
418304008 Diastolic heart failure
417996009 Systolic heart failure
""",
    "coronary_disease": """
53741008 Coronary arteriosclerosis
414545008 Ischemic heart disease
22298006 Myocardial infarction
399211009 History of myocardial infarction
401303003 Acute ST segment elevation myocardial infarction
401314000 Acute non-ST segment elevation myocardial infarction
194828000 Angina pectoris
""",
    "atrial_fibrillation": """
49436004 Atrial fibrillation
282825002 Paroxysmal atrial fibrillation
440059007 Persistent atrial fibrillation
5370000 Atrial flutter
""",
    "kidney_disease": """
709044004 Chronic kidney disease
431855005 Chronic kidney disease stage 1
431856006 Chronic kidney disease stage 2
433144002 Chronic kidney disease stage 3
431857002 Chronic kidney disease stage 4
433146000 Chronic kidney disease stage 5
46177005 End-stage renal disease
""",
    "obesity": """
414916001 Obesity
162864005 Body mass index 30 or more
408512008 Body mass index 40 or more
238136002 Morbid obesity
""",
    "tobacco": """
77176002 Smoker
449868002 Smokes tobacco daily
428041000124106 Occasional tobacco smoker
56294008 Nicotine dependence
""",
    "depression": """
35489007 Depressive disorder
370143000 Major depressive disorder
36923009 Major depression, single episode
66344007 Recurrent major depression
78667006 Dysthymia
""",
    "anxiety": """
48694002 Anxiety
197480006 Anxiety disorder
21897009 Generalized anxiety disorder
371631005 Panic disorder
""",
    "substance_use": """
66590003 Alcohol dependence
7200002 Alcoholism
15167005 Alcohol abuse
5602001 Opioid abuse
75544000 Opioid dependence
6525002 Dependent drug abuse
26416006 Drug abuse
361055000 Misuses drugs
55680006 Drug overdose
""",
    "hiv": """
86406008 Human immunodeficiency virus infection
62479008 AIDS
91947003 Asymptomatic human immunodeficiency virus infection
165816005 HIV positive
""",
    "pregnancy": """
77386006 Pregnant
72892002 Normal pregnancy
47200007 High risk pregnancy
11687002 Gestational diabetes mellitus
""",
}

_NAMES = {
    "diabetes": "Diabetes",
    "prediabetes": "Prediabetes",
    "hypertension": "Hypertension",
    "hyperlipidemia": "High cholesterol and other lipid disorders",
    "asthma": "Asthma",
    "copd": "COPD",
    "heart_failure": "Heart failure",
    "coronary_disease": "Coronary heart disease",
    "atrial_fibrillation": "Atrial fibrillation and flutter",
    "kidney_disease": "Chronic kidney disease",
    "obesity": "Obesity",
    "tobacco": "Tobacco use",
    "depression": "Depression",
    "anxiety": "Anxiety disorders",
    "substance_use": "Substance use disorders",
    "hiv": "HIV",
    "pregnancy": "Pregnancy",
}


def _families(written: str) -> Iterator[Code]:
    """Yield codes of families: a category, its name, and the rest of each code after a colon."""
    family, named = "", ""
    for line in written.strip().splitlines():
        rests = line
        if ":" in line:
            named, _, rests = line.partition(":")
            family, _, named = named.partition(" ")
            if not rests.strip():
                yield Code(ICD10, family, named)
        for rest in rests.split():
            yield Code(ICD10, code_form(ICD10, family + rest) or "", named)


def _concepts(written: str) -> Iterator[Code]:
    for line in written.strip().splitlines():
        code, _, display = line.partition(" ")
        yield Code(SNOMED, code, display)


GROUPS: tuple[Starter, ...] = tuple(
    Starter(key, name, ordered([*_families(_ICD10[key]), *_concepts(_SNOMED[key])]))
    for key, name in _NAMES.items()
)


@cache
def displays() -> dict[tuple[str, str], str]:
    """Return what the codes of the shipped groups mean, by (system, code)."""
    return {(one.system, one.code): one.display for group in GROUPS for one in group.codes}
