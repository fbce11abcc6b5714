from __future__ import annotations

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    name = "workflows"

    def ready(self) -> None:
        from contacts.importing import undoing

        undoing.register("workflows_enrolment")
