from __future__ import annotations

from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "consent"

    def ready(self) -> None:
        from consent.leaf import ConsentLeaf
        from contacts.importing import undoing
        from contacts.segments import language

        if language.leaf(ConsentLeaf.key) is None:
            language.register(ConsentLeaf())
        undoing.register("consent_entry")
        undoing.register("consent_authorization")
