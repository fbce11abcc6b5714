"""An invented person, as whom drafts are tried: no value of any patient takes part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

INVENTED: Final[Mapping[str, Any]] = {
    "given_name": "Alex",
    "family_name": "Example",
    "birth_date": "1961-05-17",
    "gender": "female",
    "city": "Springfield",
    "state": "MA",
    "postal_code": "01103",
    "language": "en",
}
