"""The States by name and by code, as records write them. Pure."""

from __future__ import annotations

from functools import lru_cache

_NAMES = """
AL Alabama, AK Alaska, AZ Arizona, AR Arkansas, CA California, CO Colorado, CT Connecticut,
DC District of Columbia, DE Delaware, FL Florida, GA Georgia, GU Guam, HI Hawaii, ID Idaho,
IL Illinois, IN Indiana, IA Iowa, KS Kansas, KY Kentucky, LA Louisiana, ME Maine, MD Maryland,
MA Massachusetts, MI Michigan, MN Minnesota, MS Mississippi, MO Missouri, MT Montana, NE Nebraska,
NV Nevada, NH New Hampshire, NJ New Jersey, NM New Mexico, NY New York, NC North Carolina,
ND North Dakota, OH Ohio, OK Oklahoma, OR Oregon, PA Pennsylvania, PR Puerto Rico, RI Rhode Island,
SC South Carolina, SD South Dakota, TN Tennessee, TX Texas, UT Utah, VT Vermont, VA Virginia,
VI Virgin Islands, WA Washington, WV West Virginia, WI Wisconsin, WY Wyoming
"""
_EACH = " ".join(_NAMES.split()).split(", ")
NAMES: dict[str, str] = dict(one.split(" ", 1) for one in _EACH)
_CODES = {name.casefold(): code for code, name in NAMES.items()} | {
    code.casefold(): code for code in NAMES
}
_HERE = frozenset({"", "us", "usa", "united states", "united states of america"})


@lru_cache(maxsize=1024)
def code_of(state: str, *, country: str = "") -> str:
    """Return the State's code; empty where it is none that the rules know."""
    if country.strip().casefold() not in _HERE:
        return ""
    return _CODES.get(state.strip().casefold().removeprefix("us-"), "")
