from __future__ import annotations

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    name = "workflows"

    def ready(self) -> None:
        from contacts import dependants as leaning
        from contacts import erase
        from contacts.importing import undoing
        from contacts.merge import carried
        from contacts.segments import language
        from contacts.segments.live import index
        from workflows import dependants, forgetting
        from workflows.leaf import JourneyLeaf
        from workflows.merged import Enrolments

        if language.leaf(JourneyLeaf.key) is None:
            language.register(JourneyLeaf())
        carried.register(Enrolments())
        erase.also(forgetting.forget, gone=forgetting.gone)
        index.also_names("workflows_workflow")
        index.also_names("workflows_workflowversion")
        undoing.register("workflows_enrolment")
        leaning.register("workflows", leaning.Lookup(dependants.of_field, dependants.of_code_group))
