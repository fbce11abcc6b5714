"""Addresses of workflows."""

from __future__ import annotations

from django.urls import path

from marketing.web import workflows

urlpatterns = [
    path("workflows/", workflows.workflows, name="workflows"),
    path("workflows/new/", workflows.edit, name="workflow-new"),
    path("workflows/<uuid:workflow_id>/", workflows.workflow, name="workflow"),
    path("workflows/<uuid:workflow_id>/draft/", workflows.edit, name="workflow-edit"),
    path("workflows/<uuid:workflow_id>/publish/", workflows.publish, name="workflow-publish"),
    path("workflows/<uuid:workflow_id>/pause/", workflows.pause, name="workflow-pause"),
    path("workflows/<uuid:workflow_id>/resume/", workflows.resume, name="workflow-resume"),
    path(
        "workflows/<uuid:workflow_id>/<int:number>/<slug:node>/",
        workflows.people,
        name="workflow-people",
    ),
]
