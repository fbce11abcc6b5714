"""What stands around an organisation's Notice of Privacy Practices."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {"title": "Notice of Privacy Practices", "since": "In force from"},
    "es": {"title": "Aviso de prácticas de privacidad", "since": "En vigor desde"},
}
