from __future__ import annotations

from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "consent"

    def ready(self) -> None:
        from consent import outliving, precedence
        from consent.choices import replies
        from consent.leaf import ConsentLeaf
        from contacts import erase
        from contacts.importing import undoing
        from contacts.merge import carried
        from contacts.segments import language

        if language.leaf(ConsentLeaf.key) is None:
            language.register(ConsentLeaf())
        carried.hold(precedence.hold_for_withdrawal)
        erase.also(replies.forget, before=outliving.carry, kept=outliving.kept)
        undoing.register("consent_entry")
        undoing.register("consent_authorization")
