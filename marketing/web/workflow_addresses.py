"""Addresses of workflows."""

from __future__ import annotations

from django.urls import path

from marketing.web import (
    brakes,
    payments,
    simulations,
    staff_tasks,
    workflow_drafts,
    workflow_drawings,
    workflow_enrol,
    workflow_moves,
    workflow_outlook,
    workflow_recipes,
    workflow_report_files,
    workflow_reports,
    workflow_ways,
    workflows,
)

urlpatterns = [
    path("workflows/", workflows.workflows, name="workflows"),
    path("workflows/tasks/", staff_tasks.tasks, name="tasks"),
    path("workflows/tasks/<int:task_id>/outcome/", staff_tasks.outcome, name="task-outcome"),
    path("workflows/find/", workflow_ways.find, name="workflow-find"),
    path("workflows/of/<uuid:public_id>/", workflow_ways.of_contact, name="contact-workflows"),
    path(
        "workflows/<uuid:workflow_id>/ways/<int:enrolment_id>/",
        workflow_ways.way,
        name="workflow-path",
    ),
    path("workflows/recipes/", workflow_recipes.recipes, name="workflow-recipes"),
    path("workflows/brakes/", brakes.brakes, name="workflow-brakes"),
    path("workflows/recipes/<slug:slug>/", workflow_recipes.recipe, name="workflow-recipe"),
    path("workflows/new/", workflow_drafts.new, name="workflow-new"),
    path("workflows/<uuid:workflow_id>/", workflows.workflow, name="workflow"),
    path("workflows/<uuid:workflow_id>/draft/", workflow_drafts.edit, name="workflow-edit"),
    path("workflows/<uuid:workflow_id>/draft/check/", workflow_drafts.check, name="workflow-check"),
    path("workflows/<uuid:workflow_id>/draft/save/", workflow_drafts.save, name="workflow-save"),
    path("workflows/<uuid:workflow_id>/publish/", workflows.publish, name="workflow-publish"),
    path("workflows/<uuid:workflow_id>/report/", workflow_reports.report, name="workflow-report"),
    path(
        "workflows/<uuid:workflow_id>/report/figures.csv",
        workflow_report_files.figures,
        name="workflow-report-csv",
    ),
    path(
        "workflows/<uuid:workflow_id>/report/people.csv",
        workflow_report_files.persons,
        name="workflow-report-people-csv",
    ),
    path(
        "workflows/<uuid:workflow_id>/report/<int:number>/people/",
        workflow_reports.report_people,
        name="workflow-report-people",
    ),
    path("workflows/<uuid:workflow_id>/outlook/", workflow_outlook.page, name="workflow-outlook"),
    path("workflows/<uuid:workflow_id>/payments/", payments.workflow, name="workflow-payments"),
    path("workflows/<uuid:workflow_id>/enrol/", workflow_enrol.enrol_people, name="workflow-enrol"),
    path("workflows/<uuid:workflow_id>/pause/", workflow_moves.pause, name="workflow-pause"),
    path("workflows/<uuid:workflow_id>/resume/", workflow_moves.resume, name="workflow-resume"),
    path("workflows/<uuid:workflow_id>/close/", workflow_moves.close, name="workflow-close"),
    path("workflows/<uuid:workflow_id>/migrate/", workflow_moves.migrate, name="workflow-migrate"),
    path(
        "workflows/<uuid:workflow_id>/<int:number>/drawing.json",
        workflow_drawings.drawing,
        name="workflow-drawing",
    ),
    path(
        "workflows/<uuid:workflow_id>/<int:number>/tables/",
        workflow_drawings.tables,
        name="workflow-tables",
    ),
    path(
        "workflows/<uuid:workflow_id>/<int:number>/<slug:node>/",
        workflows.people,
        name="workflow-people",
    ),
    path(
        "workflows/<uuid:workflow_id>/simulations/", simulations.simulate, name="workflow-simulate"
    ),
    path(
        "workflows/<uuid:workflow_id>/simulations/<uuid:simulation_id>/",
        simulations.simulation,
        name="workflow-simulation",
    ),
    path(
        "workflows/<uuid:workflow_id>/simulations/<uuid:simulation_id>/<slug:node>/",
        simulations.simulated_mail,
        name="workflow-simulated-mail",
    ),
]
