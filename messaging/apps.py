from __future__ import annotations

from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"

    def ready(self) -> None:
        from contacts import dependants as leaning
        from contacts.importing import undoing
        from messaging import dependants

        undoing.register("messaging_message")
        leaning.register("messaging", leaning.Lookup(dependants.of_field, dependants.of_code_group))
