from __future__ import annotations

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    name = "workflows"

    def ready(self) -> None:
        from contacts import dependants as leaning
        from contacts.importing import undoing
        from workflows import dependants

        undoing.register("workflows_enrolment")
        leaning.register("workflows", leaning.Lookup(dependants.of_field, dependants.of_code_group))
