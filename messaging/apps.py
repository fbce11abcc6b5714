from __future__ import annotations

from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"

    def ready(self) -> None:
        from contacts import dependants as leaning
        from contacts import erase
        from contacts.importing import undoing
        from contacts.merge import carried
        from contacts.segments import language
        from contacts.segments.live import index
        from messaging import dependants, forgetting
        from messaging.answers import reading as answers
        from messaging.hearing import visits
        from messaging.leaf import EngagementLeaf, names_of
        from messaging.merged import Waiting

        if language.leaf(EngagementLeaf.key) is None:
            language.register(EngagementLeaf())
        language.register_names(names_of)
        carried.register(Waiting())
        erase.also(visits.forget)
        erase.also(answers.forget)
        erase.also(forgetting.forget, gone=forgetting.gone)
        index.also_names("messaging_template")
        undoing.register("messaging_message")
        leaning.register("messaging", leaning.Lookup(dependants.of_field, dependants.of_code_group))
