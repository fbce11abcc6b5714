"""What stands around every page for patients."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {"skip": "Skip to content", "page_language": "Language of this page"},
    "es": {"skip": "Ir al contenido", "page_language": "Idioma de esta página"},
}
